import { LedgerConflictError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { decodeCheckpoint } from '../shared/decode-record.ts';
import { joinParts } from '../shared/parts.ts';
import { checkedVersion, pageOf, rowsWriteOf, sessionsIn } from '../shared/rows.ts';
import { sessionKey } from '../shared/session-key.ts';
import type { BatchDatabase } from './batch.ts';
import {
  checkpointStatement,
  deleteStatements,
  readStatement,
  sessionsStatement,
  writeStatements,
  type RecordLayout,
} from './statements.ts';

const NO_TABLE = /no such table: (?:main\.)?hybrid_session_ledger/;

/** A ledger store in a database whose clients run a transaction as one batch. Creates the tables when they are missing. */
export function batchedLedger(database: BatchDatabase, layout: RecordLayout): LedgerStore {
  const withTables = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !NO_TABLE.test(error.message)) throw error;
      await database.batch(layout.schema.map((sql) => ({ sql, args: [] })));
      return work();
    }
  };
  const select = (...[statement]: Parameters<BatchDatabase['select']>): Promise<readonly unknown[]> =>
    withTables(() => database.select(statement));

  const write = async (isRewrite: boolean, ...args: Parameters<LedgerStore['append']>): Promise<void> => {
    const [sessionId, , , expected] = args;
    const statements = writeStatements(sessionKey(sessionId), rowsWriteOf(isRewrite, ...args), layout);
    const [moved = [], [session] = []] = (await withTables(() => database.batch(statements))).slice(-2);
    if (moved.length > 0) return;
    throw new LedgerConflictError(sessionId, expected, versionIn(session, sessionId));
  };

  return {
    async checkpoint(sessionId) {
      const [row] = await select(checkpointStatement(sessionKey(sessionId)));
      if (row === undefined) return undefined;
      checkedVersion(row, sessionId);
      return decodeCheckpoint(isObject(row) ? row['head'] : undefined, sessionId);
    },
    async read(sessionId, from = 0, to?: number) {
      const rows = await select(readStatement(sessionKey(sessionId), from, layout));
      return pageOf(layout.inParts ? joinParts(rows) : rows, sessionId, from, to);
    },
    append: (...args) => write(false, ...args),
    rewrite: (...args) => write(true, ...args),
    async delete(sessionId, expected?: number) {
      const statements = deleteStatements(sessionKey(sessionId), expected);
      const [[session] = []] = await withTables(() => database.batch(statements));
      if (expected === undefined) return;
      const version = versionIn(session, sessionId);
      if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
    },
    sessions: (options) => sessionsIn((from) => select(sessionsStatement(from)), options),
  };
}

function versionIn(row: unknown, sessionId: string): number {
  return row === undefined ? 0 : checkedVersion(row, sessionId);
}
