import type { LogEntry } from '../../mocks/http/log.ts';
import { nameOf } from '../../mocks/model/item-name.ts';
import { textOf, type SimulatorItem } from '../../mocks/wire/item.ts';
import { letterOf } from '../../mocks/wire/outline.ts';

/** The subject of a matcher: a simulator, or some entries of its log, oldest first. */
export type ModelRequests = { readonly log: readonly LogEntry[] } | readonly LogEntry[];

/** The result of a matcher, as vitest and jest want it. */
export interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

/**
 * The types of the matchers, for the test runner's own interface of matchers.
 * @example
 * import type { SimulatorMatchers } from 'agents-hybrid-session/testing';
 * declare module 'vitest' {
 *   interface Matchers<T> extends SimulatorMatchers<T> {}
 * }
 */
export interface SimulatorMatchers<R = unknown> {
  /** The newest request showed the model items with these texts, in this order. */
  toHaveSeen(...texts: readonly (string | RegExp)[]): R;
  /** The newest request lacks an item (with this text) that an earlier request showed the model, or that it answered. */
  toHaveLost(text?: string | RegExp): R;
}

/** An answered request of the model. */
interface Answered {
  readonly context: readonly SimulatorItem[];
  readonly output: readonly SimulatorItem[];
}

/**
 * Matchers for vitest and jest about the model's context in a simulator. Both look at its newest request. Of several
 * dialogues in one simulator, give the log entries of one: `expect(simulator.log.filter(...)).not.toHaveLost()`.
 * @throws TypeError for a subject that is no simulator and no log, or in which no request reached the model.
 * @example
 * expect.extend(simulatorMatchers);
 * expect(simulator).toHaveSeen('my name is Ada', /Answer 1/);
 * expect(simulator).not.toHaveLost();
 */
export const simulatorMatchers = {
  toHaveSeen(received: ModelRequests, ...texts: readonly (string | RegExp)[]): MatcherResult {
    const { context } = newest(entriesOf(received));
    const missing = firstMissing(context, texts);
    return {
      pass: missing === undefined,
      message: () =>
        missing === undefined
          ? `The model saw ${texts.join(', ')} in ${names(context)}`
          : `The model did not see ${String(missing)}${texts.length > 1 ? ' there' : ''} in ${names(context)}`,
    };
  },
  toHaveLost(received: ModelRequests, text?: string | RegExp): MatcherResult {
    const entries = entriesOf(received);
    const { context } = newest(entries);
    const all = lostItems(entries.slice(0, -1), context);
    const lost = text === undefined ? all : all.filter((item) => has(item, text));
    const wanted = text === undefined ? 'any item' : String(text);
    return {
      pass: lost.length > 0,
      message: () =>
        lost.length > 0
          ? `The model lost ${names(lost)}; it saw ${names(context)}`
          : `The model did not lose ${wanted}; it lost ${names(all)}, and saw ${names(context)}`,
    };
  },
};

function entriesOf(received: ModelRequests): Answered[] {
  const log = isLog(received) ? received : received?.log;
  if (!isLog(log)) throw new TypeError('Expected a simulator, or entries of its log');
  return log.flatMap(({ context, output }) => (context && output ? [{ context, output }] : []));
}

function isLog(value: unknown): value is readonly LogEntry[] {
  return Array.isArray(value);
}

function newest(entries: readonly Answered[]): Answered {
  const entry = entries.at(-1);
  if (entry === undefined) throw new TypeError('No request of this log reached the model');
  return entry;
}

/** The first of the texts that no item after those of the texts before it has. */
function firstMissing(
  context: readonly SimulatorItem[],
  texts: readonly (string | RegExp)[],
): string | RegExp | undefined {
  let from = 0;
  return texts.find((text) => {
    const at = context.findIndex((item, index) => index >= from && has(item, text));
    from = at + 1;
    return at === -1;
  });
}

function has(item: SimulatorItem, text: string | RegExp): boolean {
  const own = textOf(item);
  return typeof text === 'string' ? own.includes(text) : own.search(text) !== -1;
}

/** The items of earlier requests that a context lacks. Equal items are counted: one of two copies may be lost. */
function lostItems(earlier: readonly Answered[], context: readonly SimulatorItem[]): SimulatorItem[] {
  const compaction = context.findLast((item) => letterOf(item) === 'x');
  const present = countedKeys(context);
  const found = new Map<string, SimulatorItem>();
  for (const entry of earlier) {
    for (const [key, item] of countedKeys(knownSince(entry, compaction)))
      if (!present.has(key)) found.set(key, item);
  }
  return [...found.values()];
}

/** The items of a request that a later one must show; those in the later one's compaction are not among them. */
function knownSince({ context, output }: Answered, compaction: SimulatorItem | undefined): SimulatorItem[] {
  if (compaction === undefined) return [...context, ...output];
  const isCompaction = (item: SimulatorItem): boolean =>
    item['encrypted_content'] === compaction['encrypted_content'];
  const made = output.findIndex(isCompaction);
  if (made !== -1) return output.slice(made);
  const given = context.findIndex(isCompaction);
  return given === -1 ? [] : [...context.slice(given), ...output];
}

/** The items by their content and their number among equal ones. Thoughts and instructions come and go with a request. */
function countedKeys(items: readonly SimulatorItem[]): Map<string, SimulatorItem> {
  const keys = new Map<string, SimulatorItem>();
  for (const item of items) {
    const letter = letterOf(item);
    if (letter === 't' || letter === 's' || letter === 'd') continue;
    const content =
      letter === 'x' ? item['encrypted_content'] : [item['name'], item['call_id'], textOf(item)];
    let number = 0;
    let key = '';
    do key = JSON.stringify([letter, content, (number += 1)]);
    while (keys.has(key));
    keys.set(key, item);
  }
  return keys;
}

function names(items: readonly SimulatorItem[]): string {
  return items.length === 0 ? 'nothing' : items.map(nameOf).join(', ');
}
