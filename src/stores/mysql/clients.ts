import { z } from 'zod';
import { hasMethods } from '../../errors/options.ts';
import { isObject } from '../../util/json.ts';

/** A statement of `mysql2`, with the options of the pool that would change its rows. */
export interface MysqlStatement {
  sql: string;
  rowsAsArray: boolean;
  nestTables: boolean;
  typeCast(field: unknown, next: () => unknown): unknown;
}

/** A connection of `mysql2/promise`, by the methods the ledger uses. */
export interface MysqlConnection {
  query(statement: MysqlStatement): Promise<readonly [unknown, ...unknown[]]>;
  execute(statement: MysqlStatement, values: MysqlValue[]): Promise<readonly [unknown, ...unknown[]]>;
  release(): void;
  destroy(): void;
}

/** A pool of `mysql2/promise`, by the methods the ledger uses. */
export interface MysqlPool {
  query(statement: MysqlStatement): Promise<readonly [unknown, ...unknown[]]>;
  execute(statement: MysqlStatement, values: MysqlValue[]): Promise<readonly [unknown, ...unknown[]]>;
  getConnection(): Promise<MysqlConnection>;
}

/** A pool of `mysql2` with callbacks, by the method the ledger uses. */
export interface MysqlCallbackPool {
  promise(): MysqlPool;
}

/** A statement of `mariadb`. Without `logParam` an error would quote the values. */
export interface MariadbStatement {
  sql: string;
  rowsAsArray: boolean;
  nestTables: boolean;
  logParam: boolean;
}

/** A connection of `mariadb`, by the methods the ledger uses. */
export interface MariadbConnection {
  query(statement: MariadbStatement): Promise<unknown>;
  execute(statement: MariadbStatement, values: MysqlValue[]): Promise<unknown>;
  release(): Promise<void>;
  destroy(): void;
}

/** A pool of `mariadb`, by the methods the ledger uses. */
export interface MariadbPool {
  query(statement: MariadbStatement): Promise<unknown>;
  execute(statement: MariadbStatement, values: MysqlValue[]): Promise<unknown>;
  getConnection(): Promise<MariadbConnection>;
  activeConnections(): number;
}

/** Every pool that `mysqlLedger` takes. */
export type AnyMysqlPool = MysqlPool | MysqlCallbackPool | MariadbPool;

/** Bytes for a column that is not text. */
export type MysqlValue = string | number | Buffer;

/** The answer to a statement. */
export interface MysqlResult {
  readonly rows: readonly unknown[];
  /** The number of rows that were written or deleted; a pool may count only those that changed. */
  readonly affectedRows: number;
  /** The ID of an inserted row, or that of `LAST_INSERT_ID(id)` if it was evaluated, else 0. */
  readonly insertId: number;
}

/** Runs a statement that the server prepares, so that no mode of the server reads a value as SQL. */
export type MysqlRun = (sql: string, values?: readonly MysqlValue[]) => Promise<MysqlResult>;

/** A pool of any driver. */
export interface MysqlDatabase {
  /** Runs a statement on any connection, which commits it. */
  readonly run: MysqlRun;
  /** Runs one of the statements that no server of any version prepares. */
  readonly query: (sql: string) => Promise<MysqlResult>;
  /**
   * Runs statements in one transaction. Commits it if they gave a value, and rolls it back if they gave undefined or failed.
   *
   * @throws the driver's error. If it is that of a lost connection, the transaction may have been committed.
   */
  readonly transaction: <T>(work: (run: MysqlRun) => Promise<T | undefined>) => Promise<T | undefined>;
}

/** The schema of the option `pool`. */
export const mysqlPool: z.ZodType<AnyMysqlPool, AnyMysqlPool> = z.custom<AnyMysqlPool>(
  (value) =>
    hasMethods(value, 'getConnection') &&
    (hasMethods(value, 'query', 'execute') || hasMethods(value, 'promise')),
  { message: "must be a pool of 'mysql2', 'mysql2/promise' or 'mariadb'" },
);

/** The statements of a pool that the schema has accepted. */
export function mysqlDatabase(pool: AnyMysqlPool): MysqlDatabase {
  if ('activeConnections' in pool) {
    const options = { rowsAsArray: false, nestTables: false, logParam: false };
    const mariadb = (connection: Pick<MariadbConnection, 'query' | 'execute'>): Statements => ({
      query: async (sql) => resultOf(await connection.query({ sql, ...options })),
      run: async (sql, values = []) => resultOf(await connection.execute({ sql, ...options }, [...values])),
    });
    return database(pool, mariadb);
  }
  const options = { rowsAsArray: false, nestTables: false, typeCast: uncast };
  const mysql = (connection: Pick<MysqlConnection, 'query' | 'execute'>): Statements => ({
    query: async (sql) => resultOf((await connection.query({ sql, ...options }))[0]),
    run: async (sql, values = []) =>
      resultOf((await connection.execute({ sql, ...options }, [...values]))[0]),
  });
  return database('promise' in pool ? pool.promise() : pool, mysql);
}

/** A function: `mysql2` ignores a boolean where the pool has a function. */
function uncast(_field: unknown, next: () => unknown): unknown {
  return next();
}

type Statements = Pick<MysqlDatabase, 'query' | 'run'>;

interface Connection {
  release(): void | Promise<void>;
  destroy(): void;
}

function database<C>(
  pool: C & { getConnection(): Promise<C & Connection> },
  statementsOn: (connection: C) => Statements,
): MysqlDatabase {
  const transaction: MysqlDatabase['transaction'] = async (work) => {
    const connection = await pool.getConnection();
    const { query, run } = statementsOn(connection);
    let isOpen = false;
    try {
      await query('START TRANSACTION');
      const value = await work(run);
      await query(value === undefined ? 'ROLLBACK' : 'COMMIT');
      return value;
    } catch (error) {
      isOpen = await query('ROLLBACK').then(
        () => false,
        () => true,
      );
      throw error;
    } finally {
      // The pool must not give out a connection with an open transaction.
      if (isOpen) connection.destroy();
      else await connection.release();
    }
  };
  return { ...statementsOn(pool), transaction };
}

function resultOf(result: unknown): MysqlResult {
  if (Array.isArray(result)) return { rows: result as unknown[], affectedRows: 0, insertId: 0 };
  const { affectedRows = 0, insertId = 0 } = isObject(result) ? result : {};
  return { rows: [], affectedRows: Number(affectedRows), insertId: Number(insertId) };
}
