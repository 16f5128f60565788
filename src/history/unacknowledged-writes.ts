import type { AgentInputItem } from '@openai/agents';
import { kindOf } from '../items/read-item.ts';
import { isSameItem } from '../items/same-item.ts';
import { sentId } from '../ledger/mutable-state.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';
import type { ListedItem, Match } from '../conversation/items.ts';
import { itemDigest } from '../items/digest.ts';

/** An entry that the conversation already holds. */
export interface FoundWrite {
  readonly seq: number;
  readonly id: string;
}

/** Whether a write of a pending entry may be in progress or unacknowledged. */
export type MayBeWritten = (entry: LedgerEntry) => boolean;

/** Whether the entry of this sequence number may have been sent. */
export type MayBeSent = (seq: number) => boolean;

/** The results of unacknowledged writes in the list. */
export interface UnacknowledgedWrites {
  readonly found: readonly (FoundWrite & { readonly index: number })[];
  /** IDs of applied writes that precede a pending entry: they have to be written again after it. */
  readonly misplaced: readonly string[];
  /** Applied writes of entries that left the history meanwhile. */
  readonly dropped: readonly FoundWrite[];
  /**
   * IDs of items that match a pending write but cannot be its result because of their position: they were written by another
   * client or are listed out of order.
   */
  readonly ambiguous: ReadonlySet<string>;
  /** Other items that the API linked under the ID of a sent entry. */
  readonly mislinked: readonly FoundWrite[];
}

/**
 * Finds the applied writes that were not acknowledged, by digest.
 *
 * A write appends: an equal item before an item that the conversation already held comes from another writer.
 *
 * @param anchors known entries of the list, in the order of both.
 * @param isTried whether an entry may have been written.
 * @param isSent the same, without entries of which no request was sent.
 */
export function findUnacknowledgedWrites(
  state: LedgerState,
  list: readonly ListedItem[],
  known: ReadonlyMap<string, unknown>,
  anchors: readonly Match[],
  isTried: MayBeWritten,
  isSent: MayBeSent,
): UnacknowledgedWrites {
  if (state.unmirrored.size + state.dropped.size === 0)
    return { found: [], misplaced: [], dropped: [], ambiguous: new Set(), mislinked: [] };
  const strangers = new Map<string, { readonly item: AgentInputItem; readonly position: number }>();
  list.forEach(({ id, item }, position) => {
    if (!strangers.has(id) && !known.has(id) && !state.removed.has(id)) strangers.set(id, { item, position });
  });
  const mislinked = findMislinked(state, strangers, isSent);
  for (const { id } of mislinked) strangers.delete(id);
  const mistakenSeqs = new Set(mislinked.map(({ seq }) => seq));
  const others = answersToOthers(
    [...state.unmirrored.values(), ...state.dropped.values()],
    list.map((one) => (strangers.has(one.id) ? one : undefined)),
  );
  const free = groupEqualItems(Array.from(strangers, ([id, one]) => ({ id, ...one })));
  const indexes = new Map(state.entries.map((entry, index) => [entry.seq, index]));
  const found: (FoundWrite & { index: number })[] = [];
  const misplaced: string[] = [];
  const absent: LedgerEntry[] = [];
  let isWhole = true;
  const left = new Map<string, number>();
  for (const entry of state.unmirrored.values())
    left.set(equalityKey(entry), (left.get(equalityKey(entry)) ?? 0) + 1);
  /** The number of equal entries that are still to be found, with this one. */
  const wanted = (entry: LedgerEntry): number => left.get(equalityKey(entry)) ?? 1;
  for (const entry of state.unmirrored.values()) {
    const index = indexes.get(entry.seq);
    if (index === undefined) continue;
    const same = { digest: entry.digest, id: entry.link ?? entry.id };
    const alike = isOther(entry, strangers.get(same.id ?? '')) ? undefined : free.get(equalityKey(same));
    const behind = alike?.rankAfter(lastBefore(anchors, index)?.position ?? -1) ?? 0;
    const first = behind === alike?.size ? -1 : behind;
    // Of several copies, the last ones count: earlier ones are recorded as possible duplicates.
    const isGhost = alike !== undefined && state.possibleDuplicates.has(entry.seq);
    const taken = alike?.take(isGhost ? Math.max(first, alike.size - wanted(entry)) : first);
    left.set(equalityKey(entry), wanted(entry) - 1);
    const isLate = taken !== undefined && !isWhole;
    if (taken === undefined || (isLate && others.has(taken.id))) absent.push(entry);
    // Reasoning without an ID cannot be found, and its position does not matter.
    if (taken === undefined) isWhole &&= entry.digest === null;
    else if (isWhole) found.push({ seq: entry.seq, id: taken.id, index });
    else if (!others.has(taken.id)) misplaced.push(taken.id);
  }
  const dropped = [...state.dropped].flatMap(([seq, entry]) => {
    if (mistakenSeqs.has(seq)) return [];
    const taken = free.get(equalityKey(entry))?.take(0);
    return taken === undefined || others.has(taken.id) ? [] : [{ seq, id: taken.id }];
  });
  const unclear = absent.flatMap((entry) =>
    isTried(entry) ? (free.get(equalityKey(entry))?.take(0)?.id ?? []) : [],
  );
  return { found, misplaced, dropped, ambiguous: new Set(unclear), mislinked };
}

