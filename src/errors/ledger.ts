import { HybridSessionError } from './base.ts';

/**
 * Another writer appended to the ledger first. A store throws this error from `append`; the session then reads the new records
 * and appends again.
 *
 * @example
 * ```ts
 * // In the `append` of a custom store:
 * if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
 * ```
 */
export class LedgerConflictError extends HybridSessionError {
  readonly code = 'ledger_conflict';
  readonly sessionId: string;
  /** The version at which the append was to begin. */
  readonly expected: number;
  /** The version of the ledger; undefined if the store does not know it. */
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

/**
 * The reason for which a record or checkpoint cannot be read.
 *
 * - `damaged`: its format is invalid.
 * - `newer_format`, `older_format`: another version of this package wrote it.
 * - `unknown_key`: the option `keys` lacks the key that encrypted it.
 * - `not_authentic`: the key has another secret, or the stored data was changed, moved or copied.
 * - `not_encrypted`: it was stored without encryption.
 * - `rolled_back`: the checkpoint and the records are of different times: one of them was restored, replaced or is missing.
 */
export type LedgerUnreadableReason =
  | 'damaged'
  | 'newer_format'
  | 'older_format'
  | 'unknown_key'
  | 'not_authentic'
  | 'not_encrypted'
  | 'rolled_back';

/**
 * A record or checkpoint of a ledger cannot be read.
 *
 * @example
 * ```ts
 * if (LedgerUnreadableError.isInstance(error) && error.reason === 'unknown_key') {
 *   console.error(`add the key '${error.keyId}' to the option 'keys'`);
 * }
 * ```
 */
export class LedgerUnreadableError extends HybridSessionError {
  readonly code = 'ledger_unreadable';
  readonly sessionId: string;
  /** The record's position, counted from 0; undefined for the checkpoint. */
  readonly position: number | undefined;
  readonly reason: LedgerUnreadableReason;
  /** The problem in words, without content. */
  readonly problem: string;
  /** The ID of the key that encrypted it; undefined if the stored data names none. */
  readonly keyId: string | undefined;

  constructor(
    sessionId: string,
    position: number | undefined,
    reason: LedgerUnreadableReason,
    problem: string,
    options: ErrorOptions & { readonly keyId?: string | undefined } = {},
  ) {
    const where = position === undefined ? 'the checkpoint' : `record ${position}`;
    super(`Cannot read ${where} of the ledger of '${sessionId}': ${problem}`, options);
    this.sessionId = sessionId;
    this.position = position;
    this.reason = reason;
    this.problem = problem;
    this.keyId = options.keyId;
  }
}

/** Creates the error for a record with an unknown key. */
export function unknownKeyError(
  sessionId: string,
  position: number | undefined,
  keyId: string,
): LedgerUnreadableError {
  const problem = `no key with ID '${keyId}' was given; add it behind the current one in 'keys'`;
  return new LedgerUnreadableError(sessionId, position, 'unknown_key', problem, { keyId });
}

/**
 * The reason for which a ledger store cannot be used.
 *
 * - `no_driver`: the database driver is not installed.
 * - `driver_failed`: the driver is installed and could not be loaded; `cause` has the reason.
 * - `closed`: the store was closed.
 * - `full`: the store has no space.
 * - `not_found`: the store, or the session in it, does not exist.
 * - `behind`: reads stay older than appends, as from a lagging or restored replica.
 * - `log_deleted`: another process deleted the write-ahead log of an open SQLite file. Restart the process.
 */
export type LedgerUnavailableReason =
  | 'no_driver'
  | 'driver_failed'
  | 'closed'
  | 'full'
  | 'not_found'
  | 'behind'
  | 'log_deleted';

/**
 * A ledger store cannot be used.
 *
 * @example
 * ```ts
 * if (LedgerUnavailableError.isInstance(error) && error.reason === 'full') console.error('the ledger is full');
 * ```
 */
export class LedgerUnavailableError extends HybridSessionError {
  readonly code = 'ledger_unavailable';
  readonly reason: LedgerUnavailableReason;

  constructor(reason: LedgerUnavailableReason, problem: string, options?: ErrorOptions) {
    super(`Cannot use the ledger: ${problem}`, options);
    this.reason = reason;
  }
}
