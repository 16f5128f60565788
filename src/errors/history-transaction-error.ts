import { HybridSessionError } from './hybrid-session-error.ts';

/** A history transaction was refused; the history is unchanged. */
export class HistoryTransactionError extends HybridSessionError {
  readonly code = 'history_transaction';
  readonly operationId: string;
  /** Why: the arguments are wrong, the ID was used for another transaction, or the suffix is not the expected one. */
  readonly reason: 'invalid' | 'operation-reused' | 'suffix-changed';

  constructor(
    operationId: string,
    reason: 'invalid' | 'operation-reused' | 'suffix-changed',
    problem: string,
  ) {
    super(`Cannot apply history transaction '${operationId}': ${problem}`);
    this.operationId = operationId;
    this.reason = reason;
  }
}
