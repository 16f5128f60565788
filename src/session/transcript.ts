import { seenHistory, type LedgerEntry } from '../ledger/state.ts';
import type { AgentInputItem } from '@openai/agents';
import { InvalidOptionsError } from '../errors/options.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';

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
      throw new InvalidOptionsError(option, `must be a whole number of at least ${least}`);
  const page = await runtime.runIfBegun(async ({ ledger, history }, mode) => {
    await ledger.read({ fresh: true });
    await history.open(mode);
    const { state, restored } = await history.contents(({ entries }) => entries.slice(from, from + limit));
    const seen = new Set(seenHistory(state).entries.map(({ seq }) => seq));
    // Responses that were recorded with no item between them ended the same turn.
    const ends = state.responses.filter(
      ({ nextSeq }, index) => state.responses[index + 1]?.nextSeq !== nextSeq,
    );
    const places = placesOf(state.entries);
    const items = restored.flatMap(({ entry, item }, at): TranscriptItem[] => {
      if (item === undefined) return [];
      const place = places[from + at] ?? entry.seq;
      const turn = ends.findIndex(({ nextSeq }) => nextSeq > place);
      const end = ends[turn];
      return [
        {
          index: from + at,
          item: structuredClone(item),
          turn: turn === -1 ? ends.length : turn,
          responseId: end?.id,
          time: end?.time,
          seen: seen.has(entry.seq),
        },
      ];
    });
    const next = from + restored.length;
    const length = state.entries.length;
    return { items, next: next < length ? next : undefined, length };
  });
  return page ?? { items: [], next: undefined, length: 0 };
}

/** The sequence numbers as if no item had been changed or adopted later: an item belongs to no later turn than the next item. */
function placesOf(entries: readonly LedgerEntry[]): number[] {
  let least = Number.POSITIVE_INFINITY;
  return entries
    .toReversed()
    .map(({ seq }) => (least = Math.min(least, seq)))
    .toReversed();
}
