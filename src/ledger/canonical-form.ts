import type { AgentInputItem } from '@openai/agents';
import { callerOf } from './canonical-caller.ts';
import { canonicalMessage, canonicalOutput, type Canonical } from './canonical-content.ts';
import { canonicalServerItem } from './canonical-server-item.ts';
import { isObject, stableJson, textOf, type JsonObject } from './json.ts';

/**
 * What a model reads of an item, in the one form that survives the way through the API and both SDK conversions.
 *
 * In: role, phase, text, media references, tool name, arguments, call ID, output. Out, because they change on the way
 * and no model reads them: IDs, status, annotations, log probabilities, provider data of parts, the name of a function
 * result (it comes back as its call ID).
 *
 * @returns undefined for reasoning: it may be dropped or lose its ID on replay, and the chain carries it.
 */
export function canonicalForm(item: AgentInputItem): Canonical | undefined {
  const fields: JsonObject = { ...item };
  switch (fields['type'] ?? 'message') {
    case 'message':
      return canonicalMessage(
        fields['role'],
        fields['phase'] ?? providerField(fields, 'phase'),
        fields['content'],
      );
    case 'reasoning':
      return undefined;
    case 'function_call':
      return [
        'function_call',
        textOf(fields['namespace']),
        textOf(fields['name']),
        textOf(fields['callId']),
        textOf(fields['arguments']),
        callerOf(fields),
      ];
    case 'function_call_result':
      return [
        'function_call_output',
        textOf(fields['callId']),
        canonicalOutput(fields['output']),
        callerOf(fields),
      ];
    case 'computer_call':
      return ['computer_call', textOf(fields['callId']), actionsOf(fields), safetyChecks(fields, 'pending')];
    case 'computer_call_result':
      return [
        'computer_call_output',
        textOf(fields['callId']),
        isObject(fields['output']) ? textOf(fields['output']['data']) : '',
        safetyChecks(fields, 'acknowledged'),
      ];
    case 'shell_call':
      return ['shell_call', textOf(fields['callId']), shellAction(fields['action']), callerOf(fields)];
    case 'shell_call_output':
      return [
        'shell_call_output',
        textOf(fields['callId']),
        shellOutputs(fields['output']),
        stableJson(fields['maxOutputLength'] ?? null),
        callerOf(fields),
      ];
    case 'apply_patch_call':
      return [
        'apply_patch_call',
        textOf(fields['callId']),
        stableJson(fields['operation']),
        callerOf(fields),
      ];
    case 'apply_patch_call_output':
      // The one status a model reads: whether the patch went in.
      return [
        'apply_patch_call_output',
        textOf(fields['callId']),
        fields['status'] === 'failed' ? 'failed' : 'completed',
        textOf(fields['output']),
        callerOf(fields),
      ];
    case 'program':
      return ['program', textOf(fields['callId']), textOf(fields['code']), textOf(fields['fingerprint'])];
    case 'program_output':
      return ['program_output', textOf(fields['callId']), textOf(fields['output'])];
    case 'compaction':
      return ['compaction', textOf(fields['encrypted_content'] ?? fields['encryptedContent'])];
    default:
      return canonicalServerItem(fields);
  }
}

/** The item's type for people, such as `message:assistant`; it says what is missing where content must not be shown. */
export function kindOf(item: AgentInputItem): string {
  const fields: JsonObject = { ...item };
  const type = textOf(fields['type'] ?? 'message');
  if (type === 'message') return `message:${textOf(fields['role'])}`;
  if (type === 'hosted_tool_call') return `${type}:${textOf(fields['name'])}`;
  return type;
}

function providerField(fields: JsonObject, ...names: string[]): unknown {
  const data = fields['providerData'];
  if (!isObject(data)) return undefined;
  return names.map((name) => data[name]).find((value) => value !== undefined);
}

function actionsOf(fields: JsonObject): string {
  const actions = fields['actions'];
  return stableJson(Array.isArray(actions) && actions.length > 0 ? actions : [fields['action']]);
}

function safetyChecks(fields: JsonObject, kind: 'pending' | 'acknowledged'): string {
  const checks = providerField(fields, `${kind}SafetyChecks`, `${kind}_safety_checks`);
  return Array.isArray(checks) && checks.length > 0 ? stableJson(checks) : '';
}

function shellAction(action: unknown): Canonical {
  if (!isObject(action)) return [];
  return [
    stableJson(action['commands'] ?? []),
    stableJson(action['timeoutMs'] ?? null),
    stableJson(action['maxOutputLength'] ?? null),
  ];
}

function shellOutputs(outputs: unknown): Canonical {
  if (!Array.isArray(outputs)) return [];
  return outputs.map((entry: unknown): Canonical => {
    if (!isObject(entry)) return [];
    const outcome = isObject(entry['outcome']) ? entry['outcome'] : {};
    // An exit without a code goes out as 0.
    const end = outcome['type'] === 'timeout' ? 'timeout' : stableJson(outcome['exitCode'] ?? 0);
    return [textOf(entry['stdout']), textOf(entry['stderr']), end];
  });
}
