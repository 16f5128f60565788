import { kindOf } from '../items/read-item.ts';
import { itemDigest } from '../items/digest.ts';
import { callKey } from '../items/tool-calls.ts';
import type { LedgerState } from '../ledger/state.ts';
import type { ListedItem, Match } from '../conversation/items.ts';
import { longestIncreasing } from '../util/align.ts';
import {
  findUnacknowledgedWrites,
  type MayBeSent,
  type MayBeWritten,
  type FoundWrite,
} from './unacknowledged-writes.ts';
import { findRelisted } from './relisted.ts';
import { findDuplicateWrites, type DuplicateWrite, ownWrites, type UnknownItem } from './duplicate-writes.ts';

/** An item of another writer, and its place in the history. */
export interface ForeignItem extends ListedItem {
  /** The index of the entry that follows it. */
  readonly index: number;
}

/** The differences between the list and the ledger. */
export interface ListComparison {
  readonly findings: readonly Finding[];
  /** Unacknowledged writes that were applied, and items with another ID in the conversation than the ledger assumed. */
  readonly acknowledged: readonly FoundWrite[];
  /** IDs of applied writes that precede a pending entry: they have to be written again. */
  readonly misplaced: readonly string[];
  /** Applied writes of entries that left the history meanwhile. */
  readonly dropped: readonly FoundWrite[];
  /** Other items that the API linked under the ID of a sent entry: they have to be removed. */
  readonly mislinked: readonly FoundWrite[];
  /** Duplicates from earlier writes of an entry. */
  readonly duplicateWrites: readonly DuplicateWrite[];
  /** IDs of the items of a request that the network delivered twice. */
  readonly repeated: readonly string[];
  /** Items of other writers, without those that may be the result of an unacknowledged write. */
  readonly foreign: readonly ForeignItem[];
}

/** The indexes of each ID in the history; two if it was written twice. */
type Places = Map<string, number[]>;

interface Compared {
  /** In both, in the order of the list. */
  readonly matched: readonly Match[];
  /** In the list alone. */
  readonly strangers: readonly { readonly position: number; readonly listed: ListedItem }[];
  /** The first surplus copy of each item. */
  readonly surplus: readonly ListedItem[];
}

/**
 * Compares the ledger with the conversation's list, oldest first. Pure.
 *
 * Items are matched by ID; an entry without a known ID is matched by its digest.
 *
 * @param isTried default: no write is in progress or unacknowledged.
 * @param isSent default: no pending entry was sent.
 */
