import { itemDigest } from '../ledger/digest.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { ListedItem, Match } from './listed-item.ts';

/** An entry that turns out to be in the conversation already. */
export interface Relinked {
  readonly seq: number;
  readonly id: string;
}

/**
 * Finds the entries whose write was applied although its answer got lost, by what a model reads of them.
 *
 * A write appends: an item that stands before one which the conversation held already is somebody else's, however alike.
 *
 * @param anchors entries that are known to be in the list, in the order of both.
 */
export function relink(
  state: LedgerState,
  list: readonly ListedItem[],
  known: ReadonlyMap<string, unknown>,
  anchors: readonly Match[],
): (Relinked & { readonly index: number })[] {
  if (state.unmirrored.size === 0) return [];
  const free = new Map<string, { id: string; position: number }[]>();
  const seen = new Set<string>();
  list.forEach(({ id, item }, position) => {
    if (seen.has(id) || known.has(id) || state.removed.has(id)) return;
    seen.add(id);
    const key = itemDigest(item) ?? `id ${id}`;
    const alike = free.get(key);
    if (alike === undefined) free.set(key, [{ id, position }]);
    else alike.push({ id, position });
  });
  const indexes = new Map(state.entries.map((entry, index) => [entry.seq, index]));
  const relinked: (Relinked & { index: number })[] = [];
  for (const entry of state.unmirrored.values()) {
    const index = indexes.get(entry.seq);
    const alike = free.get(entry.digest ?? `id ${entry.id ?? ''}`);
    if (index === undefined || alike === undefined) continue;
    const before = anchors.findLast((anchor) => anchor.index < index)?.position ?? -1;
    const at = alike.findIndex(({ position }) => position > before);
    const [found] = at === -1 ? [] : alike.splice(at, 1);
    if (found !== undefined) relinked.push({ seq: entry.seq, id: found.id, index });
  }
  return relinked;
}
