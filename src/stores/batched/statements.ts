import { piecesOf } from '../shared/parts.ts';
import { SESSIONS_PAGE, TABLE_FORMAT, type RowsWrite } from '../shared/rows.ts';
import type { SqlStatement } from './batch.ts';

/** How a database keeps records. */
export interface RecordLayout {
  /** Creates the tables, each statement only where its object is missing. */
  readonly schema: readonly string[];
  /** Whether a record can take several rows, for databases with a limit for one: its rows have a number `part`. */
  readonly inParts: boolean;
}

/** The longest text of one parameter, in UTF-16 units: each takes three bytes at most. */
const MAX_TEXT = 300_000;

const SELECT_SESSION = 'SELECT format, version, head FROM hybrid_session_ledger WHERE session = ?';
/** The session, as long as its version is the expected one. */
const EXPECTED = `session = ? AND version = ? AND format = ${TABLE_FORMAT}`;
const INSERT_SESSION = `INSERT INTO hybrid_session_ledger (session, format, version, head, updated)
  SELECT ?, ${TABLE_FORMAT}, 0, '', 0 WHERE ? = 0 ON CONFLICT (session) DO NOTHING`;
const INSERT_RECORDS = `INSERT INTO hybrid_session_ledger_record (ledger, position, record)
  SELECT l.id, ? + entry.key, entry.value FROM hybrid_session_ledger l, json_each(?) entry WHERE ${EXPECTED}`;
const INSERT_PART = `INSERT INTO hybrid_session_ledger_record (ledger, position, part, record)
  SELECT id, ?, ?, ? FROM hybrid_session_ledger WHERE ${EXPECTED}`;
const DELETE_RECORDS = `DELETE FROM hybrid_session_ledger_record
  WHERE ledger = (SELECT id FROM hybrid_session_ledger WHERE ${EXPECTED}) AND position < ?`;
const UPDATE_SESSION = `UPDATE hybrid_session_ledger
  SET version = ?, head = ?, updated = CAST(strftime('%s', 'now') AS INTEGER) WHERE ${EXPECTED} RETURNING id`;
const DELETE_SESSION = 'DELETE FROM hybrid_session_ledger WHERE session = ?';
const SELECT_SESSIONS = `SELECT session, format, version, head, updated * 1000 AS updated FROM hybrid_session_ledger
  WHERE session >= ? ORDER BY session LIMIT ${SESSIONS_PAGE}`;

/** One row of `format`, `version` and `head`; none for a session never written. */
export function checkpointStatement(key: string): SqlStatement {
  return { sql: SELECT_SESSION, args: [key] };
}

/** A row for each part of a record. */
export function readStatement(key: string, from: number, { inParts }: RecordLayout): SqlStatement {
  const part = inParts ? ', r.part' : '';
  const sql = `SELECT l.format, l.version, r.position, r.record${part} FROM hybrid_session_ledger l
  LEFT JOIN hybrid_session_ledger_record r ON r.ledger = l.id AND r.position >= ?
  WHERE l.session = ? ORDER BY r.position${part}`;
  return { sql, args: [from, key] };
}

/** The first sessions from a name on. */
export function sessionsStatement(from: string): SqlStatement {
  return { sql: SELECT_SESSIONS, args: [from] };
}

/**
 * The statements of an append or a rewrite, for one transaction. Each but the last does nothing unless the session has the expected
 * version; the one before the last moves the version on, and answers a row where it did. The last one answers the session.
 */
export function writeStatements(
  key: string,
  { records, checkpoint, expected, isRewrite }: RowsWrite,
  layout: RecordLayout,
): SqlStatement[] {
  return [
    { sql: INSERT_SESSION, args: [key, expected] },
    ...insertStatements(key, records, expected, layout),
    ...(isRewrite ? [{ sql: DELETE_RECORDS, args: [key, expected, expected] }] : []),
    { sql: UPDATE_SESSION, args: [expected + records.length, checkpoint, key, expected] },
    { sql: SELECT_SESSION, args: [key] },
  ];
}

/** The statements of a deletion, for one transaction; the first one answers the session as it was. */
export function deleteStatements(key: string, expected: number | undefined): SqlStatement[] {
  const deletion =
    expected === undefined
      ? { sql: DELETE_SESSION, args: [key] }
      : { sql: `DELETE FROM hybrid_session_ledger WHERE ${EXPECTED}`, args: [key, expected] };
  return [{ sql: SELECT_SESSION, args: [key] }, deletion];
}

/** Few statements with few parameters: many short records go as one text of JSON, a long record in parts. */
function insertStatements(
  key: string,
  records: readonly string[],
  expected: number,
  { inParts }: RecordLayout,
): SqlStatement[] {
  const statements: SqlStatement[] = [];
  let group: string[] = [];
  let size = 0;
  const flush = (end: number): void => {
    if (group.length === 0) return;
    const args = [expected + end - group.length, `[${group.join(',')}]`, key, expected];
    statements.push({ sql: INSERT_RECORDS, args });
    [group, size] = [[], 0];
  };
  for (const [index, record] of records.entries()) {
    const text = JSON.stringify(record);
    if (size + text.length > MAX_TEXT) flush(index);
    if (inParts && text.length > MAX_TEXT) {
      for (const [part, piece] of piecesOf(record, MAX_TEXT).entries())
        statements.push({ sql: INSERT_PART, args: [expected + index, part, piece, key, expected] });
      continue;
    }
    group.push(text);
    size += text.length + 1;
  }
  flush(records.length);
  return statements;
}
