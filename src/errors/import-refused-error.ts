import { HybridSessionError } from './hybrid-session-error.ts';

/** Items were not imported, and nothing was stored: the session has items of its own, or its ledger holds no content. */
export class ImportRefusedError extends HybridSessionError {
  readonly code = 'import_refused';
  readonly sessionId: string;
  readonly reason: 'not-empty' | 'keeps-no-content';

  constructor(sessionId: string, reason: 'not-empty' | 'keeps-no-content', problem: string) {
    super(`Cannot import into '${sessionId}': ${problem}`);
    this.sessionId = sessionId;
    this.reason = reason;
  }
}
