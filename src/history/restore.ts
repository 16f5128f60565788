import type { AgentInputItem } from '@openai/agents';
import { itemDigest } from '../items/digest.ts';
import type { LedgerEntry } from '../ledger/state.ts';

/** The source of an item's content. */
export type ItemSource = 'ledger' | 'list' | 'response' | 'chain';

/** An entry of the ledger, with its content if a source has it. */
export interface RestoredItem {
  readonly entry: LedgerEntry;
  readonly item: AgentInputItem | undefined;
  readonly source: ItemSource | undefined;
}

/** A source of content. */
export interface ContentSource {
  readonly source: ItemSource;
  readonly find: (entry: LedgerEntry) => AgentInputItem | undefined;
}

/** The key of content: its digest and its ID. */
export function contentKey(digest: string | null, id: string | undefined): string {
  return `${digest ?? ''} ${id ?? ''}`;
}

/**
 * Finds an entry's content among items: by digest and ID, else by digest.
 *
 * An item with its ID but another digest was altered, and is not the entry's content.
 */
export function contentFinder(items: readonly AgentInputItem[]): ContentSource['find'] {
  const exact = new Map<string, AgentInputItem>();
  const alike = new Map<string, AgentInputItem>();
  for (const item of items) {
    const digest = itemDigest(item);
    exact.set(contentKey(digest, 'id' in item ? item.id : undefined), item);
    if (digest !== null && !alike.has(digest)) alike.set(digest, item);
  }
  return ({ digest, id, mirrorId, unlinked }) =>
    // Reasoning is found by ID, and this ID belongs to another item.
    unlinked && digest === null && mirrorId === undefined
      ? undefined
      : (exact.get(contentKey(digest, mirrorId)) ??
        exact.get(contentKey(digest, id)) ??
        (digest === null ? undefined : alike.get(digest)));
}

/**
 * Each entry with its content from the first source that has it. Pure.
 *
 * An item keeps its ID in the conversation; an item that was never there keeps its original ID.
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
  // Some items are sent with the ID in their provider data.
  if (data === undefined || typeof data['id'] !== 'string' || data['id'] === id) return { ...item, id };
  return { ...item, id, providerData: { ...data, id } };
}

/** The number of items from each source. */
export type SourceCounts = { readonly [source in ItemSource]?: number };
