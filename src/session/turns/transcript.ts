import { isSeen } from '../../ledger/view.ts';
import { turnsOf } from '../../history/turns.ts';
import type { AgentInputItem } from '@openai/agents';
import { InvalidOptionsError } from '../../errors/options.ts';
import type { SessionRuntime } from '../../runtime/runtime.ts';
import { isObject } from '../../util/json.ts';

/** The default number of items in a page. */
const PAGE = 100;

/**
 * A part of the transcript.
 *
 * @example
 * ```ts
 * const { items } = await session.transcript({ from: 200, limit: 50 });
 * ```
 */
export interface TranscriptOptions {
  /**
   * The index of the first item.
   *
   * @default 0
   */
  readonly from?: number | undefined;
  /**
   * The number of items.
   *
   * @default 100
   */
  readonly limit?: number | undefined;
}

/** One item of the transcript. */
export interface TranscriptItem {
  /** The position in the transcript, from 0. */
  readonly index: number;
  readonly item: AgentInputItem;
  /** The number of the turn that the item belongs to, from 0. */
  readonly turn: number;
  /** The name of that turn, as `turns()` has it. */
  readonly turnId: string;
  /** The last response of that turn; undefined if no response is recorded yet. */
  readonly responseId: string | undefined;
  /** The time of that response, in milliseconds since the epoch. */
  readonly time: number | undefined;
  /** Whether a model still sees the item; false if a compaction stands for it. */
  readonly seen: boolean;
}

/**
 * A page of the transcript.
 *
 * @example
 * ```ts
 * let from: number | undefined = 0;
 * while (from !== undefined) {
 *   const page = await session.transcript({ from });
 *   for (const { item, seen } of page.items) console.log(seen, item.type);
 *   from = page.next;
 * }
 * ```
 */
export interface TranscriptPage {
  readonly items: readonly TranscriptItem[];
  /** The index of the next page; undefined at the end. */
  readonly next: number | undefined;
  /** The number of items in the whole transcript. */
  readonly length: number;
}

/** Reads a page of everything that was said, with the items that a model no longer sees. */
export async function readTranscript(
  runtime: SessionRuntime,
  { from = 0, limit = PAGE }: TranscriptOptions,
): Promise<TranscriptPage> {
  for (const [option, value, least] of [
    ['from', from, 0],
    ['limit', limit, 1],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      throw new InvalidOptionsError(option, `must be a whole number of at least ${least}`, {
        subject: 'the page',
      });
  const page = await runtime.runIfBegun(async ({ ledger, history }, mode) => {
    await ledger.read({ fresh: true });
    await history.open(mode);
    const { state, restored } = await history.contents(({ entries }) => entries.slice(from, from + limit));
    const turns = turnsOf(state);
    let turn = turns.findLastIndex((one) => one.from <= from);
    const items = restored.flatMap(({ entry, item }, at): TranscriptItem[] => {
      if (turns[turn + 1]?.from === from + at) turn += 1;
      if (item === undefined) return [];
      const end = turns[turn]?.responses.at(-1);
      return [
        {
          index: from + at,
          item: structuredClone(item),
          turn,
          turnId: turns[turn]?.turnId ?? '',
          responseId: end?.id,
          time: end?.time,
          seen: isSeen(state, entry.seq),
        },
      ];
    });
    const next = from + restored.length;
    const length = state.entries.length;
    return { items, next: next < length ? next : undefined, length };
  });
  return page ?? { items: [], next: undefined, length: 0 };
}

/** The fields of an item that hold no words. */
const WORDLESS = new Set(['id', 'callId', 'type', 'role', 'status', 'providerData', 'name']);

/**
 * Finds items by their text, newest first. Upper and lower case are the same.
 *
 * @throws InvalidOptionsError for an empty text or an invalid limit.
 */
export async function findItems(
  runtime: SessionRuntime,
  text: string,
  { limit = 20 }: Pick<TranscriptOptions, 'limit'>,
): Promise<TranscriptItem[]> {
  if (typeof text !== 'string' || text === '')
    throw new InvalidOptionsError('text', 'must not be empty', { subject: 'the search' });
  const sought = text.toLowerCase();
  const found: TranscriptItem[] = [];
  const { length } = await readTranscript(runtime, { limit });
  for (let end = length; end > 0 && found.length < limit; end -= PAGE) {
    const from = Math.max(0, end - PAGE);
    const { items } = await readTranscript(runtime, { from, limit: end - from });
    found.push(...items.filter(({ item }) => hasText({ ...item }, sought)).toReversed());
  }
  return found.slice(0, limit);
}

/** Whether a text is in the words of an item: its content, and the arguments and results of a tool. */
function hasText(value: unknown, sought: string): boolean {
  if (typeof value === 'string') return !value.startsWith('data:') && value.toLowerCase().includes(sought);
  if (Array.isArray(value)) return value.some((one) => hasText(one, sought));
  if (!isObject(value)) return false;
  return Object.entries(value).some(([name, field]) => !WORDLESS.has(name) && hasText(field, sought));
}
