import { HybridSessionError } from './hybrid-session-error.ts';

/** A ledger store cannot be used: no driver for it is installed, it was closed, or it is full. */
export class LedgerUnavailableError extends HybridSessionError {
  readonly code = 'ledger_unavailable';
  readonly reason: 'no-driver' | 'closed' | 'full';

  constructor(reason: 'no-driver' | 'closed' | 'full', problem: string, options?: ErrorOptions) {
    super(`Cannot use the ledger: ${problem}`, options);
    this.reason = reason;
  }
}
