import type { LedgerUnreadableError } from '../errors/ledger.ts';
import type { Checkpoint, LedgerRecord } from './record.ts';

/** A part of a ledger's log: its records in order. */
export interface LedgerPage {
  /** The position where the log begins, if that lies behind the position asked for: the log was rewritten. */
  readonly start?: number;
  readonly records: readonly LedgerRecord[];
}

/** A session and its newest checkpoint. */
export interface SessionSummary extends Omit<Checkpoint, 'alias'> {
  readonly sessionId: string;
  /** The time of the newest append or rewrite, in milliseconds since the epoch; absent where the store does not know it. */
  readonly updated?: number;
}

/** Options of `LedgerStore.sessions`. */
export interface SessionsOptions {
  /** Only sessions whose ID begins with this. Default: all. */
  readonly prefix?: string | undefined;
  /** Is called for a checkpoint that cannot be read, and the list goes on. Default: the list ends with that error. */
  readonly onUnreadable?: ((error: LedgerUnreadableError) => void) | undefined;
}

/**
 * Where ledgers live. A store does not know the meaning of records.
 *
 * A record's position is the number of positions taken before it, and a ledger's version is the next free position. A record
 * takes one position, and so does a rewrite: a position never holds anything else as long as the session is not deleted.
 */
export interface LedgerStore {
  /** The newest checkpoint, or undefined for a session never written. */
  checkpoint(sessionId: string): Promise<Checkpoint | undefined>;
  /**
   * The records from position `from` (default 0) up to `to`, which is not included (default: to the end).
   *
   * @throws LedgerUnreadableError when one of them cannot be read, naming the first such position.
   */
  read(sessionId: string, from?: number, to?: number): Promise<LedgerPage>;
  /**
   * Appends all records and replaces the checkpoint, or does nothing. When it resolves, both are durable.
   *
   * @throws LedgerConflictError when the ledger's version is not `expected`.
   */
  append(
    sessionId: string,
    records: readonly LedgerRecord[],
    checkpoint: Checkpoint,
    expected: number,
  ): Promise<void>;
  /**
   * Replaces all records and the checkpoint, or does nothing. When it resolves, that is durable, and no reader finds anything of the
   * old records.
   *
   * The first record takes position `expected + 1`: a process with an older state sees that its newest record is gone.
   *
   * @param checkpoint of version `expected + 1 + records.length`.
   * @throws LedgerConflictError when the ledger's version is not `expected`.
   */
  rewrite(
    sessionId: string,
    records: readonly LedgerRecord[],
    checkpoint: Checkpoint,
    expected: number,
  ): Promise<void>;
  /**
   * Forgets the session; with `expected`, only as long as that is the ledger's version.
   *
   * @throws LedgerConflictError when it is another one; nothing is forgotten then.
   */
  delete(sessionId: string, expected?: number): Promise<void>;
  /**
   * Every session, once, in no particular order. A session that is written first or deleted meanwhile may be included or not.
   * Aliases are left out, and so are IDs of which the store keeps only a hash.
   *
   * @throws LedgerUnreadableError for a checkpoint that cannot be read, naming the session, unless `onUnreadable` is given.
   */
  sessions?(options?: SessionsOptions): AsyncIterable<SessionSummary>;
}
