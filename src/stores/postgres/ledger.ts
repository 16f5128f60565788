import { z } from 'zod';
import { parseOptions } from '../../errors/options.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { again } from '../shared/again.ts';
import { tableLedger } from '../shared/table-ledger.ts';
import { createStatements, postgresStatements, postgresTables } from './tables.ts';
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
      await again(
        (error) => hasCode(error, CREATED_MEANWHILE),
        () => run(statement, []),
      );
    }
  };

  const query = async (text: string, values: readonly PostgresValue[]): Promise<readonly unknown[]> => {
    // Where serializable transactions are the default, the loser of a race fails instead of finding no row.
    const asked = (): Promise<readonly unknown[]> =>
      again(
        (error) => hasCode(error, [SERIALIZATION_FAILURE]),
        () => run(text, values),
      );
    try {
      return await asked();
    } catch (error) {
      if (!hasCode(error, [NO_SUCH_TABLE])) throw error;
      await create();
      return asked();
    }
  };

  return tableLedger({
    session: (key) => query(statements.checkpoint, [key]),
    records: (key, from) => query(statements.read, [key, from]),
    async write(key, { records, checkpoint, expected, isRewrite }) {
      const statement = isRewrite ? statements.rewrite : statements.append;
      return (await query(statement, [key, expected, checkpoint, records])).length > 0;
    },
    delete: async (key, expected) => (await query(statements.delete, [key, expected ?? null])).length > 0,
    sessions: (from) => query(statements.sessions, [from]),
  });
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

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
