import type { AgentInputItem } from '@openai/agents';
import { itemDigest } from './digest.ts';
import { isObject } from '../util/json.ts';

/**
 * Whether an item is the one in the ledger: by its digest, or by its text for reasoning, which no digest covers.
 *
 * @param known the digest, and the item if its content is at hand. Without content, any reasoning counts as the same.
 */
export function isSameItem(
  known: { readonly digest: string | null; readonly item: AgentInputItem | undefined },
  other: AgentInputItem,
): boolean {
  const digest = itemDigest(other);
  if (digest !== known.digest) return false;
  return digest !== null || known.item === undefined || textsOf(known.item) === textsOf(other);
}

/**
 * An item reduced to the fields that the API does not change. The runner compares stored items with the items that it expects,
 * one by one.
 */
export function comparable(item: AgentInputItem): AgentInputItem {
  if (item.type === 'compaction') return { type: 'compaction', encrypted_content: item.encrypted_content };
  if (item.type === 'reasoning') {
    return { type: 'reasoning', ...(item.id === undefined ? {} : { id: item.id }), content: item.content };
  }
  return { type: 'unknown', providerData: { digest: itemDigest(item) } };
}

function textsOf(item: AgentInputItem): string {
  const parts: unknown = 'content' in item ? item.content : [];
  const texts = Array.isArray(parts)
    ? parts.map((part: unknown) => (isObject(part) ? part['text'] : undefined))
    : [];
  return JSON.stringify(texts);
}
