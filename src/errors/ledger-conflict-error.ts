import { HybridSessionError } from './hybrid-session-error.ts';

/** The ledger moved on since it was read; a store throws it from `append`, the session reads on and appends again. */
export class LedgerConflictError extends HybridSessionError {
  readonly code = 'ledger_conflict';
  readonly sessionId: string;
  readonly expected: number;
  /** The version found, where the store can tell. */
  readonly actual: number | undefined;

  constructor(sessionId: string, expected: number, actual?: number, options?: ErrorOptions) {
    super(
      `Cannot append to the ledger of '${sessionId}': expected version ${expected}, found ${actual ?? 'another'}`,
      options,
    );
    this.sessionId = sessionId;
    this.expected = expected;
    this.actual = actual;
  }
}
