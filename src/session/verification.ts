import type { MissingItem } from '../errors/history-incomplete-error.ts';
import type { ListedItem } from '../history/listed-item.ts';
import type { RestoredItem } from '../history/restore.ts';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../ledger/digest.ts';
import { digestOf, type LedgerState } from '../ledger/ledger-state.ts';
import type { SourceCounts } from '../telemetry/session-event.ts';

/** Whether what was found is, item for item and in order, what the ledger says the session contains. */
export function isVerified(state: LedgerState, restored: readonly RestoredItem[]): boolean {
  let digest = EMPTY_DIGEST;
  for (const { entry, item } of restored) {
    if (item === undefined && entry.digest !== null) return false;
    digest = extendDigest(digest, item === undefined ? null : itemDigest(item));
  }
  return restored.length === state.entries.length && digest === digestOf(state);
}

/** Whether the digest of what a list shows of the session is that of the ledger, without what it can never show. */
export function isListed(state: LedgerState, list: readonly ListedItem[]): boolean {
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

/** How many items came from each source. */
export function countSources(restored: readonly RestoredItem[]): SourceCounts {
  const counts: { -readonly [source in keyof SourceCounts]: SourceCounts[source] } = {};
  for (const { source } of restored) if (source !== undefined) counts[source] = (counts[source] ?? 0) + 1;
  return counts;
}

/** The entries that no source has, each with its position in the history. */
export function missingItems(
  { entries }: Pick<LedgerState, 'entries'>,
  restored: readonly RestoredItem[],
): MissingItem[] {
  const missing = restored.filter(({ item }) => item === undefined);
  if (missing.length === 0) return [];
  const positions = new Map(entries.map(({ seq }, index) => [seq, index]));
  return missing.map(({ entry }, at) => {
    const id = entry.mirrorId ?? entry.id;
    const index = positions.get(entry.seq) ?? at;
    return { index, kind: entry.kind, ...(id === undefined ? {} : { id }) };
  });
}
