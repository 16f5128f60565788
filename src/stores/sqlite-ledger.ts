import { z } from 'zod';
import { LedgerUnavailableError } from '../errors/ledger-unavailable-error.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { configureSqlite, openSqlite } from './open-sqlite.ts';
import { openSqliteReadOnly } from './open-sqlite-read-only.ts';
import { preparingOnce } from './preparing-once.ts';
import { whileBusy } from './sqlite-busy.ts';
import type { OwnedSqliteDatabase, SqliteDatabase } from './sqlite-database.ts';
import { createTables, deleteSession, insertRecords, selectHead, selectRecords } from './sqlite-tables.ts';
import { parseStoreOptions, withMethods } from './store-options.ts';

/** Options of `sqliteLedger`: either a database or the path of one. */
export type SqliteLedgerOptions = {
  /**
   * How long to wait while other connections write to the file, in milliseconds, without holding up the event loop.
   * Default 10,000.
   */
  readonly busyTimeout?: number | undefined;
} & (
  | {
      /** An open database of `node:sqlite`, better-sqlite3 or libsql. It stays yours: the ledger never closes it. */
      readonly database: SqliteDatabase;
      readonly path?: undefined;
      readonly readOnly?: undefined;
    }
  | {
      /** A file, created if missing and opened at first use, with write-ahead logging and every commit synced. */
      readonly path: string;
      /** Only look: a file that is not there, or holds no ledger, is an error instead of a new ledger. Default false. */
      readonly readOnly?: boolean | undefined;
      readonly database?: undefined;
    }
);

/** A ledger store in a SQLite file. */
export interface SqliteLedger extends LedgerStore {
  /** Ends the use of the store, and closes the file if it was given by path. */
  close(): Promise<void>;
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const schema = z
  .strictObject({
    database: withMethods<SqliteDatabase>('exec', 'prepare').optional(),
    path: z.string().min(1, { message: 'must not be empty' }).optional(),
    readOnly: z.boolean().default(false),
    busyTimeout: z.number().nonnegative().default(10_000),
  })
  .refine(({ database, path }) => (database === undefined) !== (path === undefined), {
    path: ['path'],
    message: "give either 'path' or 'database'",
  });

/**
 * A ledger store in a SQLite file: survives the process, and many processes can use one file.
 *
 * Given a path, it opens `node:sqlite` where Node has it, else an installed `libsql` or `better-sqlite3`. Creates its
 * tables at first use. With a database of your own, how durable an append is depends on its `synchronous` pragma, and
 * the ledger needs it outside of a transaction.
 *
 * @throws InvalidOptionsError; the store's methods throw LedgerUnavailableError when no driver is there, after `close()`,
 * or with `readOnly` when there is no ledger, and the driver's own errors.
 */
export function sqliteLedger(options: SqliteLedgerOptions): SqliteLedger {
  const given = parseStoreOptions('SQLite', schema, options);
  let opening: Promise<Opened> | undefined;
  let closed = false;

  const run = async <T>(work: (opened: Opened) => T): Promise<T> => {
    if (closed) throw new LedgerUnavailableError('closed', 'it was closed');
    opening ??= open(given);
    let opened: Opened;
    try {
      opened = await opening;
    } catch (error) {
      opening = undefined;
      throw error;
    }
    return whileBusy(given.busyTimeout, () => {
      if (closed) throw new LedgerUnavailableError('closed', 'it was closed');
      return work(opened);
    });
  };

  const close = async (): Promise<void> => {
    closed = true;
    const opened = await opening?.catch(() => undefined);
    opening = undefined;
    opened?.owned?.close();
  };

  return {
    head: (sessionId) => run(({ database }) => selectHead(database, sessionId)),
    read: (sessionId, from = 0, to?: number) =>
      run(({ database }) => ({ records: selectRecords(database, sessionId, from, to) })),
    append: async (sessionId, records, head, expected) => {
      const append = {
        records: records.map((record) => JSON.stringify(record)),
        head: JSON.stringify(head),
        expected,
      };
      return run(({ database }) => insertRecords(database, sessionId, append));
    },
    delete: (sessionId, expected?: number) =>
      run(({ database, owned }) => {
        deleteSession(database, sessionId, expected);
        // The log still holds what was deleted; another reader may keep it from being emptied now.
        owned?.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all();
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

interface Opened {
  readonly database: SqliteDatabase;
  /** The same, when it was opened here. */
  readonly owned: OwnedSqliteDatabase | undefined;
}

async function open(given: z.output<typeof schema>): Promise<Opened> {
  if (given.readOnly && given.path !== undefined) {
    const owned = await openSqliteReadOnly(given.path, given.busyTimeout);
    return { database: owned, owned };
  }
  const owned = given.path === undefined ? undefined : await openSqlite(given.path);
  const database = given.database ?? owned;
  if (database === undefined) throw new LedgerUnavailableError('closed', 'there is no database');
  try {
    await whileBusy(given.busyTimeout, () => {
      if (owned !== undefined) configureSqlite(owned);
      createTables(database);
    });
  } catch (error) {
    owned?.close();
    throw error;
  }
  // Others may close theirs: libsql would go on with a statement that it has prepared before.
  return { database: owned === undefined ? database : preparingOnce(owned), owned };
}
