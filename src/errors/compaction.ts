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

/**
 * The history was not compacted. It stays as it was.
 *
 * @example
 * ```ts
 * await session.runCompaction({ force: true }).catch((error: unknown) => {
 *   if (!CompactionError.isInstance(error)) throw error;
 *   console.warn(`not compacted: ${error.reason}`);
 * });
 * ```
 */
export class CompactionError extends HybridSessionError {
  readonly code = 'compaction_failed';
  readonly sessionId: string;
  readonly reason: CompactionErrorReason;

  constructor(sessionId: string, reason: CompactionErrorReason, options?: ErrorOptions) {
    super(`Cannot compact the history of session '${sessionId}': ${reason.replaceAll('_', ' ')}`, options);
    this.sessionId = sessionId;
    this.reason = reason;
  }
}
