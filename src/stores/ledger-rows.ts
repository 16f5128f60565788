import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { isObject, type JsonObject } from '../ledger/json.ts';
import type { LedgerRecord } from '../ledger/ledger-record.ts';
import { decodeRecord } from './decode-record.ts';

/** The layout of the tables, kept with every session: a newer one is noticed however long a process has been running. */
export const TABLE_FORMAT = 1;

/**
 * The records of a session, from rows of `format`, `version`, `position` and `record` in the order of their positions;
 * the last two are null in the one row of a session without records from there on.
 *
 * @throws LedgerRecordError naming the session and the position of a record that is damaged or missing.
 */
export function recordsOf(
  rows: readonly unknown[],
  sessionId: string,
  from: number,
  to: number = Number.POSITIVE_INFINITY,
): LedgerRecord[] {
  const [first] = rows;
  if (first === undefined) return [];
  const version = checkedVersion(first, sessionId);
  const present = rows
    .filter(isObject)
    .filter((row) => row['position'] !== null && Number(row['position']) < to);
  const records = present.map((row, index) => {
    if (Number(row['position']) !== from + index) throw missing(sessionId, from + index);
    return decodeRecord(row['record'], sessionId, from + index);
  });
  if (from + records.length < Math.min(version, to)) throw missing(sessionId, from + records.length);
  return records;
}

/**
 * The version that a session's row tells.
 *
 * @throws LedgerRecordError when the tables have a layout of a newer version of this package.
 */
export function checkedVersion(row: unknown, sessionId: string): number {
  const format = numberIn(row, 'format');
  if (format > TABLE_FORMAT) {
    const problem = `the tables have format ${format}, this version reads up to ${TABLE_FORMAT}; update agents-hybrid-session`;
    throw new LedgerRecordError(sessionId, undefined, 'newer-format', problem);
  }
  return numberIn(row, 'version');
}

/** A number of a row: drivers may give it as a big integer or as text. */
export function numberIn(row: unknown, column: string): number {
  return Number((row as JsonObject)[column]);
}

function missing(sessionId: string, at: number): LedgerRecordError {
  return new LedgerRecordError(sessionId, at, 'damaged', 'it is missing');
}
