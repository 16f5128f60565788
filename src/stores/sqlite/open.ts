import { LedgerUnavailableError } from '../../errors/ledger.ts';
import {
  importDriver,
  isNotInstalled,
  reasonOf,
  remedyFor,
  type FailedDriver,
  type ModuleLoader,
} from '../shared/import-driver.ts';
import type { OwnedSqliteDatabase } from './database.ts';
import { access, constants, stat } from 'node:fs/promises';
import { whileBusy } from './busy.ts';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

type DatabaseClass = new (path: string) => OwnedSqliteDatabase;

/** In the order in which they are tried, each with the name under which its module exports the database. */
const DRIVERS = [
  ['node:sqlite', 'DatabaseSync'],
  ['libsql', 'default'],
  ['better-sqlite3', 'default'],
] as const;

/**
 * Opens a file with the first driver that works here: `node:sqlite` where Node has it, an installed `libsql`, an
 * installed `better-sqlite3`.
 *
 * @throws LedgerUnavailableError `no_driver` when none is installed, `driver_failed` when none of those works; the driver's own error when the file cannot be opened.
 */
export async function openSqlite(
  path: string,
  load: ModuleLoader = importDriver,
): Promise<OwnedSqliteDatabase> {
  const failed: FailedDriver[] = [];
  for (const [name, exported] of DRIVERS) {
    let Database: DatabaseClass;
    try {
      Database = ((await load(name)) as Record<string, DatabaseClass>)[exported] as DatabaseClass;
      // A native driver can be installed and still lack its binary: that shows only now.
      new Database(':memory:').close();
    } catch (error) {
      failed.push({ name, error });
      continue;
    }
    return new Database(path);
  }
  throw noDriver(failed);
}

function noDriver(failed: readonly FailedDriver[]): LedgerUnavailableError {
  const causes = failed.map(({ error }) => error);
  const options = { cause: new AggregateError(causes, 'No SQLite driver could be loaded') };
  const broken = failed.filter((one) => !isNotInstalled(one));
  const [first] = broken;
  if (first === undefined) {
    const problem =
      `this Node (${process.version}) has no 'node:sqlite', and neither 'libsql' nor 'better-sqlite3' is installed; ` +
      'run npm install libsql, or use Node 22.13 or newer';
    return new LedgerUnavailableError('no_driver', problem, options);
  }
  const reasons = broken
    .map(({ name, error }) => `'${name}' could not be loaded${reasonOf(error)}`)
    .join(', ');
  return new LedgerUnavailableError('driver_failed', `${reasons}; ${remedyFor(first.name)}`, options);
}

/** A commit is durable when it returns, SQLite itself never waits, and the file keeps nothing of deleted records. */
export function configureSqlite(database: OwnedSqliteDatabase): void {
  database.exec('PRAGMA busy_timeout = 0');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA secure_delete = ON');
}

const SELECT_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'hybrid_session_ledger'";

/**
 * Opens the file of a ledger in order to look at it. Nothing is created and nothing is written.
 *
 * Not with the drivers' own read-only modes: those cannot read a write-ahead log that no other connection has open.
 *
 * @throws LedgerUnavailableError when there is no such file, or no ledger in it.
 */
export async function openSqliteReadOnly(path: string, busyTimeout: number): Promise<OwnedSqliteDatabase> {
  await access(path).catch((error: unknown) => {
    throw new LedgerUnavailableError('not_found', `there is no file '${path}'`, { cause: error });
  });
  const database = await openSqlite(await readOnlyLocation(path));
  try {
    await whileBusy(busyTimeout, () => {
      database.exec('PRAGMA busy_timeout = 0');
      database.exec('PRAGMA query_only = ON');
      if (database.prepare(SELECT_TABLE).get() !== undefined) return;
      throw new LedgerUnavailableError('not_found', `the file '${path}' holds no ledger`);
    });
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/**
 * The name under which a file is opened for reading.
 *
 * On a read-only file system SQLite cannot create the shared memory of a write-ahead log, so a file without a log is
 * opened as immutable. Elsewhere another process could change the file meanwhile.
 */
async function readOnlyLocation(path: string): Promise<string> {
  if (!(await isOnReadOnlyFileSystem(path)) || (await hasLog(path))) return path;
  return `${pathToFileURL(path).href}?immutable=1`;
}

async function isOnReadOnlyFileSystem(path: string): Promise<boolean> {
  const failure: unknown = await access(dirname(path), constants.W_OK).catch((error: unknown) => error);
  return failure instanceof Error && 'code' in failure && failure.code === 'EROFS';
}

async function hasLog(path: string): Promise<boolean> {
  const log = await stat(`${path}-wal`).catch(() => undefined);
  return log !== undefined && log.size > 0;
}
