import type { AgentInputItem } from '@openai/agents';
import type { LedgerEntry } from '../ledger/ledger-state.ts';

/** Where an item's content came from. */
export type ItemSource = 'ledger' | 'list' | 'response' | 'chain';

/** An entry of the ledger with its content, or without when no source has it. */
export interface RestoredItem {
  readonly entry: LedgerEntry;
  readonly item: AgentInputItem | undefined;
  readonly source: ItemSource | undefined;
}

/** Content that was read back, found by what it is: equal keys mean that a model reads the same. */
export type ContentPool = ReadonlyMap<string, AgentInputItem>;

/** What content is found by: its digest, or its ID where no digest covers it. */
export function contentKey(digest: string | null, id: string | undefined): string {
  return digest ?? `id ${id ?? ''}`;
}

/**
 * Each entry with its content from the first source that has it. Pure.
 *
 * An item keeps the ID it had in the conversation; one that never was there keeps the ID it came with.
 */
export function restore(
  entries: readonly LedgerEntry[],
  pools: readonly { readonly source: ItemSource; readonly pool: ContentPool }[],
): RestoredItem[] {
  return entries.map((entry): RestoredItem => {
    if (entry.item !== undefined) return { entry, item: identified(entry.item, entry), source: 'ledger' };
    for (const { source, pool } of pools) {
      const found =
        pool.get(contentKey(entry.digest, entry.mirrorId)) ?? pool.get(contentKey(entry.digest, entry.id));
      if (found !== undefined) return { entry, item: identified(found, entry), source };
    }
    return { entry, item: undefined, source: undefined };
  });
}

function identified(item: AgentInputItem, entry: LedgerEntry): AgentInputItem {
  const id = entry.mirrorId ?? entry.id;
  if (id === undefined) return item;
  return { ...item, id };
}