export function compareList(
  state: LedgerState,
  list: readonly ListedItem[],
  isTried: MayBeWritten = () => false,
  isSent: MayBeSent = () => false,
): ListComparison {
  const known: Places = new Map();
  state.entries.forEach(({ mirrorId }, index) => {
    if (mirrorId !== undefined) place(known, mirrorId, index);
  });
  const before = compare(state, list, known);
  const relisted = findRelisted(state, before.strangers, inOrder(before.matched));
  for (const { id, index } of relisted) place(known, id, index);
  const inBoth =
    relisted.length === 0 ? inOrder(before.matched) : inOrder(compare(state, list, known).matched);
  const { found, misplaced, dropped, ambiguous, mislinked } = findUnacknowledgedWrites(
    state,
    list,
    known,
    inBoth,
    isTried,
    isSent,
  );
  for (const { id, index } of found) place(known, id, index);

  const leaving = new Set([...misplaced, ...[...dropped, ...mislinked].map(({ id }) => id)]);
  const staying = list.filter(({ id }) => !leaving.has(id));
  const { matched, strangers, surplus } = compare(state, staying, known);
  const anchors = inOrder(matched);
  // After all items of the conversation, before all pending items.
  const written = new Set(found.map(({ seq }) => seq));
  const end =
    state.entries.findLastIndex(({ seq, mirrorId }) => mirrorId !== undefined || written.has(seq)) + 1;
  const duplicateWrites = findDuplicateWrites(state, strangers, matched);
  const stray = new Set(duplicateWrites.map(({ id }) => id));
  const unknown = strangers.filter(({ listed }) => !stray.has(listed.id));
  const repeated = findRepeated(state, unknown, matched);
  const copies = new Set([...stray, ...repeated]);
  let next = 0;
  const foreign = unknown
    .filter(({ listed }) => !copies.has(listed.id))
    .map(({ position, listed }): ForeignItem => {
      // Both are in the order of the list.
      while ((anchors[next]?.position ?? Number.POSITIVE_INFINITY) <= position) next += 1;
      return { ...listed, index: anchors[next]?.index ?? end };
    });
  const foreignIndexes = new Map(foreign.map(({ id, index }) => [id, index]));
  const findings: Finding[] = [
    ...altered(state, staying, matched),
    ...reordered(state, matched, anchors),
    ...lost(state, staying, new Set(relisted.map(({ seq }) => seq))),
    ...foreign.map(({ id, item, index }) => finding('foreign', id, kindOf(item), index)),
    ...[...surplus, ...strangers.flatMap(({ listed }) => (copies.has(listed.id) ? [listed] : []))].map(
      ({ id, item }) => {
        const index = known.get(id)?.[0] ?? foreignIndexes.get(id) ?? end;
        return finding('duplicated', id, kindOf(item), index);
      },
    ),
  ];
  return {
    findings,
    acknowledged: [...relisted, ...found].map(({ seq, id }) => ({ seq, id })),
    misplaced,
    dropped,
    mislinked: mislinked,
    duplicateWrites,
    repeated,
    foreign: withoutOwnCalls(
      foreign.filter(({ id }) => !ambiguous.has(id)),
      state,
    ),
  };
}

/** Without calls and results that the history has: a server may show a write in another form, and no call has two results. */
function withoutOwnCalls(foreign: readonly ForeignItem[], { entries }: LedgerState): readonly ForeignItem[] {
  if (foreign.every(({ item }) => callKey(item) === undefined)) return foreign;
  const own = new Set(entries.map(({ item }) => (item === undefined ? undefined : callKey(item))));
  return foreign.filter(({ item }) => callKey(item) === undefined || !own.has(callKey(item)));
}

function compare(state: LedgerState, list: readonly ListedItem[], known: Places): Compared {
  const matched: Match[] = [];
  const strangers: { position: number; listed: ListedItem }[] = [];
  const surplus: ListedItem[] = [];
  const seen = new Map<string, number>();
  list.forEach((listed, position) => {
    const nth = seen.get(listed.id) ?? 0;
    seen.set(listed.id, nth + 1);
    const places = known.get(listed.id);
    const index = places?.[nth];
    if (index !== undefined) matched.push({ position, index });
    // A removed item will leave the conversation.
    else if (state.removed.has(listed.id)) return;
    else if (places === undefined && nth === 0) strangers.push({ position, listed });
    else if (nth === (places?.length ?? 1)) surplus.push(listed);
  });
  return { matched, strangers, surplus };
}

/** The longest part of the matches that kept its order. */
function inOrder(matched: readonly Match[]): Match[] {
  const kept = longestIncreasing(matched.map(({ index }) => index));
  return matched.filter((_, at) => kept.has(at));
}

function altered(state: LedgerState, list: readonly ListedItem[], matched: readonly Match[]): Finding[] {
  return matched.flatMap(({ position, index }) => {
    const digest = state.entries[index]?.digest;
    const listed = list[position];
    if (digest === undefined || digest === null || listed === undefined) return [];
    if (digest === itemDigest(listed.item)) return [];
    return [finding('altered', listed.id, kindOf(listed.item), index)];
  });
}

function reordered(state: LedgerState, matched: readonly Match[], anchors: readonly Match[]): Finding[] {
  const kept = new Set(anchors.map(({ index }) => index));
  return matched.flatMap(({ index }) => {
    const entry = state.entries[index];
    if (kept.has(index) || entry?.mirrorId === undefined) return [];
    return [finding('reordered', entry.mirrorId, entry.kind, index)];
  });
}

