import { LedgerConflictError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { decodeCheckpoint } from './decode-record.ts';
import { checkedVersion, pageOf, rowsWriteOf, sessionsIn, type RowsWrite } from './rows.ts';
import { sessionKey } from './session-key.ts';

/** The tables of a ledger on a database server. Each method is one statement or one transaction. */
export interface LedgerTables {
  /** The row of a session, with `format`, `version` and `head`; none for a session never written. */
  readonly session: (key: string) => Promise<readonly unknown[]>;
  /** The rows of its records from a position on, as `pageOf()` takes them. */
  readonly records: (key: string, from: number) => Promise<readonly unknown[]>;
  /** @returns whether the session had the expected version; otherwise nothing has changed. */
  readonly write: (key: string, write: RowsWrite) => Promise<boolean>;
  /** @returns whether a session was deleted, with `expected` one of that version. */
  readonly delete: (key: string, expected: number | undefined) => Promise<boolean>;
  /** The first sessions from a name on, as `sessionsIn()` takes them. */
  readonly sessions: (from: string) => Promise<readonly unknown[]>;
}

/** A ledger store on such tables. */
export function tableLedger(tables: LedgerTables): LedgerStore {
  const write = async (isRewrite: boolean, ...args: Parameters<LedgerStore['append']>): Promise<void> => {
    const [sessionId, , , expected] = args;
    const key = sessionKey(sessionId);
    if (await tables.write(key, rowsWriteOf(isRewrite, ...args))) return;
    const [row] = await tables.session(key);
    const version = row === undefined ? 0 : checkedVersion(row, sessionId);
    throw new LedgerConflictError(sessionId, expected, version);
  };

  return {
    async checkpoint(sessionId) {
      const [row] = await tables.session(sessionKey(sessionId));
      if (row === undefined) return undefined;
      checkedVersion(row, sessionId);
      return decodeCheckpoint(isObject(row) ? row['head'] : undefined, sessionId);
    },
    async read(sessionId, from = 0, to?: number) {
      return pageOf(await tables.records(sessionKey(sessionId), from), sessionId, from, to);
    },
    append: (...args) => write(false, ...args),
    rewrite: (...args) => write(true, ...args),
    async delete(sessionId, expected?: number) {
      const key = sessionKey(sessionId);
      if ((await tables.delete(key, expected)) || expected === undefined) return;
      const [row] = await tables.session(key);
      const version = row === undefined ? 0 : checkedVersion(row, sessionId);
      // A session that was never written needs no deletion.
      if (row !== undefined || expected > 0) throw new LedgerConflictError(sessionId, expected, version);
    },
    sessions: (options) => sessionsIn(tables.sessions, options),
  };
}
