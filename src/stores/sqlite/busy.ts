import { isObject } from '../../util/json.ts';
import { numberIn } from '../shared/rows.ts';
import type { SqliteDatabase } from './database.ts';

const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_IOERR_SHORT_READ = 522;
/** Milliseconds; a write of another process takes a few. */
const LONGEST_PAUSE = 20;

/**
 * Runs a transaction again as long as another connection is writing, up to `patience` milliseconds.
 *
 * It waits without holding up the event loop, unlike SQLite's own timeout, which should be short where it is set.
 */
export async function whileBusy<T>(patience: number, transaction: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + patience;
  for (;;) {
    try {
      return await transaction();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error;
    }
    // At random, so that writers that met once do not meet again.
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * LONGEST_PAUSE));
  }
}

/**
 * Empties the write-ahead log, so that no file holds deleted records.
 *
 * @returns false when another connection was in the way all the time.
 */
export async function emptied(database: SqliteDatabase, patience: number): Promise<boolean> {
  const checkpoint = (): void => {
    if (numberIn(checkpointRow(database), 'busy') !== 0) throw new LogInUse();
  };
  try {
    await whileBusy(patience, checkpoint);
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

function checkpointRow(database: SqliteDatabase): unknown {
  try {
    return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()[0];
  } catch (error) {
    throw isOfLogInUse(error) ? new LogInUse() : error;
  }
}

/**
 * Whether the log is in use: a statement of the same connection still reads from it, or another process empties it in the same moment,
 * so that libsql reads past its end.
 */
function isOfLogInUse(error: unknown): boolean {
  if (!(error instanceof Error) || !isObject(error)) return false;
  const { code, errcode } = error;
  if (typeof errcode === 'number') return errcode === SQLITE_LOCKED || errcode === SQLITE_IOERR_SHORT_READ;
  return code === 'SQLITE_LOCKED' || code === 'SQLITE_IOERR_SHORT_READ';
}

/** A checkpoint says this with a number, where everything else fails. */
class LogInUse extends Error {
  readonly code = 'SQLITE_BUSY';
}

/** `node:sqlite` tells by `errcode`, the others by `code`, also with a suffix. */
function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !isObject(error)) return false;
  const { code, errcode } = error;
  if (typeof errcode === 'number') return (errcode & 0xff) === SQLITE_BUSY;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
