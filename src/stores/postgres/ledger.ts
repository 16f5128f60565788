import { z } from 'zod';
import { LedgerConflictError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { decodeCheckpoint } from '../shared/decode-record.ts';
import { checkedVersion, pageOf, sessionsIn, textsOf } from '../shared/rows.ts';
import { createStatements, postgresStatements, postgresTables } from './tables.ts';
import { sessionKey } from '../shared/session-key.ts';
import { parseOptions } from '../../errors/options.ts';
import { postgresClient, postgresQuery, type AnyPostgresClient, type PostgresValue } from './clients.ts';

/** Options of `postgresLedger`. */
export interface PostgresLedgerOptions {
  /**
   * A pool or client of `pg` or `@neondatabase/serverless`, a PGlite database, or the function `sql` of `postgres` or of Neon's
   * `neon()`. Yours: the ledger never ends it. A pool needs an `error` listener.
   */
  readonly pool: AnyPostgresClient;
  /**
   * The table for the sessions, which may have a schema before a dot; a second one of the same name with `_record` holds
   * their records. Default `hybrid_session_ledger`.
   */
  readonly table?: string | undefined;
}

const DEFAULT_TABLE = 'hybrid_session_ledger';

const schema = z.strictObject({
  pool: postgresClient,
  table: z.string().default(DEFAULT_TABLE),
});

/** Two connections created the same thing at once; `IF NOT EXISTS` does not keep them apart. */
const CREATED_MEANWHILE = ['23505', '42P07', '42710'];
const NO_SUCH_TABLE = '42P01';
const SERIALIZATION_FAILURE = '40001';
const TRIES = 20;

/**
 * A ledger store in PostgreSQL, for sessions that many machines share.
 *
 * Every operation is one statement, so that it needs no connection of its own and works behind a transaction pooler.
 * Creates its tables at first use, unless they are there (see `postgresLedgerSchema`).
 *
 * @throws InvalidOptionsError; the store's methods throw the pool's own errors.
 */
export function postgresLedger(options: PostgresLedgerOptions): LedgerStore {
  const { pool, table } = parseOptions(schema, options, 'the PostgreSQL ledger');
  const run = postgresQuery(pool);
  const tables = postgresTables(table);
  const statements = postgresStatements(tables);

  const create = async (): Promise<void> => {
    for (const statement of createStatements(tables)) {
      await again(CREATED_MEANWHILE, () => run(statement, []));
    }
  };

  const query = async (text: string, values: readonly PostgresValue[]): Promise<readonly unknown[]> => {
    // Where serializable transactions are the default, the loser of a race fails instead of finding no row.
    const asked = (): Promise<readonly unknown[]> => again([SERIALIZATION_FAILURE], () => run(text, values));
    try {
      return await asked();
    } catch (error) {
      if (!hasCode(error, [NO_SUCH_TABLE])) throw error;
      await create();
      return asked();
    }
  };

  const write = async (isRewrite: boolean, ...args: Parameters<LedgerStore['append']>): Promise<void> => {
    const [sessionId, records, checkpoint, expected] = args;
    const key = sessionKey(sessionId);
    const statement = isRewrite ? statements.rewrite : statements.append;
    const values = [key, expected, JSON.stringify(checkpoint), textsOf(records, isRewrite)];
    if ((await query(statement, values)).length > 0) return;
    const [row] = await query(statements.checkpoint, [key]);
    throw new LedgerConflictError(
      sessionId,
      expected,
      row === undefined ? 0 : checkedVersion(row, sessionId),
    );
  };

  return {
    async checkpoint(sessionId) {
      const [row] = await query(statements.checkpoint, [sessionKey(sessionId)]);
      if (row === undefined) return undefined;
      checkedVersion(row, sessionId);
      return decodeCheckpoint(isObject(row) ? row['head'] : undefined, sessionId);
    },
    async read(sessionId, from = 0, to?: number) {
      return pageOf(await query(statements.read, [sessionKey(sessionId), from]), sessionId, from, to);
    },
    append: (...args) => write(false, ...args),
    rewrite: (...args) => write(true, ...args),
    async delete(sessionId, expected?: number) {
      const key = sessionKey(sessionId);
      const deleted = await query(statements.delete, [key, expected ?? null]);
      if (expected === undefined || deleted.length > 0) return;
      const [row] = await query(statements.checkpoint, [key]);
      const version = row === undefined ? 0 : checkedVersion(row, sessionId);
      // A session that was never written needs no deletion.
      if (row !== undefined || expected > 0) throw new LedgerConflictError(sessionId, expected, version);
    },
    sessions: (options) => sessionsIn((from) => query(statements.sessions, [from]), options),
  };
}

/**
 * The SQL script that creates the tables, for databases in which the application may not do it.
 *
 * @throws InvalidOptionsError for a name that cannot be one.
 */
export function postgresLedgerSchema(table: string = DEFAULT_TABLE): string {
  return createStatements(postgresTables(table))
    .map((statement) => `${statement};\n`)
    .join('');
}

/** Asks again as long as it fails for one of these reasons, each of which a second try can end. */
async function again<T>(codes: readonly string[], ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === TRIES || !hasCode(error, codes)) throw error;
    }
  }
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
