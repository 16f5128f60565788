import type { AgentInputItem } from '@openai/agents';
import { canonicalForm, EMPTY_DIGEST, extendDigest, itemDigest } from '../items/digest.ts';
import { kindOf } from '../items/read-item.ts';
import { callKey } from '../items/tool-calls.ts';
import { align } from '../util/align.ts';
import type { ListedItem } from '../conversation/items.ts';

/** The limit of a search, in items: a few hundredths of a second. */
const MAX_SEARCH_STEPS = 20_000;

/** Whether a digest is the digest of the wanted history. */
export type IsProven = (digest: string) => boolean;

/** An item of the history, and the items before it. */
interface Taken {
  readonly item: ListedItem;
  readonly before: Taken | undefined;
}

/** The digest of the items before an index, without some of them. */
interface Branch {
  readonly at: number;
  readonly context: string;
  readonly taken: Taken | undefined;
}

/**
 * Finds the history of a digest in the list and the context of the newest response. Pure.
 *
 * Tries the list, the context, and both merged; at last without some items that only the context has, because they may have
 * left the history since. The digest decides. Pages of a list may overlap: then each item counts once, if the list as it is proves
 * nothing.
 *
 * @returns undefined when no candidate has the digest.
 */
export function matchHistory(
  isProven: IsProven,
  list: readonly ListedItem[],
  context: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  const once = [...new Map(list.map((one) => [one.id, one])).values()];
  return (
    matchList(isProven, list, context) ??
    (once.length < list.length ? matchList(isProven, once, context) : undefined)
  );
}

function matchList(
  isProven: IsProven,
  list: readonly ListedItem[],
  context: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  const found = proven(isProven, list) ?? proven(isProven, context) ?? matchBoth(isProven, list, context);
  return found === undefined ? undefined : listed(found, list);
}

function matchBoth(
  isProven: IsProven,
  list: readonly ListedItem[],
  context: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  const [first, second] = [mergeLists(context, list), mergeLists(list, context)];
  return (
    proven(isProven, first) ??
    proven(isProven, second) ??
    searched(isProven, first, list) ??
    searched(isProven, second, list)
  );
}

/** Searches for the items outside the list that belong to the history, within `MAX_SEARCH_STEPS`. */
function searched(
  isProven: IsProven,
  items: readonly ListedItem[],
  list: readonly ListedItem[],
): readonly ListedItem[] | undefined {
  const positions = align(...keysOf(items, list));
  const digests = items.map(({ item }) => itemDigest(item));
  // Recursion would overflow the stack in a long context.
  const open: Branch[] = [{ at: 0, context: EMPTY_DIGEST, taken: undefined }];
  for (let steps = 0; steps < MAX_SEARCH_STEPS; steps += 1) {
    const branch = open.pop();
    if (branch === undefined) return undefined;
    const { at, context, taken } = branch;
    if (taken !== undefined && isProven(context)) return pathTo(taken);
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

/**
 * The items with their IDs in the list; a lost item keeps its ID in the context. A list may show items in another order, but an item
 * behind one that is not in the history may be another writer's. An item that the list shows in another form keeps its own content.
 */
function listed(items: readonly ListedItem[], list: readonly ListedItem[]): ListedItem[] {
  const [keys, shown] = keysOf(items, list);
  const known = new Set(keys);
  const isForeign = shown.map((key) => !known.has(key));
  const positions = withoutForeignTurns(items, align(keys, shown), isForeign);
  const aligned = new Set(
    positions.map((position) => (position === undefined ? undefined : list[position]?.id)),
  );
  const foreign = isForeign.indexOf(true);
  const moved = new Map<string, ListedItem[]>();
  for (const [position, one] of list.slice(0, foreign === -1 ? undefined : foreign).entries()) {
    const key = shown[position];
    if (key === undefined || aligned.has(one.id)) continue;
    const same = moved.get(key);
    if (same === undefined) moved.set(key, [one]);
    else same.push(one);
  }
  return items.map((one, index) => {
    const position = positions[index];
    const found = position === undefined ? moved.get(keys[index] ?? '')?.shift() : list[position];
    if (found === undefined) return one;
    return itemDigest(found.item) === itemDigest(one.item) ? found : { id: found.id, item: one.item };
  });
}

/**
 * Positions without those of equal items in turns of another writer: the items of a turn are written together, so an answer behind
 * another writer's question belongs to that question.
 */
function withoutForeignTurns(
  items: readonly ListedItem[],
  positions: readonly (number | undefined)[],
  isForeign: readonly boolean[],
): (number | undefined)[] {
  let before = -1;
  let isOther = false;
  return positions.map((position, index) => {
    const item = items[index]?.item;
    if (position === undefined || item === undefined) return undefined;
    isOther ||= isForeign.slice(before + 1, position).includes(true);
    isOther &&= kindOf(item) !== 'message:user';
    before = position;
    return isOther ? undefined : position;
  });
}

/** The candidate, or its beginning, if it has the digest; no digest covers reasoning. */
function proven(isProven: IsProven, items: readonly ListedItem[]): readonly ListedItem[] | undefined {
  let context = EMPTY_DIGEST;
  if (isProven(context)) return [];
  for (const [index, { item }] of items.entries()) {
    context = extendDigest(context, itemDigest(item));
    if (isProven(context)) return items.slice(0, endOf(items, index));
  }
  return undefined;
}

function endOf(items: readonly ListedItem[], index: number): number {
  let end = index + 1;
  while (items[end]?.item.type === 'reasoning') end += 1;
  return end;
}

/** Merges two lists in order: between shared items, the items of `second` come first. */
export function mergeLists(first: readonly ListedItem[], second: readonly ListedItem[]): ListedItem[] {
  const positions = align(...keysOf(first, second));
  const result: ListedItem[] = [];
  let from = 0;
  for (const [index, one] of first.entries()) {
    const position = positions[index];
    if (position === undefined) {
      result.push(one);
      continue;
    }
    // `push(...items)` would exceed the limit of arguments.
    for (const other of second.slice(from, position + 1)) result.push(other);
    from = position + 1;
  }
  return [...result, ...second.slice(from)];
}

/**
 * The keys by which the items of two lists are compared: what a model reads, without differences of blanks, because a server may trim
 * a text. Calls and results have their call ID, because it may write their arguments or output in another form; unless a list has the
 * ID twice.
 */
function keysOf(first: readonly ListedItem[], second: readonly ListedItem[]): [string[], string[]] {
  const calls = [first.map(({ item }) => callKey(item)), second.map(({ item }) => callKey(item))] as const;
  const repeated = new Set(calls.flatMap((ids) => repeatedIn(ids)));
  const keys = (items: readonly ListedItem[], ids: readonly (string | undefined)[]): string[] =>
    items.map(({ item, id }, index) => {
      const call = ids[index];
      return call !== undefined && !repeated.has(call) ? call : (trimmedForm(item) ?? `id ${id}`);
    });
  return [keys(first, calls[0]), keys(second, calls[1])];
}

/** The canonical form with texts of one form; undefined for reasoning. */
function trimmedForm(item: AgentInputItem): string | undefined {
  return JSON.stringify(canonicalForm(item), (_field, value: unknown) =>
    typeof value === 'string' ? value.normalize().replaceAll(/\s+/gu, ' ').trim() : value,
  );
}

function repeatedIn(ids: readonly (string | undefined)[]): (string | undefined)[] {
  const seen = new Set<string | undefined>();
  return ids.filter((id) => seen.size === seen.add(id).size);
}
