import { callerOf, canonicalMessage, canonicalOutput, type Canonical } from './canonical-content.ts';
import { isObject, stableJson, textOf, type JsonObject } from '../util/json.ts';

// The canonical forms of items in the SDK's own types, by the field names of the SDK.

/** No digest covers reasoning: it may be dropped or lose its ID on replay, and the chain carries it. */
export function reasoning(): undefined {
  return undefined;
}

export function message(fields: JsonObject): Canonical {
  const phase = fields['phase'] ?? providerField(fields, 'phase');
  return canonicalMessage(fields['role'], phase, fields['content']);
}

export function functionCall(fields: JsonObject): Canonical {
  return [
    'function_call',
    textOf(fields['namespace']),
    textOf(fields['name']),
    textOf(fields['callId']),
    textOf(fields['arguments']),
    callerOf(fields),
  ];
}

/** Without the function's name: the API does not keep it. */
export function functionResult(fields: JsonObject): Canonical {
  return [
    'function_call_output',
    textOf(fields['callId']),
    canonicalOutput(fields['output']),
    callerOf(fields),
  ];
}

export function computerCall(fields: JsonObject): Canonical {
  return ['computer_call', textOf(fields['callId']), actionsOf(fields), safetyChecks(fields, 'pending')];
}

export function computerResult(fields: JsonObject): Canonical {
  return [
    'computer_call_output',
    textOf(fields['callId']),
    isObject(fields['output']) ? textOf(fields['output']['data']) : '',
    safetyChecks(fields, 'acknowledged'),
  ];
}

export function shellCall(fields: JsonObject): Canonical {
  return ['shell_call', textOf(fields['callId']), shellAction(fields['action']), callerOf(fields)];
}

export function shellOutput(fields: JsonObject): Canonical {
  return [
    'shell_call_output',
    textOf(fields['callId']),
    shellOutputs(fields['output']),
    stableJson(fields['maxOutputLength'] ?? null),
    callerOf(fields),
  ];
}

export function applyPatchCall(fields: JsonObject): Canonical {
  return ['apply_patch_call', textOf(fields['callId']), stableJson(fields['operation']), callerOf(fields)];
}

/** With the one status that a model reads: whether the patch was applied. */
export function applyPatchOutput(fields: JsonObject): Canonical {
  return [
    'apply_patch_call_output',
    textOf(fields['callId']),
    fields['status'] === 'failed' ? 'failed' : 'completed',
    textOf(fields['output']),
    callerOf(fields),
  ];
}

export function program(fields: JsonObject): Canonical {
  return ['program', textOf(fields['callId']), textOf(fields['code']), textOf(fields['fingerprint'])];
}

export function programOutput(fields: JsonObject): Canonical {
  return ['program_output', textOf(fields['callId']), textOf(fields['output'])];
}

export function compaction(fields: JsonObject): Canonical {
  return ['compaction', textOf(fields['encrypted_content'] ?? fields['encryptedContent'])];
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
    // The SDK sends an exit without a code as 0.
    const end = outcome['type'] === 'timeout' ? 'timeout' : stableJson(outcome['exitCode'] ?? 0);
    return [textOf(entry['stdout']), textOf(entry['stderr']), end];
  });
}
