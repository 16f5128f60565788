import type { MissingItem } from '../errors/session.ts';
import type { ListedItem } from '../conversation/items.ts';
import type { RestoredItem } from './restore.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../items/digest.ts';
import { digestOf, type LedgerState } from '../ledger/state.ts';
import type { SourceCounts } from './restore.ts';

/** Whether the restored items, and those of compactions, have the ledger's digests. */
export function matchesLedger(state: LedgerState, restored: readonly RestoredItem[]): boolean {
  const compacted = state.views.flatMap(({ items }) => items);
  if (compacted.some(({ item, digest }) => item === undefined || itemDigest(item) !== digest)) return false;
  let digest = EMPTY_DIGEST;
  for (const { entry, item } of restored) {
    if (item === undefined && entry.digest !== null) return false;
    digest = extendDigest(digest, item === undefined ? null : itemDigest(item));
  }
  return restored.length === state.entries.length && digest === digestOf(state);
}

/** Whether the listed items have the ledger's digest. Skipped items are ignored. */
export function listMatchesLedger(state: LedgerState, list: readonly ListedItem[]): boolean {
  const listed = new Map(list.map(({ id, item }) => [id, item]));
  let [expected, found] = [EMPTY_DIGEST, EMPTY_DIGEST];
  for (const { mirrorId = '', digest, skipped } of state.entries) {
    if (skipped !== undefined) continue;
    const item = listed.get(mirrorId);
    if (item === undefined) return false;
    expected = extendDigest(expected, digest);
    found = extendDigest(found, itemDigest(item));
  }
  return found === expected;
}

/** Counts the items of each source. */
export function countSources(restored: readonly RestoredItem[]): SourceCounts {
  const counts: { -readonly [source in keyof SourceCounts]: SourceCounts[source] } = {};
  for (const { source } of restored) if (source !== undefined) counts[source] = (counts[source] ?? 0) + 1;
  return counts;
}

/** The entries without content, each with its index in the history. */
export function missingItems(
  { entries, resumedFrom }: Pick<LedgerState, 'entries' | 'resumedFrom'>,
  restored: readonly RestoredItem[],
): MissingItem[] {
  const missing = restored.filter(({ item }) => item === undefined);
  if (missing.length === 0) return [];
  const before = resumedFrom?.length ?? 0;
  const positions = new Map(entries.map(({ seq }, index) => [seq, before + index]));
  return missing.map(({ entry }, at) => {
    const id = entry.mirrorId ?? entry.id;
    const index = positions.get(entry.seq) ?? at;
    return { index, kind: entry.kind, ...(id === undefined ? {} : { id }) };
  });
}
