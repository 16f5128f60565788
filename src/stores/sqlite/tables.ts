import { LedgerConflictError } from '../../errors/ledger.ts';
import { isObject } from '../../util/json.ts';
import type { Checkpoint } from '../../ledger/record.ts';
import type { LedgerPage } from '../../ledger/store.ts';
import { decodeCheckpoint } from '../shared/decode-record.ts';
import {
  checkedVersion,
  numberIn,
  pageOf,
  SESSIONS_PAGE,
  TABLE_FORMAT,
  type RowsWrite,
} from '../shared/rows.ts';
import { sessionKey } from '../shared/session-key.ts';
import type { SqliteDatabase } from './database.ts';

/** Creates the tables, one statement each. */
export const SCHEMA_STATEMENTS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS hybrid_session_ledger (
  id INTEGER PRIMARY KEY,
  session TEXT NOT NULL UNIQUE,
  format INTEGER NOT NULL,
  version INTEGER NOT NULL,
  head TEXT NOT NULL,
  updated INTEGER NOT NULL
)`,
  `CREATE TABLE IF NOT EXISTS hybrid_session_ledger_record (
  ledger INTEGER NOT NULL,
  position INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (ledger, position)
)`,
  `CREATE TRIGGER IF NOT EXISTS hybrid_session_ledger_erase AFTER DELETE ON hybrid_session_ledger BEGIN
  DELETE FROM hybrid_session_ledger_record WHERE ledger = OLD.id;
END`,
];

/**
 * The tables, for apps that create them beforehand. Otherwise the ledger creates them at first use.
 *
 * A row of the first table is a session: delete it, and its records go with it.
 */
export const SQLITE_LEDGER_SCHEMA: string = `\n${SCHEMA_STATEMENTS.join(';\n')};\n`;

const SELECT_SESSION = 'SELECT id, format, version, head FROM hybrid_session_ledger WHERE session = ?';
const INSERT_SESSION = `INSERT INTO hybrid_session_ledger (session, format, version, head, updated)
  VALUES (?, ${TABLE_FORMAT}, 0, '', 0)`;
const UPDATE_SESSION = `UPDATE hybrid_session_ledger
  SET version = ?, head = ?, updated = CAST(strftime('%s', 'now') AS INTEGER)
  WHERE session = ? AND version = ? AND format = ${TABLE_FORMAT} RETURNING id`;
const DELETE_SESSION = 'DELETE FROM hybrid_session_ledger WHERE session = ?';
const INSERT_RECORD = 'INSERT INTO hybrid_session_ledger_record (ledger, position, record) VALUES (?, ?, ?)';
const DELETE_RECORDS = 'DELETE FROM hybrid_session_ledger_record WHERE ledger = ? AND position < ?';
const SELECT_RECORDS = `SELECT l.format, l.version, r.position, r.record FROM hybrid_session_ledger l
  LEFT JOIN hybrid_session_ledger_record r ON r.ledger = l.id AND r.position >= ?
  WHERE l.session = ? ORDER BY r.position`;
const SELECT_SESSIONS = `SELECT session, format, version, head, updated * 1000 AS updated FROM hybrid_session_ledger
  WHERE session >= ? ORDER BY session LIMIT ${SESSIONS_PAGE}`;

/** Creates the missing tables, in one transaction. */
export function createTables(database: SqliteDatabase): void {
  const last = database
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = 'hybrid_session_ledger_erase'")
    .get();
  if (last === undefined) inTransaction(database, () => database.exec(SQLITE_LEDGER_SCHEMA));
}

/** The checkpoint of a session. */
export function selectCheckpoint(database: SqliteDatabase, sessionId: string): Checkpoint | undefined {
  const row = database.prepare(SELECT_SESSION).get(sessionKey(sessionId));
  if (row === undefined) return undefined;
  checkedVersion(row, sessionId);
  return decodeCheckpoint(isObject(row) ? row['head'] : undefined, sessionId);
}

/** The records from a position on, as of one moment. */
export function selectRecords(
  database: SqliteDatabase,
  sessionId: string,
  from: number,
  to?: number,
): LedgerPage {
  return pageOf(database.prepare(SELECT_RECORDS).all(from, sessionKey(sessionId)), sessionId, from, to);
}

/** The rows of the first sessions from a name on. */
export function selectSessions(database: SqliteDatabase, from: string): unknown[] {
  return database.prepare(SELECT_SESSIONS).all(from);
}

/** @throws LedgerConflictError when the version is not the expected one; nothing has then changed. */
export function writeRecords(
  database: SqliteDatabase,
  sessionId: string,
  { records, checkpoint, expected, isRewrite }: RowsWrite,
): void {
  const key = sessionKey(sessionId);
  inTransaction(database, () => {
    const update = database.prepare(UPDATE_SESSION);
    const advance = (): unknown => update.get(expected + records.length, checkpoint, key, expected);
    let row = advance();
    if (row === undefined) {
      const session = database.prepare(SELECT_SESSION).get(key);
      const version = session === undefined ? 0 : checkedVersion(session, sessionId);
      if (version !== expected) throw new LedgerConflictError(sessionId, expected, version);
      database.prepare(INSERT_SESSION).run(key);
      row = advance();
    }
    const id = numberIn(row, 'id');
    if (isRewrite) database.prepare(DELETE_RECORDS).run(id, expected);
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

/** Takes the write lock at once: a lock taken only at the first write could find that the rows have changed since the read. */
export function inTransaction(database: SqliteDatabase, work: () => void): void {
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
