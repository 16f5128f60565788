import { NAMED_FIRST, NAMED_LAST, nameOf } from './item-name.ts';
import { decryptedContent, encryptedContent } from '../wire/encrypted-content.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { isJsonObject } from '../wire/json.ts';

/** The content of a compaction: all that the simulated model knows of the items in it. */
interface Summary {
  /** A response made it while it answered, or on a trigger; or `/responses/compact` made it. */
  readonly origin: 'response' | 'endpoint';
  /** A name for each item, oldest first; of a long history the middle ones are letters alone. */
  readonly names: readonly string[];
  /** How many of the newest items the model sees beside the compaction, in the turn that made it. */
  readonly kept: number;
}

/**
 * A compaction of a whole context. Its content tells no IDs: equal contexts have equal compactions.
 * @param mint makes an ID for a prefix.
 */
export function compactionOf(
  context: readonly SimulatorItem[],
  { origin, kept }: Pick<Summary, 'origin' | 'kept'>,
  mint: (prefix: string) => string,
): SimulatorItem {
  const { folded, later } = knownItems(context);
  const names = [...folded, ...later.map(nameOf)].map((name, index, all) =>
    index < NAMED_FIRST || index >= all.length - NAMED_LAST ? name : name.charAt(0),
  );
  const summary: Summary = { origin, names, kept };
  return Object.freeze({
    id: mint('cmp'),
    type: 'compaction',
    encrypted_content: encryptedContent(JSON.stringify(summary)),
  });
}

/**
 * The names of the items that a compaction stands for, oldest first: `u "hi"`, `a1`, `u "thanks"`. Each begins with the
 * letter of its item, and of a long history the middle ones are letters alone. `undefined` if the item is no compaction
 * of the simulator.
 */
export function foldedItems(item: object): readonly string[] | undefined {
  return summaryIn(item)?.names;
}

/**
 * The part of a context that a model reads: a compaction that a response made, with the items after it, or everything.
 * One that `/responses/compact` made hides nothing.
 */
export function sinceCompaction(context: readonly SimulatorItem[]): readonly SimulatorItem[] {
  const latest = context.findLastIndex((item) => summaryIn(item)?.origin === 'response');
  return latest === -1 ? context : context.slice(latest);
}

/** All that a model knows, each item once. */
export interface KnownItems {
  /** The names of the items in the latest compaction, which are all items before it. */
  readonly folded: readonly string[];
  /** The items that are in no compaction. */
  readonly later: readonly SimulatorItem[];
}

/** Tells the items in a compaction from those beside it. */
export function knownItems(context: readonly SimulatorItem[]): KnownItems {
  const latest = context.findLastIndex((item) => summaryIn(item) !== undefined);
  const summary = summaryIn(context[latest] ?? {});
  if (!summary) return { folded: [], later: context };
  const { names, kept } = summary;
  const newest = context[latest + kept];
  const isOwnTurn = newest !== undefined && nameOf(newest) === names.at(-1);
  return { folded: names, later: context.slice(latest + (isOwnTurn ? kept : 0) + 1) };
}

function summaryIn(item: object): Summary | undefined {
  if (!('type' in item) || item.type !== 'compaction' || !('encrypted_content' in item)) return undefined;
  const text = decryptedContent(item.encrypted_content);
  return text === undefined ? undefined : parsedSummary(text);
}

function parsedSummary(text: string): Summary | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    const { origin, names, kept } = value;
    const isOrigin = origin === 'response' || origin === 'endpoint';
    const areNames = Array.isArray(names) && names.every((name) => typeof name === 'string');
    return isOrigin && areNames && typeof kept === 'number' ? { origin, names, kept } : undefined;
  } catch {
    return undefined;
  }
}
