import type { AgentInputItem } from '@openai/agents';
import { textOf, type JsonObject } from '../ledger/json.ts';
import { apiTypeOf, providerDataOf } from './api-type.ts';

/** Calls that the client has to answer. */
const CALLS = new Set([
  'function_call',
  'custom_tool_call',
  'computer_call',
  'shell_call',
  'local_shell_call',
  'apply_patch_call',
]);

/** The call IDs that have no output among the items. */
export function openCalls(items: readonly AgentInputItem[]): Set<string> {
  const open = new Set<string>();
  for (const item of items) {
    if (isCall(item)) open.add(callIdOf(item));
    else if (isOutput(item)) open.delete(callIdOf(item));
  }
  return open;
}

/** The call IDs that the items answer. */
export function answeredCalls(items: readonly AgentInputItem[]): Set<string> {
  return new Set(items.filter((item) => isOutput(item)).map((item) => callIdOf(item)));
}

function isCall(item: AgentInputItem): boolean {
  const type = apiTypeOf(item);
  // The server searches itself unless the client said that it would.
  if (type === 'tool_search_call') return field(item, 'execution') === 'client';
  return CALLS.has(type);
}

function isOutput(item: AgentInputItem): boolean {
  const type = apiTypeOf(item);
  return (
    type === 'tool_search_output' || (type.endsWith('_output') && CALLS.has(type.slice(0, -'_output'.length)))
  );
}

function callIdOf(item: AgentInputItem): string {
  return textOf(field(item, 'callId') ?? field(item, 'call_id'));
}

function field(item: AgentInputItem, name: string): unknown {
  const fields: JsonObject = { ...item };
  return fields[name] ?? providerDataOf(item)[name];
}
