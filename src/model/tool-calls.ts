import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf, type JsonObject } from '../ledger/json.ts';

/** Calls that the client has to answer. */
const CALLS = new Set([
  'function_call',
  'computer_call',
  'shell_call',
  'apply_patch_call',
  'custom_tool_call',
]);

/** What answers a call. */
const OUTPUTS = new Set([
  'function_call_result',
  'function_call_output',
  'computer_call_result',
  'computer_call_output',
  'shell_call_output',
  'apply_patch_call_output',
  'custom_tool_call_output',
]);

/** The call IDs that have no output among the items. */
export function openCalls(items: readonly AgentInputItem[]): Set<string> {
  const open = new Set<string>();
  for (const item of items) {
    const { type, callId } = describe(item);
    if (CALLS.has(type)) open.add(callId);
    else if (OUTPUTS.has(type)) open.delete(callId);
  }
  return open;
}

/** The call IDs that the items answer. */
export function answeredCalls(items: readonly AgentInputItem[]): Set<string> {
  return new Set(
    items.map((item) => describe(item)).flatMap(({ type, callId }) => (OUTPUTS.has(type) ? [callId] : [])),
  );
}

/** A type that the SDK does not know comes as `unknown`, with the API's fields as provider data. */
function describe(item: AgentInputItem): { type: string; callId: string } {
  const fields: JsonObject = { ...item };
  const data = isObject(fields['providerData']) ? fields['providerData'] : {};
  const type = fields['type'] === 'unknown' ? data['type'] : fields['type'];
  return { type: textOf(type), callId: textOf(fields['callId'] ?? data['call_id'] ?? data['callId']) };
}
