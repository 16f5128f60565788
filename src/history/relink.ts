import { itemDigest } from '../ledger/digest.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { ListedItem, Match } from './listed-item.ts';

/** An entry that turns out to be in the conversation already. */
export interface Relinked {
  readonly seq: number;
  readonly id: string;
}

/** Whether a write of an entry that is still to be written may be under way, or have lost its answer. */
export type IsTried = (entry: LedgerEntry) => boolean;

/** What the list holds of what was to be written. */
export interface Written {
  readonly relinked: readonly (Relinked & { readonly index: number })[];
  /** IDs of entries that stand before one which is still to be written: they have to be written again behind it. */
  readonly misplaced: readonly string[];
  /** What left the history before it was known that the conversation holds it. */
  readonly dropped: readonly Relinked[];
  /**
   * IDs of items that are like one whose write may have been applied, and stand where that cannot have put them: they are
   * somebody else's, or the list shows them out of place.
   */
  readonly unclear: ReadonlySet<string>;
}

/**
 * Finds the entries whose write was applied although its answer got lost, by what a model reads of them.
 *
 * A write appends: an item that stands before one which the conversation held already is somebody else's, however alike.
 *
 * @param anchors entries that are known to be in the list, in the order of both.
 * @param isTried whether an entry may have been written already.
 */
export function relink(
  state: LedgerState,
  list: readonly ListedItem[],
  known: ReadonlyMap<string, unknown>,
  anchors: readonly Match[],
  isTried: IsTried,
): Written {
  if (state.unmirrored.size + state.dropped.size === 0)
    return { relinked: [], misplaced: [], dropped: [], unclear: new Set() };
  const free = new Map<string, { id: string; position: number }[]>();
  const seen = new Set<string>();
  list.forEach(({ id, item }, position) => {
    if (seen.has(id) || known.has(id) || state.removed.has(id)) return;
    seen.add(id);
    const key = keyOf({ digest: itemDigest(item), id });
    const alike = free.get(key);
    if (alike === undefined) free.set(key, [{ id, position }]);
    else alike.push({ id, position });
  });
  const indexes = new Map(state.entries.map((entry, index) => [entry.seq, index]));
  const relinked: (Relinked & { index: number })[] = [];
  const misplaced: string[] = [];
  const absent: LedgerEntry[] = [];
  let isWhole = true;
  const left = new Map<string, number>();
  for (const entry of state.unmirrored.values()) left.set(keyOf(entry), (left.get(keyOf(entry)) ?? 0) + 1);
  /** How many entries alike are still to be found, this one included. */
  const wanted = (entry: LedgerEntry): number => left.get(keyOf(entry)) ?? 1;
  for (const entry of state.unmirrored.values()) {
    const index = indexes.get(entry.seq);
    if (index === undefined) continue;
    const alike = free.get(keyOf({ digest: entry.digest, id: entry.link ?? entry.id })) ?? [];
    const before = anchors.findLast((anchor) => anchor.index < index)?.position ?? -1;
    const first = alike.findIndex(({ position }) => position > before);
    // Of copies that several tries have left the last ones count: what stands before them is known to be too much.
    const at = state.ghosts.has(entry.seq) ? Math.max(first, alike.length - wanted(entry)) : first;
    const [found] = at === -1 ? [] : alike.splice(at, 1);
    left.set(keyOf(entry), wanted(entry) - 1);
    if (found === undefined) absent.push(entry);
    // Reasoning that came without an ID cannot be found, and nothing hangs on where it stands.
    if (found === undefined) isWhole &&= entry.digest === null;
    else if (isWhole) relinked.push({ seq: entry.seq, id: found.id, index });
    else misplaced.push(found.id);
  }
  const dropped = [...state.dropped].flatMap(([seq, entry]) => {
    const found = free.get(keyOf(entry))?.shift();
    return found === undefined ? [] : [{ seq, id: found.id }];
  });
  const unclear = absent.flatMap((entry) =>
    isTried(entry) ? (free.get(keyOf(entry))?.shift()?.id ?? []) : [],
  );
  return { relinked, misplaced, dropped, unclear: new Set(unclear) };
}

function keyOf({ digest, id }: Pick<LedgerEntry, 'digest' | 'id'>): string {
  return digest ?? `id ${id ?? ''}`;
}