function lost(state: LedgerState, list: readonly ListedItem[], relisted: ReadonlySet<number>): Finding[] {
  const listed = new Set(list.map(({ id }) => id));
  return state.entries.flatMap(({ seq, mirrorId, kind }, index) =>
    mirrorId === undefined || listed.has(mirrorId) || relisted.has(seq)
      ? []
      : [finding('lost', mirrorId, kind, index)],
  );
}

function place(known: Places, id: string, index: number): void {
  const places = known.get(id);
  if (places === undefined) known.set(id, [index]);
  else places.push(index);
}

function finding(type: FindingKind, id: string, kind: string, index: number): Finding {
  return { type, id, kind, index };
}

/** The kind of a difference between the ledger and the conversation's list. */
export type FindingKind = 'lost' | 'duplicated' | 'reordered' | 'foreign' | 'altered';

/**
 * One difference between ledger and list.
 *
 * `lost`: in the ledger and no longer in the list. `duplicated`: more than once in the list. `reordered`: in the list
 * at another place. `foreign`: in the list and not in the ledger, so it comes from another writer. `altered`: in the
 * list with other content.
 */
export interface Finding {
  readonly type: FindingKind;
  /** The item's ID in the conversation. */
  readonly id: string;
  /** The item's type, such as `message:assistant`. */
  readonly kind: string;
  /** Position in the history, counted from 0; for a foreign item the place where it was put. */
  readonly index: number;
}

/** A shorter request cannot be told from another writer's. */
const MIN_ITEMS = 2;

/**
 * Finds the items of a request that the network delivered twice: the API gave the IDs of one delivery, and the list holds both.
 * Pure.
 *
 * The second delivery has the digests of the whole request, in order, and stands next to the first one. Another writer may say
 * the same, so nothing is taken for a repetition while anyone else writes to the conversation. A request of one item cannot be
 * told from another writer's "yes": its second delivery is adopted.
 *
 * @param strangers items that are no entry's, in the order of the list.
 * @param matched entries that are in the list.
 * @returns the IDs of the second delivery.
 */
function findRepeated(
  state: LedgerState,
  strangers: readonly UnknownItem[],
  matched: readonly Match[],
): string[] {
  if (strangers.length === 0 || hasOtherWriters(state)) return [];
  const at = new Map(strangers.map((one) => [one.position, one.listed]));
  const copies = new Set<string>();
  for (const { first, digests } of requests(state, matched)) {
    if (digests.length < MIN_ITEMS) continue;
    for (const start of [first + digests.length, first - digests.length]) {
      const copy = digests.flatMap((digest, offset) => {
        const listed = at.get(start + offset);
        return listed !== undefined && itemDigest(listed.item) === digest ? [listed.id] : [];
      });
      if (copy.length === digests.length) for (const id of copy) copies.add(id);
    }
  }
  return copies.size === strangers.length ? [...copies] : [];
}

/** Whether the ledger took over items of another writer since the session began to write. */
function hasOtherWriters({ entries }: LedgerState): boolean {
  const begun = entries.findIndex(({ written }) => written !== undefined);
  return (
    begun !== -1 &&
    entries.slice(begun).some(({ mirrorId, written }) => mirrorId !== undefined && written === undefined)
  );
}

/** The items of one request that stand in the list one behind the other. */
interface ListedRequest {
  readonly commit: string;
  /** The position of the first one. */
  readonly first: number;
  readonly digests: (string | null)[];
}

function requests(state: LedgerState, matched: readonly Match[]): ListedRequest[] {
  const found: ListedRequest[] = [];
  for (const { entry, written, position } of ownWrites(state, matched)) {
    const last = found.at(-1);
    if (last?.commit === written.commit && last.first + last.digests.length === position)
      last.digests.push(entry.digest);
    else found.push({ commit: written.commit, first: position, digests: [entry.digest] });
  }
  return found;
}
