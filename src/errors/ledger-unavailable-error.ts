import { HybridSessionError } from './hybrid-session-error.ts';

/** Why a ledger store cannot be used. */
export type LedgerUnavailableReason = 'no-driver' | 'closed' | 'full' | 'not-found';

/** A ledger store cannot be used: no driver for it is installed, it was closed, it is full, or there is none. */
export class LedgerUnavailableError extends HybridSessionError {
  readonly code = 'ledger_unavailable';
  readonly reason: LedgerUnavailableReason;

  constructor(reason: LedgerUnavailableReason, problem: string, options?: ErrorOptions) {
    super(`Cannot use the ledger: ${problem}`, options);
    this.reason = reason;
  }
}
