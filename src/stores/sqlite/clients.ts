import { z } from 'zod';
import { hasMethods } from '../../errors/options.ts';
import type { BatchDatabase, SqlStatement } from '../batched/batch.ts';
import { whileBusy } from './busy.ts';
import type { SqliteDatabase, SqliteValue } from './database.ts';

/** A client of `@libsql/client`, by the methods the ledger uses. */
export interface LibsqlClient {
  execute(statement: LibsqlStatement): Promise<{ readonly rows: readonly unknown[] }>;
  batch(
    statements: LibsqlStatement[],
    mode: 'write',
  ): Promise<readonly { readonly rows: readonly unknown[] }[]>;
}

/** A statement as `@libsql/client` takes it. */
export interface LibsqlStatement {
  sql: string;
  args: (string | number | null)[];
}

/** Every database that `sqliteLedger` takes. */
export type AnySqliteDatabase = SqliteDatabase | LibsqlClient;

const ACCEPTED =
  "must be a database of 'node:sqlite', 'better-sqlite3', 'libsql' or 'bun:sqlite', or a client of '@libsql/client'; " +
  "a D1 database is for d1Ledger() of 'agents-hybrid-session/d1'";

/** The schema of the option `database`. */
export const sqliteDatabase: z.ZodType<AnySqliteDatabase, AnySqliteDatabase> = z.custom<AnySqliteDatabase>(
  (value) => typeof value === 'object' && value !== null && (isLibsqlClient(value) || isSynchronous(value)),
  { message: ACCEPTED },
);

/** Whether it is a client of `@libsql/client`, which answers later. */
export function isLibsqlClient(database: object): database is LibsqlClient {
  return hasMethods(database, 'execute', 'batch');
}

/** A database of D1 has the same methods, and a batch. */
function isSynchronous(database: object): boolean {
  return hasMethods(database, 'exec', 'prepare') && !hasMethods(database, 'batch');
}

/** The same database, as the ledger expects it. */
export function ofOneForm(database: SqliteDatabase): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      return {
        run: (...values: SqliteValue[]) => statement.run(...values),
        // `bun:sqlite` answers null where there is no row.
        get: (...values: SqliteValue[]) => statement.get(...values) ?? undefined,
        all: (...values: SqliteValue[]) => statement.all(...values),
      };
    },
  };
}

/**
 * The batches of a client, each again as long as another connection is writing.
 *
 * @param requireOpen throws once the ledger is closed.
 */
export function libsqlBatches(
  client: LibsqlClient,
  patience: number,
  requireOpen: () => void,
): BatchDatabase {
  const run = async <T>(ask: () => Promise<T>): Promise<T> =>
    whileBusy(patience, () => {
      requireOpen();
      return ask();
    });
  return {
    select: async (statement) => (await run(() => client.execute(given(statement)))).rows,
    async batch(statements) {
      const asked = statements.map((statement) => given(statement));
      return (await run(() => client.batch(asked, 'write'))).map(({ rows }) => rows);
    },
  };
}

function given({ sql, args }: SqlStatement): LibsqlStatement {
  return { sql, args: [...args] };
}
