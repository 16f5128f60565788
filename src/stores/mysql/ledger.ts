import { z } from 'zod';
import { parseOptions } from '../../errors/options.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { isObject } from '../../util/json.ts';
import { again } from '../shared/again.ts';
import { joinParts } from '../shared/parts.ts';
import { numberIn, type RowsWrite } from '../shared/rows.ts';
import { tableLedger } from '../shared/table-ledger.ts';
import { checkSettings } from './check-settings.ts';
import { mysqlDatabase, mysqlPool, type AnyMysqlPool, type MysqlRun } from './clients.ts';
import { insertGroups } from './insert-groups.ts';
import { createStatements, mysqlStatements, mysqlTables } from './tables.ts';

/** Options of `mysqlLedger`. */
export interface MysqlLedgerOptions {
  /** A pool of `mysql2`, `mysql2/promise` or `mariadb`. Yours: the ledger never ends it. */
  readonly pool: AnyMysqlPool;
  /**
   * The table for the sessions, which may have a database before a dot; a second one of the same name with `_record` holds
   * their records. Default `hybrid_session_ledger`.
   */
  readonly table?: string | undefined;
}

const DEFAULT_TABLE = 'hybrid_session_ledger';

const schema = z.strictObject({
  pool: mysqlPool,
  table: z.string().default(DEFAULT_TABLE),
});

const NO_SUCH_TABLE = [1146];
const DUPLICATE = [1062];
/**
 * A deadlock, a row that changed after the snapshot, a table that was altered, a statement to prepare again: the server has rolled
 * back. A lock that was not given in time is not here: the server waits for it for 50 seconds.
 */
const PASSING = [1213, 1020, 1412, 1615];
/** Two connections created the same table at once. */
const CREATED_MEANWHILE = [1050, ...PASSING];

/**
 * A ledger store in MySQL or MariaDB, for sessions that many machines share.
 *
 * An append is one transaction on one connection; every other operation is one statement. Creates its tables at first use, unless
 * they are there (see `mysqlLedgerSchema`).
 *
 * @throws InvalidOptionsError, also by the first call where the pool's connections have a setting that the ledger cannot work with;
 * the store's methods throw the pool's own errors.
 * @example
 * ```ts
 * import { createPool } from 'mysql2/promise';
 * import { HybridSession } from 'agents-hybrid-session';
 * import { mysqlLedger } from 'agents-hybrid-session/mysql';
 *
 * const pool = createPool({ uri: 'mysql://localhost/app' });
 * const session = new HybridSession({ sessionId: 'user-42', ledger: mysqlLedger({ pool }) });
 * ```
 */
export function mysqlLedger(options: MysqlLedgerOptions): LedgerStore {
  const { pool, table } = parseOptions(schema, options, 'the MySQL ledger');
  const database = mysqlDatabase(pool);
  const { run, transaction } = database;
  const tables = mysqlTables(table);
  const statements = mysqlStatements(tables);

  let checking: Promise<void> | undefined;
  const checked = (): Promise<void> =>
    (checking ??= checkSettings(database).catch((error: unknown) => {
      checking = undefined;
      throw error;
    }));

  const create = async (): Promise<void> => {
    for (const statement of createStatements(tables))
      await again(isOneOf(CREATED_MEANWHILE), () => run(statement));
  };

  const withTables = async <T>(work: () => Promise<T>): Promise<T> => {
    await checked();
    try {
      return await again(isOneOf(PASSING), work);
    } catch (error) {
      if (!isOneOf(NO_SUCH_TABLE)(error)) throw error;
      await create();
      return again(isOneOf(PASSING), work);
    }
  };
  const select: MysqlRun = (...statement) => withTables(() => run(...statement));

  const writeRecords = async (
    on: MysqlRun,
    ledger: number,
    { records, expected, isRewrite }: RowsWrite,
  ): Promise<void> => {
    if (isRewrite) await on(statements.deleteRecords, [ledger, expected]);
    for (const group of insertGroups(records, expected)) {
      const values = group.flatMap(({ position, part, record }) => [ledger, position, part, record]);
      await on(statements.insertRecords(group.length), values);
    }
  };

  /** Writes at the version that `move` finds, if it gives the ID of the session's row. */
  const writeWhere = (write: RowsWrite, move: (on: MysqlRun) => Promise<number>): Promise<true | undefined> =>
    transaction(async (on) => {
      const ledger = await move(on);
      if (ledger === 0) return undefined;
      await writeRecords(on, ledger, write);
      return true;
    });

  const insert = async (session: Buffer, write: RowsWrite): Promise<boolean> => {
    const values = [session, write.records.length, write.checkpoint];
    const move = async (on: MysqlRun): Promise<number> =>
      (await on(statements.insertSession, values)).insertId;
    try {
      return (await writeWhere(write, move)) ?? false;
    } catch (error) {
      if (isOneOf(DUPLICATE)(error)) return false;
      throw error;
    }
  };

  const update = async (session: Buffer, write: RowsWrite): Promise<boolean> => {
    const { records, checkpoint, expected } = write;
    const values = [expected + records.length, checkpoint, session, expected];
    const move = async (on: MysqlRun): Promise<number> =>
      (await on(statements.updateSession, values)).insertId;
    return (await writeWhere(write, move)) ?? false;
  };

  return tableLedger({
    session: async (key) => (await select(statements.session, [Buffer.from(key)])).rows,
    async records(key, from) {
      const { rows } = await select(statements.read, [from, Buffer.from(key)]);
      return joinParts(rows.toSorted(byPlace));
    },
    write: (key, write) =>
      withTables(async () => {
        const session = Buffer.from(key);
        // An update that finds no row locks the gap, and two writers with such a lock both wait for the other.
        return (write.expected === 0 && (await insert(session, write))) || update(session, write);
      }),
    async delete(key, expected) {
      const session = Buffer.from(key);
      const { affectedRows } =
        expected === undefined
          ? await select(statements.deleteSession, [session])
          : await select(statements.deleteVersion, [session, expected]);
      return affectedRows > 0;
    },
    sessions: async (from) => (await select(statements.sessions, [Buffer.from(from)])).rows,
  });
}

/**
 * The SQL script that creates the tables, for databases in which the application may not do it.
 *
 * @throws InvalidOptionsError for a name that cannot be one.
 */
export function mysqlLedgerSchema(table: string = DEFAULT_TABLE): string {
  return createStatements(mysqlTables(table))
    .map((statement) => `${statement};\n`)
    .join('');
}

/** The order of records and their parts. */
function byPlace(one: unknown, other: unknown): number {
  const distance = (column: string): number => numberIn(one, column) - numberIn(other, column);
  return distance('position') || distance('part');
}

/** Whether an error of the server has one of these numbers. */
function isOneOf(numbers: readonly number[]): (error: unknown) => boolean {
  return (error) => isObject(error) && numbers.includes(Number(error['errno']));
}
