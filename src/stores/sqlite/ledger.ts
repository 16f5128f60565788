import { rmSync } from 'node:fs';
import { z } from 'zod';
import { LedgerUnavailableError } from '../../errors/ledger.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import {
  absoluteName,
  createPrivateFile,
  databaseFile,
  fileAt,
  logFiles,
  type FoundFile,
} from './database-file.ts';
import { configureSqlite, openSqlite, openSqliteReadOnly } from './open.ts';
import { rowsWriteOf, sessionsIn } from '../shared/rows.ts';
import { withStatementCache, type OwnedSqliteDatabase, type SqliteDatabase } from './database.ts';
import { emptied, whileBusy } from './busy.ts';
import {
  createTables,
  SCHEMA_STATEMENTS,
  deleteSession,
  inTransaction,
  selectCheckpoint,
  selectRecords,
  selectSessions,
  writeRecords,
} from './tables.ts';
import { parseOptions } from '../../errors/options.ts';
import { batchedLedger } from '../batched/ledger.ts';
import {
  isLibsqlClient,
  libsqlBatches,
  ofOneForm,
  sqliteDatabase,
  type AnySqliteDatabase,
  type LibsqlClient,
} from './clients.ts';

/** Options of `sqliteLedger`: either a database or the path of one. */
export type SqliteLedgerOptions = {
  /**
   * How long to wait while other connections write to the file, in milliseconds, without holding up the event loop.
   * Default 10,000.
   */
  readonly busyTimeout?: number | undefined;
} & (
  | {
      /**
       * An open database of `node:sqlite`, `better-sqlite3`, `libsql` or `bun:sqlite`, or a client of `@libsql/client`. It stays yours: the
       * ledger never closes it.
       */
      readonly database: AnySqliteDatabase;
      readonly path?: undefined;
      readonly readOnly?: undefined;
    }
  | {
      /**
       * A file, opened at first use, with write-ahead logging and every commit synced. If missing it is created, readable by
       * its owner alone; one that is there keeps its mode.
       */
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

/** How long a rewrite or a deletion waits for readers of the write-ahead log, in milliseconds; ours read for a few. */
const LOG_PATIENCE = 1000;

const schema = z
  .strictObject({
    database: sqliteDatabase.optional(),
    path: z.string().min(1, { message: 'must not be empty' }).transform(absoluteName).optional(),
    readOnly: z.boolean().default(false),
    busyTimeout: z.number().nonnegative().default(10_000),
  })
  .refine(({ database, path }) => (database === undefined) !== (path === undefined), {
    path: ['path'],
    message: "give either 'path' or 'database'",
  })
  .refine(({ database, readOnly }) => database === undefined || !readOnly, {
    path: ['readOnly'],
    message: "belongs to 'path': open the database for reading yourself",
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
  const given = parseOptions(schema, options, 'the SQLite ledger');
  const { database } = given;
  if (database !== undefined && isLibsqlClient(database)) return libsqlLedger(database, given.busyTimeout);
  return fileLedger(given, database === undefined ? undefined : ofOneForm(database));
}

/** A ledger store over a client of `@libsql/client`: a local file, or a server. */
function libsqlLedger(client: LibsqlClient, busyTimeout: number): SqliteLedger {
  let closed = false;
  const database = libsqlBatches(client, busyTimeout, () => {
    if (closed) throw new LedgerUnavailableError('closed', 'it was closed');
  });
  const close = async (): Promise<void> => {
    closed = true;
  };
  const store = batchedLedger(database, { schema: SCHEMA_STATEMENTS, inParts: false });
  return { ...store, close, [Symbol.asyncDispose]: close };
}

function fileLedger(given: Given, database: SqliteDatabase | undefined): SqliteLedger {
  let opening: Promise<Opened> | undefined;
  let closed = false;

  const run = async <T>(work: (opened: Opened) => T): Promise<T> => {
    for (;;) {
      if (closed) throw new LedgerUnavailableError('closed', 'it was closed');
      const current = (opening ??= open(given, database));
      const opened = await current.catch((error: unknown) => {
        if (opening === current) opening = undefined;
        throw error;
      });
      const done = await whileBusy(given.busyTimeout, () => {
        if (closed) throw new LedgerUnavailableError('closed', 'it was closed');
        if (isReplaced(opened)) return undefined;
        const value = work(opened);
        return isReplaced(opened) ? undefined : { value };
      });
      if (done !== undefined) return done.value;
      // Records in a file that was deleted or replaced are lost.
      if (opening === current) opening = leave(opened, given).then(() => open(given, database));
    }
  };

  const close = async (): Promise<void> => {
    closed = true;
    const opened = await opening?.catch(() => undefined);
    opening = undefined;
    if (opened?.owned === undefined) return;
    // libsql keeps the files open until its statements are collected: the log is emptied now.
    try {
      if (!given.readOnly && !isLogDeleted(opened)) await emptied(opened.owned, 0);
    } finally {
      opened.owned.close();
    }
  };

  /** The write-ahead log holds deleted records until it is emptied. If a reader prevents that, the next write tries again. */
  let isLogDue = false;
  const emptyLog = async (patience: number): Promise<void> => {
    const owned = (await opening)?.owned;
    if (owned !== undefined && !closed) isLogDue = !(await emptied(owned, patience));
  };
  const write = async (isRewrite: boolean, ...args: Parameters<LedgerStore['append']>): Promise<void> => {
    const [sessionId] = args;
    await run(({ database }) => writeRecords(database, sessionId, rowsWriteOf(isRewrite, ...args)));
    if (isRewrite || isLogDue) await emptyLog(isRewrite ? LOG_PATIENCE : 0);
  };

  return {
    checkpoint: (sessionId) => run(({ database }) => selectCheckpoint(database, sessionId)),
    read: (sessionId, from = 0, to?: number) =>
      run(({ database }) => selectRecords(database, sessionId, from, to)),
    append: (...written) => write(false, ...written),
    rewrite: (...written) => write(true, ...written),
    delete: async (sessionId, expected?: number) => {
      await run(({ database }) => deleteSession(database, sessionId, expected));
      await emptyLog(LOG_PATIENCE);
    },
    sessions: (options) =>
      sessionsIn((from) => run(({ database }) => selectSessions(database, from)), options),
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Given = Omit<z.output<typeof schema>, 'database'>;

interface Opened {
  readonly database: SqliteDatabase;
  /** The same, when it was opened here. */
  readonly owned: OwnedSqliteDatabase | undefined;
  /** Where its file is, and which one that was. */
  readonly path: string | undefined;
  readonly file: string | undefined;
  /** Its write-ahead log and the index of that; none where it has no log. */
  readonly logs: readonly FoundFile[];
}

/**
 * Whether another file stands in the place of the open one.
 *
 * @throws LedgerUnavailableError when the write-ahead log of the open file was deleted: what is written to it is lost, and another
 * connection of this process would still read it.
 */
function isReplaced(opened: Opened): boolean {
  if (opened.file !== fileAt(opened.path)) return true;
  if (!isLogDeleted(opened)) return false;
  const problem =
    'another process deleted the write-ahead log of the open file; this process may have opened and closed the file without ' +
    'SQLite, as a copy does; restart this process';
  throw new LedgerUnavailableError('log_deleted', problem);
}

/** SQLite deletes the log and its index with the last connection of all processes. */
function isLogDeleted({ logs }: Opened): boolean {
  return logs.some(({ path, file }) => fileAt(path) !== file);
}

/**
 * Ends the use of a file that was deleted or replaced. SQLite would take the log that it leaves for the log of the present file: the
 * log goes into its own file, and is deleted, by one at a time of all that have that file open.
 */
async function leave({ owned, logs }: Opened, { readOnly, busyTimeout }: Given): Promise<void> {
  if (owned === undefined) return;
  const deleteLogs = (): void => {
    for (const { path, file } of logs) if (fileAt(path) === file) rmSync(path);
  };
  try {
    if (readOnly) return;
    await emptied(owned, LOG_PATIENCE).catch(() => false);
    await whileBusy(busyTimeout, () => inTransaction(owned, deleteLogs));
  } finally {
    owned.close();
  }
}

async function open(given: Given, yours: SqliteDatabase | undefined): Promise<Opened> {
  if (!given.readOnly && given.path !== undefined) createPrivateFile(given.path);
  const path = given.path === undefined ? undefined : databaseFile(given.path);
  // The first use notices a file that replaced it while it was opened.
  const file = fileAt(path);
  if (given.readOnly && given.path !== undefined) {
    const owned = await openSqliteReadOnly(given.path, given.busyTimeout);
    return { database: owned, owned, path, file, logs: logFiles(path) };
  }
  const owned = given.path === undefined ? undefined : await openSqlite(given.path);
  const database = yours ?? owned;
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
  const used = owned === undefined ? database : withStatementCache(owned);
  return { database: used, owned, path, file, logs: logFiles(path) };
}
