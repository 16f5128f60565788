import { access } from 'node:fs/promises';
import { LedgerUnavailableError } from '../errors/ledger-unavailable-error.ts';
import { openSqlite } from './open-sqlite.ts';
import { whileBusy } from './sqlite-busy.ts';
import type { OwnedSqliteDatabase } from './sqlite-database.ts';

const SELECT_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'hybrid_session_ledger'";

/**
 * Opens the file of a ledger in order to look at it. Nothing is created and nothing is written.
 *
 * Not with the drivers' own read-only modes: those cannot read a write-ahead log that nobody else has open.
 *
 * @throws LedgerUnavailableError when there is no such file, or no ledger in it.
 */
export async function openSqliteReadOnly(path: string, busyTimeout: number): Promise<OwnedSqliteDatabase> {
  await access(path).catch((error: unknown) => {
    throw new LedgerUnavailableError('not-found', `there is no file '${path}'`, { cause: error });
  });
  const database = await openSqlite(path);
  try {
    await whileBusy(busyTimeout, () => {
      database.exec('PRAGMA busy_timeout = 0');
      database.exec('PRAGMA query_only = ON');
      if (database.prepare(SELECT_TABLE).get() !== undefined) return;
      throw new LedgerUnavailableError('not-found', `the file '${path}' holds no ledger`);
    });
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}
