import type { LedgerEntry, LedgerState, WrittenBy } from '../ledger/state.ts';
import { answersToOthers, equalityKey, groupEqualItems } from './unacknowledged-writes.ts';
import type { ListedItem, Match } from '../conversation/items.ts';

/** A listed item from an earlier write of an entry. */
export interface DuplicateWrite {
  readonly seq: number;
  readonly id: string;
}

/** A listed item without an entry, and its position in the list. */
export interface UnknownItem {
  readonly position: number;
  readonly listed: ListedItem;
}

/** A listed entry that a request of the session wrote. */
export interface OwnWrite {
  readonly entry: LedgerEntry;
  readonly written: WrittenBy;
  /** In the history. */
  readonly index: number;
  /** In the list. */
  readonly position: number;
}

/** A write without an answer may take effect this long after it was given up, in milliseconds. */
export const MAX_DELAY_MS = 600_000;

/**
 * Finds copies that writes without an answer left in the list. Pure.
 *
 * A copy has the digest of the written item. The conversation only grows at its end, so a copy stands behind every item that
 * was written before it, and before every item that was written more than `MAX_DELAY_MS` after it was given up.
 * At most as many copies are taken as writes are unresolved: an equal item of another writer beyond that is adopted.
 * Where the API linked another item in place of the sent one, that item has the ID that was sent, and stands anywhere.
 *
 * @param strangers items that are no entry's, in the order of the list.
 * @param matched entries that are in the list.
 */
export function findDuplicateWrites(
  state: LedgerState,
  strangers: readonly UnknownItem[],
  matched: readonly Match[],
): DuplicateWrite[] {
  const { possibleDuplicates } = state;
  if (possibleDuplicates.size === 0 || strangers.length === 0) return [];
  const linkable = new Set(strangers.map(({ listed }) => listed.id));
  const strays: DuplicateWrite[] = [];
  for (const [seq, { sentId }] of possibleDuplicates)
    if (sentId !== undefined && linkable.delete(sentId)) strays.push({ seq, id: sentId });
  const linked = new Set(strays.map(({ seq }) => seq));

  const others = answersToOthers(
    possibleDuplicates.values(),
    strangers.flatMap(({ position, listed }, at) =>
      strangers[at - 1]?.position === position - 1 ? [listed] : [undefined, listed],
    ),
  );
  const copies = groupEqualItems(
    strangers.flatMap(({ position, listed }) =>
      linkable.has(listed.id) && !others.has(listed.id) ? [{ ...listed, position }] : [],
    ),
  );
  const own = ownWrites(state, matched);
  const places = new Map(own.map(({ entry }, at) => [entry.seq, at]));
  for (const [seq, write] of possibleDuplicates) {
    const alike = copies.get(equalityKey(write));
    if (alike === undefined) continue;
    const after = lastBefore(own, places.get(seq), seq, possibleDuplicates);
    const late = own.find(({ written }) => written.time > write.time + MAX_DELAY_MS);
    const from = alike.rankAfter(after?.position ?? -1);
    const to = late === undefined ? alike.size : alike.rankAfter(late.position);
    const most = write.copies - Number(linked.has(seq));
    for (const { id } of alike.takeSome(from, Math.min(most, to - from))) strays.push({ seq, id });
  }
  return strays;
}

/** Listed entries that a request of the session wrote, in the order of the list. */
export function ownWrites({ entries }: LedgerState, matched: readonly Match[]): OwnWrite[] {
  return matched.flatMap(({ index, position }) => {
    const entry = entries[index];
    return entry?.written === undefined ? [] : [{ entry, written: entry.written, index, position }];
  });
}

/** The last item that the conversation held before an entry was written for the first time. */
function lastBefore(
  own: readonly OwnWrite[],
  place: number | undefined,
  seq: number,
  possibleDuplicates: LedgerState['possibleDuplicates'],
): OwnWrite | undefined {
  const index = place === undefined ? Number.POSITIVE_INFINITY : (own[place]?.index ?? 0);
  for (let at = (place ?? own.length) - 1; at >= 0; at -= 1) {
    const one = own[at];
    if (
      one !== undefined &&
      one.index < index &&
      one.entry.seq < seq &&
      !possibleDuplicates.has(one.entry.seq)
    )
      return one;
  }
  return undefined;
}