/**
 * The IDs of strangers behind a question that no write of ours asked: they answer another writer, also if they say the same as an
 * answer of ours. They are neither removed nor written again.
 *
 * @param strangers in the order of the list; undefined for known items between them.
 */
export function answersToOthers(
  writes: Iterable<Parameters<typeof equalityKey>[0]>,
  strangers: Iterable<ListedItem | undefined>,
): ReadonlySet<string> {
  const own = new Set(Array.from(writes, (write) => equalityKey(write)));
  const others = new Set<string>();
  let isOther = false;
  for (const stranger of strangers) {
    if (stranger === undefined) isOther = false;
    else if (kindOf(stranger.item) === 'message:user')
      isOther = !own.has(equalityKey({ digest: itemDigest(stranger.item), id: stranger.id }));
    else if (isOther) others.add(stranger.id);
  }
  return others;
}

/** Items with the ID of a sent entry and other content. */
function findMislinked(
  { unmirrored, dropped }: LedgerState,
  strangers: ReadonlyMap<string, { readonly item: AgentInputItem }>,
  isSent: MayBeSent,
): FoundWrite[] {
  const sent = [
    ...Array.from(unmirrored.values(), (entry) => ({ ...entry, sentId: sentId(entry) })),
    ...Array.from(dropped, ([seq, written]) => ({ ...written, seq, item: undefined })),
  ];
  return sent.flatMap(({ seq, digest, item, sentId: id }) => {
    const found = id === undefined ? undefined : strangers.get(id);
    if (id === undefined || found === undefined || isSameItem({ digest, item }, found.item)) return [];
    return isSent(seq) ? [{ seq, id }] : [];
  });
}

/** Whether an item with the ID of a reasoning entry has another text. */
function isOther(
  { digest, item }: LedgerEntry,
  found: { readonly item: AgentInputItem } | undefined,
): boolean {
  return digest === null && found !== undefined && !isSameItem({ digest, item }, found.item);
}

/** The last anchor before an index. */
function lastBefore(anchors: readonly Match[], index: number): Match | undefined {
  let [low, high] = [0, anchors.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((anchors[middle]?.index ?? 0) < index) low = middle + 1;
    else high = middle;
  }
  return anchors[low - 1];
}

/** A listed item without an entry. */
export interface UnmatchedItem {
  readonly id: string;
  /** In the list. */
  readonly position: number;
}

/**
 * Equal items in the order of the list, which are taken one by one. Each step takes logarithmic time: a list may hold the
 * same answer ten thousand times.
 */
export class UnmatchedItems {
  readonly #items: readonly UnmatchedItem[];
  /** The number of remaining items, as a Fenwick tree. */
  readonly #counts: number[];
  #size: number;

  /** @param items by ascending position. */
  constructor(items: readonly UnmatchedItem[]) {
    this.#items = items;
    this.#size = items.length;
    this.#counts = Array.from({ length: items.length + 1 }, (_, at) => at & -at);
  }

  /** The number of remaining items. */
  get size(): number {
    return this.#size;
  }

  /** The rank of the first remaining item after this position. */
  rankAfter(position: number): number {
    let [low, high] = [0, this.#items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Number(this.#items[middle]?.position) <= position) low = middle + 1;
      else high = middle;
    }
    let count = 0;
    for (let at = low; at > 0; at -= at & -at) count += Number(this.#counts[at]);
    return count;
  }

  /** Takes several items from this rank. */
  takeSome(rank: number, count: number): UnmatchedItem[] {
    return Array.from({ length: Math.max(0, count) }, () => this.take(rank)).filter(
      (one) => one !== undefined,
    );
  }

  /** Takes the remaining item of this rank, from 0; undefined if there is none. */
  take(rank: number): UnmatchedItem | undefined {
    if (rank < 0 || rank >= this.#size) return undefined;
    let at = 0;
    let left = rank;
    for (let step = 2 ** Math.floor(Math.log2(this.#items.length)); step >= 1; step /= 2) {
      const count = this.#counts[at + step];
      if (count === undefined || count > left) continue;
      at += step;
      left -= count;
    }
    for (let one = at + 1; one < this.#counts.length; one += one & -one)
      this.#counts[one] = Number(this.#counts[one]) - 1;
    this.#size -= 1;
    return this.#items[at];
  }
}

/** Groups listed items that are equal, by `equalityKey`. @param listed in the order of the list. */
export function groupEqualItems(
  listed: Iterable<ListedItem & { readonly position: number }>,
): Map<string, UnmatchedItems> {
  const groups = new Map<string, UnmatchedItem[]>();
  for (const { id, item, position } of listed) {
    const key = equalityKey({ digest: itemDigest(item), id });
    const alike = groups.get(key);
    if (alike === undefined) groups.set(key, [{ id, position }]);
    else alike.push({ id, position });
  }
  return new Map(Array.from(groups, ([key, alike]) => [key, new UnmatchedItems(alike)]));
}

/** The digest, or the ID of reasoning, which has no digest. */
export function equalityKey({
  digest,
  id,
}: {
  readonly digest: string | null;
  readonly id: string | undefined;
}): string {
  return digest ?? `id ${id ?? ''}`;
}
