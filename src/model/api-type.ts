import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf, type JsonObject } from '../ledger/json.ts';

/** The provider's own fields of an item; empty when there are none. */
export function providerDataOf(item: AgentInputItem): JsonObject {
  const data = item.providerData;
  return isObject(data) ? data : {};
}

/** What the API calls the type of an item: a hosted tool and a type that the SDK does not know name it inside. */
export function apiTypeOf(item: AgentInputItem): string {
  const fields: JsonObject = { ...item };
  const type = textOf(fields['type'] ?? 'message');
  if (type === 'function_call_result') return 'function_call_output';
  if (type === 'computer_call_result') return 'computer_call_output';
  if (type !== 'hosted_tool_call' && type !== 'unknown') return type;
  return textOf(providerDataOf(item)['type'] ?? fields['name']);
}
