import { HybridSessionError } from './base.ts';

/**
 * The reason for which a history was not compacted.
 *
 * - `too_long`: the first turn alone does not fit the model.
 * - `no_model`: no model is known; set `history.compaction.model`.
 * - `nothing_to_compact`: the history is empty.
 * - `unanswered_tool_call`: the history begins with a turn whose call has no result yet.
 * - `content_not_kept`: with `keepContent: false` the ledger cannot hold a compaction.
 * - `mode`: the mode serves the conversation's list.
 */
export type CompactionErrorReason =
  | 'too_long'
  | 'no_model'
  | 'nothing_to_compact'
  | 'unanswered_tool_call'
  | 'content_not_kept'
  | 'mode';

/** By how much a history does not fit. */
interface CompactionErrorOptions extends ErrorOptions {
  readonly tokens?: number | undefined;
  readonly limit?: number | undefined;
}

/**
 * The history was not compacted. It stays as it was.
 *
 * @example
 * ```ts
 * await session.runCompaction({ force: true }).catch((error: unknown) => {
 *   if (!CompactionError.isInstance(error)) throw error;
 *   console.warn(`not compacted: ${error.reason}`, error.tokens, error.limit);
 * });
 * ```
 */
export class CompactionError extends HybridSessionError {
  readonly code = 'compaction_failed';
  readonly sessionId: string;
  readonly reason: CompactionErrorReason;
  /** With `too_long`: the tokens of the first turn. Undefined if the server does not count them. */
  readonly tokens: number | undefined;
  /** With `too_long`: the tokens that fit the model. Undefined if the server does not say so; OpenAI's API does not. */
  readonly limit: number | undefined;

  constructor(sessionId: string, reason: CompactionErrorReason, options: CompactionErrorOptions = {}) {
    const { tokens, limit, ...rest } = options;
    const facts = [
      ...(tokens === undefined ? [] : [`it has ${tokens} tokens`]),
      ...(limit === undefined ? [] : [`the model takes ${limit}`]),
    ];
    const why = [reason.replaceAll('_', ' '), ...facts].join(', ');
    super(`Cannot compact the history of session '${sessionId}': ${why}`, rest);
    this.sessionId = sessionId;
    this.reason = reason;
    this.tokens = tokens;
    this.limit = limit;
  }
}
