import { itemDigest } from '../ledger/digest.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { ListedItem, Match } from './listed-item.ts';

/** An item in the list that an earlier try to write an entry left there. */
export interface Stray {
  readonly seq: number;
  readonly id: string;
}

/**
 * Finds what earlier tries to write an entry have left in the list, by what a model reads of it and by where it stands:
 * before what the last try wrote. Pure.
 *
 * @param strangers what is in the list and no entry's, in its order.
 * @param matched entries that are in the list.
 */
export function findStrays(
  { ghosts, entries }: LedgerState,
  strangers: readonly { readonly position: number; readonly listed: ListedItem }[],
  matched: readonly Match[],
): Stray[] {
  if (ghosts.size === 0 || strangers.length === 0) return [];
  const positions = new Map(matched.map(({ index, position }) => [entries[index]?.seq, position]));
  const free = strangers.map(({ position, listed }) => ({
    position,
    id: listed.id,
    digest: itemDigest(listed.item),
  }));
  return [...ghosts].flatMap(([seq, { digest, id, copies }]) => {
    const own = positions.get(seq) ?? Number.POSITIVE_INFINITY;
    const taken = free
      .filter((one) => one.position < own && one.digest === digest && (digest !== null || one.id === id))
      .slice(0, copies);
    for (const one of taken) free.splice(free.indexOf(one), 1);
    return taken.map((one) => ({ seq, id: one.id }));
  });
}
