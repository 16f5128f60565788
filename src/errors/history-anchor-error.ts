import { HybridSessionError } from './hybrid-session-error.ts';

/**
 * An anchored run cannot be shown its history: it was resumed without its session (`no-session`), or the history was
 * cleared since (`gone`). Nothing is lost: what the session contains is served by `getItems()`.
 */
export class HistoryAnchorError extends HybridSessionError {
  readonly code = 'history_anchor';
  /** The session whose history is meant. */
  readonly sessionId: string;
  readonly reason: 'no-session' | 'gone';

  constructor(sessionId: string, reason: 'no-session' | 'gone', options?: ErrorOptions) {
    const why =
      reason === 'no-session'
        ? 'the run has another session, or none; pass that session, to a HybridRunner'
        : 'it was cleared or rewritten since the run began; begin a new run';
    super(`Cannot show the model the history of session '${sessionId}': ${why}`, options);
    this.sessionId = sessionId;
    this.reason = reason;
  }
}
