import { HybridSessionError } from './hybrid-session-error.ts';

/** A record or head in the ledger cannot be read: damaged, or written by a newer version of this package. */
export class LedgerRecordError extends HybridSessionError {
  readonly code = 'ledger_record';
  readonly sessionId: string;
  /** The record's position, counted from 0; undefined for the head. */
  readonly position: number | undefined;
  readonly reason: 'damaged' | 'newer-format';

  constructor(
    sessionId: string,
    position: number | undefined,
    reason: 'damaged' | 'newer-format',
    problem: string,
    options?: ErrorOptions,
  ) {
    const where = position === undefined ? 'the head' : `record ${position}`;
    super(`Cannot read ${where} of the ledger of '${sessionId}': ${problem}`, options);
    this.sessionId = sessionId;
    this.position = position;
    this.reason = reason;
  }
}
