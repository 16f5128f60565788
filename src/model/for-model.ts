import type { AgentInputItem } from '@openai/agents';
import { isObject, jsonBytes } from '../ledger/json.ts';
import { apiTypeOf, providerDataOf } from './api-type.ts';

/**
 * A stored item as it goes to the model again: by its content, not by its ID.
 *
 * Replayed IDs are what makes the API unlink items from a conversation, and a replayed call drags its reasoning along.
 * Items that the API only knows by ID keep it: reasoning, hosted tool calls, programs, compaction.
 */
export function forModel(item: AgentInputItem): AgentInputItem {
  switch (item.type ?? 'message') {
    case 'message': {
      const { id: _id, providerData, ...rest } = { ...item } as AgentInputItem & { phase?: unknown };
      const phase = rest.phase ?? (isObject(providerData) ? providerData['phase'] : undefined);
      return { ...rest, ...(phase === undefined ? {} : { phase }) } as AgentInputItem;
    }
    case 'function_call':
    case 'function_call_result':
      return withoutIds(item);
    default:
      return item;
  }
}

/** About what items take in a request, in bytes: the API's own form differs by some percent. */
export function bytesForModel(items: readonly AgentInputItem[]): number {
  return items.reduce((sum, item) => sum + jsonBytes(forModel(item)), 0);
}

/** What the API takes by its content; everything else it finds by its ID. */
const BY_CONTENT = new Set([
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
  'computer_call_output',
  'shell_call',
  'shell_call_output',
  'apply_patch_call',
  'apply_patch_call_output',
  'mcp_approval_response',
  'compaction',
]);

/**
 * What is sent behind a chain: nothing by its ID, which could be in the chain already. Reasoning goes along only when it
 * brings its own content.
 *
 * @returns undefined when an item cannot be sent without its ID.
 */
export function behindChain(items: readonly AgentInputItem[]): AgentInputItem[] | undefined {
  const sent: AgentInputItem[] = [];
  for (const item of items) {
    const type = apiTypeOf(item);
    if (type === 'reasoning') {
      if (hasEncryptedContent(item)) sent.push(withoutIds(item));
    } else if (BY_CONTENT.has(type) || !hasId(item)) {
      sent.push(withoutIds(item));
    } else {
      return undefined;
    }
  }
  return sent;
}

function hasId(item: AgentInputItem): boolean {
  return ('id' in item && item.id !== undefined) || providerDataOf(item)['id'] !== undefined;
}

function hasEncryptedContent(item: AgentInputItem): boolean {
  const data = providerDataOf(item);
  return typeof (data['encrypted_content'] ?? data['encryptedContent']) === 'string';
}

function withoutIds(item: AgentInputItem): AgentInputItem {
  const { id: _id, ...rest } = { ...item } as AgentInputItem & { id?: string };
  const data = rest.providerData;
  if (!isObject(data) || !('id' in data)) return rest;
  const { id: _providerId, ...kept } = data;
  return { ...rest, providerData: kept };
}
