import { EMPTY_DIGEST, extendDigest, itemDigest } from '../ledger/digest.ts';
import { align } from './align.ts';
import type { ListedItem } from './listed-item.ts';

/** How many items a search looks at: a few hundredths of a second. */
const MOST_STEPS = 20_000;

/** What a history has to be to be the one that a ledger's head describes. */
export interface HistoryProof {
  readonly length: number;
  readonly digest: string;
}

/** An item that belongs to the history, and those before it. */
interface Taken {
  readonly item: ListedItem;
  readonly before: Taken | undefined;
}

/** What the items before one would come to, some of them left out. */
interface Branch {
  readonly at: number;
  readonly context: string;
  readonly taken: Taken | undefined;
}

/**
 * The history that a head describes, put together from the list and from the context of its newest response. Pure.
 *
 * Tried in turn: the list as it is, the response's context as it is, and both together, where what only one of them has
 * stands at its place; at last without some of what only the response has, which may have left the history since. The
 * digest tells which one is right.
 *
 * @returns undefined when none is.
 */
export function matchBase(
  proof: HistoryProof,
  list: readonly ListedItem[],
  context: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  const candidates = [() => list, () => context, () => merged(context, list), () => merged(list, context)];
  for (const candidate of candidates) {
    const found = proven(proof, candidate());
    if (found !== undefined) return listed(found, list);
  }
  const found = searched(proof, merged(context, list), list) ?? searched(proof, merged(list, context), list);
  return found === undefined ? undefined : listed(found, list);
}

/** Tries which of the items that are not in the list belong to the history, as far as that comes to an end. */
function searched(
  { digest }: HistoryProof,
  items: readonly ListedItem[],
  list: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  const positions = align(keysOf(items), keysOf(list));
  const digests = items.map(({ item }) => itemDigest(item));
  // Not by recursion: a context may be longer than a stack is deep.
  const open: Branch[] = [{ at: 0, context: EMPTY_DIGEST, taken: undefined }];
  for (let steps = 0; steps < MOST_STEPS; steps += 1) {
    const branch = open.pop();
    if (branch === undefined) return undefined;
    const { at, context, taken } = branch;
    if (taken !== undefined && context === digest) return pathTo(taken);
    const item = items[at];
    if (item === undefined) continue;
    open.push({
      at: at + 1,
      context: extendDigest(context, digests[at] ?? null),
      taken: { item, before: taken },
    });
    if (positions[at] === undefined) open.push({ at: at + 1, context, taken });
  }
  return undefined;
}

function pathTo(last: Taken): readonly ListedItem[] {
  const path: ListedItem[] = [];
  for (let one: Taken | undefined = last; one !== undefined; one = one.before) path.push(one.item);
  return path.toReversed();
}

/** The items under the IDs that they have in the list; what the list has lost keeps the ID it was found under. */
function listed(items: readonly ListedItem[], list: readonly ListedItem[]): ListedItem[] {
  const positions = align(keysOf(items), keysOf(list));
  return items.map((one, index) => {
    const position = positions[index];
    return (position === undefined ? undefined : list[position]) ?? one;
  });
}

/** The candidate, or its beginning, if its digest is the one; reasoning, which no digest covers, may be more or less. */
function proven(
  { length, digest }: HistoryProof,
  items: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  if (digest === EMPTY_DIGEST && length === 0) return [];
  let context = EMPTY_DIGEST;
  for (const [index, { item }] of items.entries()) {
    context = extendDigest(context, itemDigest(item));
    if (context === digest) return items.slice(0, endOf(items, index));
  }
  return undefined;
}

function endOf(items: readonly ListedItem[], index: number): number {
  let end = index + 1;
  while (items[end]?.item.type === 'reasoning') end += 1;
  return end;
}

/** Both in one order: what they share stands where it stands in both; between, first what only `second` has. */
function merged(first: readonly ListedItem[], second: readonly ListedItem[]): ListedItem[] {
  const positions = align(keysOf(first), keysOf(second));
  const result: ListedItem[] = [];
  let from = 0;
  for (const [index, one] of first.entries()) {
    const position = positions[index];
    if (position === undefined) {
      result.push(one);
      continue;
    }
    result.push(...second.slice(from, position + 1));
    from = position + 1;
  }
  return [...result, ...second.slice(from)];
}

function keysOf(items: readonly ListedItem[]): string[] {
  return items.map(({ item, id }) => itemDigest(item) ?? `id ${id}`);
}
