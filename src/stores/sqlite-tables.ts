import { LedgerConflictError } from '../errors/ledger-conflict-error.ts';
import { isObject } from '../ledger/json.ts';
import type { LedgerHead, LedgerRecord } from '../ledger/ledger-record.ts';
import { decodeHead } from './decode-record.ts';
import { checkedVersion, numberIn, recordsOf, TABLE_FORMAT } from './ledger-rows.ts';
import { sessionKey } from './session-key.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/**
 * The tables, for who creates them beforehand; the ledger does it at first use.
 *
 * A row of the first table is a session: delete it, and its records go with it.
 */
export const SQLITE_LEDGER_SCHEMA = `
CREATE TABLE IF NOT EXISTS hybrid_session_ledger (
  id INTEGER PRIMARY KEY,
  session TEXT NOT NULL UNIQUE,
  format INTEGER NOT NULL,
  version INTEGER NOT NULL,
  head TEXT NOT NULL,
  updated INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS hybrid_session_ledger_record (
  ledger INTEGER NOT NULL,
  position INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (ledger, position)
);
CREATE TRIGGER IF NOT EXISTS hybrid_session_ledger_erase AFTER DELETE ON hybrid_session_ledger BEGIN
  DELETE FROM hybrid_session_ledger_record WHERE ledger = OLD.id;
END;
`;

const SELECT_SESSION = 'SELECT id, format, version, head FROM hybrid_session_ledger WHERE session = ?';
const INSERT_SESSION = `INSERT INTO hybrid_session_ledger (session, format, version, head, updated)
  VALUES (?, ${TABLE_FORMAT}, 0, '', 0)`;
const UPDATE_SESSION = `UPDATE hybrid_session_ledger
  SET version = ?, head = ?, updated = CAST(strftime('%s', 'now') AS INTEGER)
  WHERE session = ? AND version = ? AND format = ${TABLE_FORMAT} RETURNING id`;
const DELETE_SESSION = 'DELETE FROM hybrid_session_ledger WHERE session = ?';
const INSERT_RECORD = 'INSERT INTO hybrid_session_ledger_record (ledger, position, record) VALUES (?, ?, ?)';
const SELECT_RECORDS = `SELECT l.format, l.version, r.position, r.record FROM hybrid_session_ledger l
  LEFT JOIN hybrid_session_ledger_record r ON r.ledger = l.id AND r.position >= ?
  WHERE l.session = ? ORDER BY r.position`;

/** An append as it goes into the tables. */
export interface SqliteAppend {
  readonly records: readonly string[];
  readonly head: string;
  readonly expected: number;
}

/** Creates what is missing, in one transaction. */
export function createTables(database: SqliteDatabase): void {
  const last = database
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'hybrid_session_ledger_erase'")
    .get();
  if (last === undefined) inTransaction(database, () => database.exec(SQLITE_LEDGER_SCHEMA));
}

/** The head of a session. */
export function selectHead(database: SqliteDatabase, sessionId: string): LedgerHead | undefined {
  const row = database.prepare(SELECT_SESSION).get(sessionKey(sessionId));
  if (row === undefined) return undefined;
  checkedVersion(row, sessionId);
  return decodeHead(isObject(row) ? row['head'] : undefined, sessionId);
}

/** The records from a position on, as of one moment. */
export function selectRecords(
  database: SqliteDatabase,
  sessionId: string,
  from: number,
  to?: number,
): LedgerRecord[] {
  return recordsOf(database.prepare(SELECT_RECORDS).all(from, sessionKey(sessionId)), sessionId, from, to);
}

/** @throws LedgerConflictError when the version is not the expected one; nothing has then changed. */
export function insertRecords(
  database: SqliteDatabase,
  sessionId: string,
  { records, head, expected }: SqliteAppend,
): void {
  const key = sessionKey(sessionId);
  inTransaction(database, () => {
    const update = database.prepare(UPDATE_SESSION);
    const advance = (): unknown => update.get(expected + records.length, head, key, expected);
    let row = advance();
    if (row === undefined) {
      const session = database.prepare(SELECT_SESSION).get(key);
      const version = session === undefined ? 0 : checkedVersion(session, sessionId);
      if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
      database.prepare(INSERT_SESSION).run(key);
      row = advance();
    }
    const id = numberIn(row, 'id');
    const insert = database.prepare(INSERT_RECORD);
    for (const [index, record] of records.entries()) insert.run(id, expected + index, record);
  });
}

/**
 * Deletes a session and its records in one statement, by the trigger.
 *
 * @throws LedgerConflictError when the version is not the expected one; nothing has then changed.
 */
export function deleteSession(database: SqliteDatabase, sessionId: string, expected?: number): void {
  const key = sessionKey(sessionId);
  if (expected === undefined) {
    database.prepare(DELETE_SESSION).run(key);
    return;
  }
  inTransaction(database, () => {
    const row = database.prepare(SELECT_SESSION).get(key);
    const version = row === undefined ? 0 : checkedVersion(row, sessionId);
    if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
    database.prepare(DELETE_SESSION).run(key);
  });
}

/** Takes the write lock at once: a lock taken only at the first write could find that what was read has changed. */
function inTransaction(database: SqliteDatabase, work: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    work();
    database.exec('COMMIT');
  } catch (error) {
    try {
      database.exec('ROLLBACK');
    } catch {
      // SQLite has already rolled back, as it does when the disk is full.
    }
    throw error;
  }
}
