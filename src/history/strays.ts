import { itemDigest } from '../ledger/digest.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { ListedItem, Match } from './listed-item.ts';
import { contentKey } from './restore.ts';

/** An item in the list that an earlier try to write an entry left there. */
export interface Stray {
  readonly seq: number;
  readonly id: string;
}

/**
 * Finds what earlier tries to write an entry have left in the list, by what a model reads of it and by where it stands:
 * behind what was there before those tries, and before what was written after them. Pure.
 *
 * @param strangers what is in the list and no entry's.
 * @param anchors entries that are in the list, in the order of both.
 */
export function findStrays(
  { ghosts, entries }: LedgerState,
  strangers: readonly { readonly position: number; readonly listed: ListedItem }[],
  anchors: readonly Match[],
): Stray[] {
  if (ghosts.size === 0 || strangers.length === 0) return [];
  const seqs = [...ghosts.keys()];
  const [oldest, newest] = [Math.min(...seqs), Math.max(...seqs)];
  const seqOf = ({ index }: Match): number => entries[index]?.seq ?? -1;
  const from = anchors.findLast((anchor) => seqOf(anchor) < oldest)?.position ?? -1;
  const to = anchors.find((anchor) => seqOf(anchor) > newest)?.position ?? Number.POSITIVE_INFINITY;
  const free = strangers.filter(({ position }) => position > from && position < to);
  return [...ghosts].flatMap(([seq, { digest, id, copies }]) => {
    const alike = free.filter(({ listed }) => {
      const own = itemDigest(listed.item);
      return own === digest && (digest !== null || contentKey(null, listed.id) === contentKey(null, id));
    });
    const taken = alike.slice(0, copies);
    for (const one of taken) free.splice(free.indexOf(one), 1);
    return taken.map(({ listed }) => ({ seq, id: listed.id }));
  });
}
