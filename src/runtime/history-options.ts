import { z } from 'zod';
import { InvalidOptionsError } from '../errors/options.ts';

/**
 * How much of the history a model sees. The transcript always keeps all of it.
 *
 * @example
 * ```ts
 * const session = new HybridSession({ history: { compaction: { atTokens: 100_000 } } });
 * const short = new HybridSession({ history: { window: { turns: 20, slack: 20 } } });
 * ```
 */
export interface HistoryOptions {
  /**
   * Compacts a long history. A function is asked after each turn.
   *
   * With any value, a request that a server refuses as too long is compacted and sent again, if the model boundary sends it.
   *
   * @default none
   */
  readonly compaction?: CompactionOptions | CompactionFunction | undefined;
  /**
   * Shows a model the newest turns only. Cannot go with `compaction`.
   *
   * @default all turns
   */
  readonly window?: WindowOptions | undefined;
}

/** How and when a history is compacted. */
export interface CompactionOptions {
  /**
   * - `compact`: by `responses.compact`, after the answer of a turn.
   * - `server`: by the server, within a response: the model boundary sets `context_management` on its requests.
   *
   * @default 'compact'
   */
  readonly strategy?: 'compact' | 'server' | undefined;
  /**
   * The size from which the history is compacted, in tokens: with `compact` that of a turn's last request and its response, with
   * `server` that of a request, at least 1,000.
   *
   * @default never; with `server` it is required
   */
  readonly atTokens?: number | undefined;
  /**
   * The model that compacts.
   *
   * @default the model of the newest response
   */
  readonly model?: string | undefined;
}

/** The size of a history after a turn. */
export interface CompactionFacts {
  /** The tokens of the turn's last request and its response; undefined if the server counts none. */
  readonly tokens: number | undefined;
  /** The number of items that a model sees. */
  readonly items: number;
  /** The number of turns that a model sees. */
  readonly turns: number;
}

/** Decides after a turn whether the history is compacted. */
export type CompactionFunction = (facts: CompactionFacts) => boolean | Promise<boolean>;

/** The number of turns that a model sees. */
export interface WindowOptions {
  /** The number of turns that stay when the window moves. */
  readonly turns: number;
  /**
   * The number of turns beyond these after which the window moves. Each move costs one request with the whole window; the turns
   * between two moves continue from a response.
   *
   * @default 0: the window moves at every turn
   */
  readonly slack?: number | undefined;
}

/** The history options with all defaults. */
export interface ResolvedHistory {
  /** Undefined if the session does not compact. */
  readonly compaction:
    | {
        readonly model: string | undefined;
        /** Undefined if the session compacts nothing after a turn. */
        readonly isDue: CompactionFunction | undefined;
        /** Whether `isDue` depends on more than the tokens, so that the history has to be read. */
        readonly readsHistory: boolean;
        /** The threshold for the server, in tokens. */
        readonly serverThreshold: number | undefined;
      }
    | undefined;
  readonly window: { readonly turns: number; readonly slack: number } | undefined;
}

/** The lowest threshold that the API takes. */
const MIN_SERVER_THRESHOLD = 1000;

const count = z.number().int();

export const historySchema = z.strictObject({
  compaction: z
    .union(
      [
        z.custom<CompactionFunction>((value) => typeof value === 'function'),
        z.strictObject({
          strategy: z.enum(['compact', 'server']).optional(),
          atTokens: count.positive().optional(),
          model: z.string().min(1).optional(),
        }),
      ],
      { error: 'must be a function or { strategy, atTokens, model }' },
    )
    .optional(),
  window: z.strictObject({ turns: count.positive(), slack: count.nonnegative().optional() }).optional(),
});

/** @throws InvalidOptionsError for options that exclude each other. */
export function resolveHistory(
  { compaction, window }: HistoryOptions = {},
  keepContent: boolean | undefined,
): ResolvedHistory {
  if (compaction !== undefined && keepContent === false)
    throw new InvalidOptionsError(
      'history.compaction',
      'cannot go with keepContent: false: only the ledger can hold a compaction',
    );
  if (compaction !== undefined && window !== undefined)
    throw new InvalidOptionsError('history.window', 'cannot go with history.compaction');
  return {
    compaction: compaction && resolveCompaction(compaction),
    window: window && { turns: window.turns, slack: window.slack ?? 0 },
  };
}

function resolveCompaction(given: CompactionOptions | CompactionFunction): ResolvedHistory['compaction'] {
  if (typeof given === 'function')
    return { model: undefined, isDue: given, readsHistory: true, serverThreshold: undefined };
  const { strategy = 'compact', atTokens, model } = given;
  if (strategy === 'server') {
    if (atTokens === undefined || atTokens < MIN_SERVER_THRESHOLD)
      throw new InvalidOptionsError(
        'history.compaction.atTokens',
        `must be at least ${MIN_SERVER_THRESHOLD} with strategy: 'server'`,
      );
    return { model, isDue: undefined, readsHistory: false, serverThreshold: atTokens };
  }
  const isLong: CompactionFunction | undefined =
    atTokens === undefined ? undefined : ({ tokens = 0 }) => tokens >= atTokens;
  return { model, isDue: isLong, readsHistory: false, serverThreshold: undefined };
}
