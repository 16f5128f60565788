import type { LedgerHead, LedgerRecord } from './ledger-record.ts';

/** What a store gives back: records in order, and what lies before them where the beginning is no longer kept. */
export interface LedgerPage {
  readonly base?: LedgerHead;
  readonly records: readonly LedgerRecord[];
}

/**
 * Where ledgers live. A store knows nothing of what records mean.
 *
 * A record's position is its index from 0, and a ledger's version is the number of records appended so far.
 */
export interface LedgerStore {
  /** The newest head, or undefined for a session never written. */
  head(sessionId: string): Promise<LedgerHead | undefined>;
  /**
   * The records from position `from` (default 0) up to `to`, which is not included (default: to the end).
   *
   * @throws LedgerRecordError when one of them cannot be read, naming the first such position.
   */
  read(sessionId: string, from?: number, to?: number): Promise<LedgerPage>;
  /**
   * Appends all records and replaces the head, or does nothing. When it resolves, both are durable.
   *
   * @throws LedgerConflictError when the ledger's version is not `expected`.
   */
  append(
    sessionId: string,
    records: readonly LedgerRecord[],
    head: LedgerHead,
    expected: number,
  ): Promise<void>;
  /**
   * Forgets the session; with `expected`, only as long as that is the ledger's version.
   *
   * @throws LedgerConflictError when it is another one; nothing is forgotten then.
   */
  delete(sessionId: string, expected?: number): Promise<void>;
}
