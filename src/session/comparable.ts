import type { AgentInputItem } from '@openai/agents';
import { itemDigest } from '../ledger/digest.ts';

/**
 * An item reduced to what must be equal when the runner compares what is stored with what it expects: one for one,
 * without what the way through the API changes.
 */
export function comparable(item: AgentInputItem): AgentInputItem {
  if (item.type === 'compaction') return { type: 'compaction', encrypted_content: item.encrypted_content };
  if (item.type === 'reasoning') {
    return { type: 'reasoning', ...(item.id === undefined ? {} : { id: item.id }), content: item.content };
  }
  return { type: 'unknown', providerData: { digest: itemDigest(item) } };
}
