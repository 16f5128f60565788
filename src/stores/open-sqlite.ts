import { LedgerUnavailableError } from '../errors/ledger-unavailable-error.ts';
import type { OwnedSqliteDatabase } from './sqlite-database.ts';

/** Imports a module by name; rejects when it is not there. */
export type ModuleLoader = (name: string) => Promise<unknown>;

type DatabaseClass = new (path: string) => OwnedSqliteDatabase;

/** In the order in which they are tried, each with the name under which its module exports the database. */
const DRIVERS = [
  ['node:sqlite', 'DatabaseSync'],
  ['libsql', 'default'],
  ['better-sqlite3', 'default'],
] as const;

/** Not known before it runs, so that no bundler and no type checker asks for a driver that is not used. */
const importModule: ModuleLoader = (name) => import(name);

/**
 * Opens a file with the first driver that works here: `node:sqlite` where Node has it, an installed `libsql`, an
 * installed `better-sqlite3`.
 *
 * @throws LedgerUnavailableError when there is none; the driver's own error when the file cannot be opened.
 */
export async function openSqlite(
  path: string,
  load: ModuleLoader = importModule,
): Promise<OwnedSqliteDatabase> {
  const causes: unknown[] = [];
  for (const [name, exported] of DRIVERS) {
    let Database: DatabaseClass;
    try {
      Database = ((await load(name)) as Record<string, DatabaseClass>)[exported] as DatabaseClass;
      // A native driver can be installed and still lack its binary: that shows only now.
      new Database(':memory:').close();
    } catch (error) {
      causes.push(error);
      continue;
    }
    return new Database(path);
  }
  throw new LedgerUnavailableError(
    'no-driver',
    `this Node (${process.version}) has no 'node:sqlite', and neither 'libsql' nor 'better-sqlite3' can be loaded; ` +
      'run npm install libsql, or use Node 22.13 or newer',
    { cause: new AggregateError(causes, 'No SQLite driver could be loaded') },
  );
}

/** A commit is durable when it returns, SQLite itself never waits, and nothing is left in the file of what was deleted. */
export function configureSqlite(database: OwnedSqliteDatabase): void {
  database.exec('PRAGMA busy_timeout = 0');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA secure_delete = ON');
}
