import type { AgentInputItem } from '@openai/agents';
import { itemDigest } from '../ledger/digest.ts';
import type { LedgerEntry } from '../ledger/ledger-state.ts';

/** Where an item's content came from. */
export type ItemSource = 'ledger' | 'list' | 'response' | 'chain';

/** An entry of the ledger with its content, or without when no source has it. */
export interface RestoredItem {
  readonly entry: LedgerEntry;
  readonly item: AgentInputItem | undefined;
  readonly source: ItemSource | undefined;
}

/** A place to look for content. */
export interface ContentSource {
  readonly source: ItemSource;
  readonly find: (entry: LedgerEntry) => AgentInputItem | undefined;
}

/** What content is known by: what a model reads of it, and its ID. */
export function contentKey(digest: string | null, id: string | undefined): string {
  return `${digest ?? ''} ${id ?? ''}`;
}

/**
 * Looks an entry up among items that were read back: the one with its ID, else one of which a model reads the same.
 *
 * An item with its ID but another digest was altered, and is not the entry's content.
 */
export function findAmong(items: readonly AgentInputItem[]): ContentSource['find'] {
  const exact = new Map<string, AgentInputItem>();
  const alike = new Map<string, AgentInputItem>();
  for (const item of items) {
    const digest = itemDigest(item);
    exact.set(contentKey(digest, 'id' in item ? item.id : undefined), item);
    if (digest !== null && !alike.has(digest)) alike.set(digest, item);
  }
  return ({ digest, id, mirrorId }) =>
    exact.get(contentKey(digest, mirrorId)) ??
    exact.get(contentKey(digest, id)) ??
    (digest === null ? undefined : alike.get(digest));
}

/**
 * Each entry with its content from the first source that has it. Pure.
 *
 * An item keeps the ID it had in the conversation; one that never was there keeps the ID it came with.
 */
export function restore(entries: readonly LedgerEntry[], sources: readonly ContentSource[]): RestoredItem[] {
  return entries.map((entry): RestoredItem => {
    if (entry.item !== undefined) return { entry, item: identified(entry.item, entry), source: 'ledger' };
    for (const { source, find } of sources) {
      const found = find(entry);
      if (found !== undefined) return { entry, item: identified(found, entry), source };
    }
    return { entry, item: undefined, source: undefined };
  });
}

function identified(item: AgentInputItem, entry: LedgerEntry): AgentInputItem {
  const id = entry.mirrorId ?? entry.id;
  if (id === undefined) return item;
  const data = item.providerData;
  // Some items go out under the ID in their provider data.
  if (data === undefined || typeof data['id'] !== 'string' || data['id'] === id) return { ...item, id };
  return { ...item, id, providerData: { ...data, id } };
}
