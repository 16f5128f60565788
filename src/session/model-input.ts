import type { AgentInputItem } from '@openai/agents';
import { itemDigest } from '../ledger/digest.ts';
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
    case 'function_call_result': {
      const { id: _id, ...rest } = item;
      return withoutProviderId(rest);
    }
    default:
      return item;
  }
}

/**
 * An item reduced to what must be equal when the runner compares what is stored with what it expects: one for one,
 * without what the way through the API changes.
 */
export function comparable(item: AgentInputItem): AgentInputItem {
  if (item.type === 'compaction') return { type: 'compaction', encrypted_content: item.encrypted_content };
  if (item.type === 'reasoning')
    return { type: 'reasoning', ...(item.id === undefined ? {} : { id: item.id }), content: item.content };
  return { type: 'unknown', providerData: { digest: itemDigest(item) } };
}

function withoutProviderId(item: AgentInputItem): AgentInputItem {
  const data = item.providerData;
  if (data === undefined || !('id' in data)) return item;
  const { id: _id, ...rest } = data;
  return { ...item, providerData: rest };
}
