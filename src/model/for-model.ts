import type { AgentInputItem } from '@openai/agents';
import { isObject } from '../ledger/json.ts';

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

/** What is sent behind a chain: nothing by ID that could be in the chain already, and reasoning only if it stands alone. */
export function behindChain(items: readonly AgentInputItem[]): AgentInputItem[] {
  return items.flatMap((item) => {
    if (item.type === 'reasoning') return hasEncryptedContent(item) ? [item] : [];
    if (isClientOutput(item)) return [withoutIds(item)];
    return [forModel(item)];
  });
}

function isClientOutput(item: AgentInputItem): boolean {
  return (
    item.type === 'computer_call_result' ||
    item.type === 'shell_call_output' ||
    item.type === 'apply_patch_call_output'
  );
}

function hasEncryptedContent(item: AgentInputItem): boolean {
  const data = item.providerData;
  return isObject(data) && typeof (data['encrypted_content'] ?? data['encryptedContent']) === 'string';
}

function withoutIds(item: AgentInputItem): AgentInputItem {
  const { id: _id, ...rest } = { ...item } as AgentInputItem & { id?: string };
  const data = rest.providerData;
  if (!isObject(data) || !('id' in data)) return rest;
  const { id: _providerId, ...kept } = data;
  return { ...rest, providerData: kept };
}
