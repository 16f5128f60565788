import { kindOf } from '../ledger/canonical-form.ts';
import { itemDigest } from '../ledger/digest.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { Finding, FindingKind } from './finding.ts';
import type { ListedItem, Match } from './listed-item.ts';
import { longestIncreasing } from './longest-increasing.ts';
import { relink, type IsTried, type Relinked } from './relink.ts';
import { findStrays, type Stray } from './strays.ts';

/** An item that another writer put in the list, and where it belongs. */
export interface ForeignItem extends ListedItem {
  /** The position in the history before which it stands. */
  readonly index: number;
}

/** What the list says about the ledger. */
export interface Reconciliation {
  readonly findings: readonly Finding[];
  /** Entries that turn out to be in the conversation already: a write whose answer got lost. */
  readonly relinked: readonly Relinked[];
  /** IDs of entries that are in the conversation already, but before one that is still to be written. */
  readonly misplaced: readonly string[];
  /** What left the history while its write was under way, and turns out to be in the conversation. */
  readonly dropped: readonly Relinked[];
  /** What earlier tries to write an entry have left in the list. */
  readonly strays: readonly Stray[];
  /** Without what may be an item whose write has no answer yet: once that is recorded, it is known whose it is. */
  readonly foreign: readonly ForeignItem[];
}

/** Where each ID that the conversation should hold stands in the history: twice, if it was written twice. */
type Places = Map<string, number[]>;

interface Compared {
  /** In both, in the order of the list. */
  readonly matched: readonly Match[];
  /** In the list alone. */
  readonly strangers: readonly { readonly position: number; readonly listed: ListedItem }[];
  /** The first copy too many of an item. */
  readonly surplus: readonly ListedItem[];
}

/**
 * Compares the ledger with the conversation's list, oldest first. Pure: the same two give the same answer.
 *
 * Items are the same by ID; an entry whose ID in the conversation is not known yet is found by its digest.
 *
 * @param isTried default: no write is under way, and none has lost its answer.
 */
export function reconcile(
  state: LedgerState,
  list: readonly ListedItem[],
  isTried: IsTried = () => false,
): Reconciliation {
  const known: Places = new Map();
  state.entries.forEach(({ mirrorId }, index) => {
    if (mirrorId !== undefined) place(known, mirrorId, index);
  });
  const inBoth = inOrder(compare(state, list, known).matched);
  const { relinked, misplaced, dropped, unclear } = relink(state, list, known, inBoth, isTried);
  for (const { id, index } of relinked) place(known, id, index);

  const leaving = new Set([...misplaced, ...dropped.map(({ id }) => id)]);
  const staying = list.filter(({ id }) => !leaving.has(id));
  const { matched, strangers, surplus } = compare(state, staying, known);
  const anchors = inOrder(matched);
  // Behind everything the conversation holds, before what is still to be written there.
  const written = new Set(relinked.map(({ seq }) => seq));
  const end =
    state.entries.findLastIndex(({ seq, mirrorId }) => mirrorId !== undefined || written.has(seq)) + 1;
  const strays = findStrays(state, strangers, matched);
  const stray = new Set(strays.map(({ id }) => id));
  const own = strangers.filter(({ listed }) => !stray.has(listed.id));
  const foreign = own.map(({ position, listed }): ForeignItem => {
    const next = anchors.find((anchor) => anchor.position > position);
    return { ...listed, index: next?.index ?? end };
  });
  const findings: Finding[] = [
    ...altered(state, staying, matched),
    ...reordered(state, matched, anchors),
    ...lost(state, staying),
    ...foreign.map(({ id, item, index }) => finding('foreign', id, kindOf(item), index)),
    ...[...surplus, ...strangers.flatMap(({ listed }) => (stray.has(listed.id) ? [listed] : []))].map(
      ({ id, item }) => {
        const index = known.get(id)?.[0] ?? foreign.find((one) => one.id === id)?.index ?? end;
        return finding('duplicated', id, kindOf(item), index);
      },
    ),
  ];
  return {
    findings,
    relinked: relinked.map(({ seq, id }) => ({ seq, id })),
    misplaced,
    dropped,
    strays,
    foreign: foreign.filter(({ id }) => !unclear.has(id)),
  };
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
    // What was removed is on its way out of the conversation.
    else if (state.removed.has(listed.id)) return;
    else if (places === undefined && nth === 0) strangers.push({ position, listed });
    else if (nth === (places?.length ?? 1)) surplus.push(listed);
  });
  return { matched, strangers, surplus };
}

/** The matches that stayed in order when everything else moved. */
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

function lost(state: LedgerState, list: readonly ListedItem[]): Finding[] {
  const listed = new Set(list.map(({ id }) => id));
  return state.entries.flatMap(({ mirrorId, kind }, index) =>
    mirrorId === undefined || listed.has(mirrorId) ? [] : [finding('lost', mirrorId, kind, index)],
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
