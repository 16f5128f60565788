import { InvalidOptionsError } from '../../errors/options.ts';
import { SESSIONS_PAGE, TABLE_FORMAT } from '../shared/rows.ts';

/** A name has 64 characters at most, also that of the foreign key, of which a database has one of a name. */
const LONGEST_NAME = 64 - '_record_key'.length;
const LONGEST_DATABASE = 64;
/** Names of tables have three bytes of UTF-8 for a character at most. */
const UNSUITABLE = /[\0\u{10000}-\u{10FFFF}\p{Surrogate}]|\s$/u;

/** The names of the ledger's tables, quoted. */
export interface MysqlTables {
  readonly sessions: string;
  readonly records: string;
  readonly foreignKey: string;
}

/**
 * The tables of a name, which may have a database before a dot; everything else in it is taken literally.
 *
 * @throws InvalidOptionsError
 */
export function mysqlTables(table: string): MysqlTables {
  const parts = table.split('.');
  const name = parts.pop() ?? table;
  if (parts.length > 1) throw invalid("can have one dot, between the database's name and the table's");
  for (const part of [...parts, name]) {
    if (part === '' || UNSUITABLE.test(part))
      throw invalid('must not be empty, end with a space, or hold a NUL or a character beyond U+FFFF');
    const longest = part === name ? LONGEST_NAME : LONGEST_DATABASE;
    if (part.length > longest) throw invalid(`is too long: '${part}' has more than ${longest} characters`);
  }
  const qualified = (last: string): string => [...parts, last].map((part) => quoted(part)).join('.');
  return {
    sessions: qualified(name),
    records: qualified(`${name}_record`),
    foreignKey: quoted(`${name}_record_key`),
  };
}

/** The statements that create the tables, in order; a database must be there already. */
export function createStatements({ sessions, records, foreignKey }: MysqlTables): readonly string[] {
  const options = 'ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin';
  return [
    `CREATE TABLE IF NOT EXISTS ${sessions} (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  session VARBINARY(512) NOT NULL UNIQUE,
  format INT NOT NULL,
  version INT NOT NULL,
  head LONGTEXT NOT NULL,
  updated DATETIME(3) NOT NULL
) ${options}`,
    `CREATE TABLE IF NOT EXISTS ${records} (
  ledger BIGINT UNSIGNED NOT NULL,
  position INT NOT NULL,
  part INT NOT NULL,
  record LONGTEXT NOT NULL,
  PRIMARY KEY (ledger, position, part),
  CONSTRAINT ${foreignKey} FOREIGN KEY (ledger) REFERENCES ${sessions} (id) ON DELETE CASCADE
) ${options}`,
  ];
}

/** Everything the ledger asks. Names of sessions are bytes: any collation of text takes some of them for equal. */
export interface MysqlStatements {
  /** Session. */
  readonly session: string;
  /** First position, session; without an order, for which the server would copy all records to a temporary table. */
  readonly read: string;
  /** Session, version, checkpoint; fails as a duplicate where the session is there. */
  readonly insertSession: string;
  /** New version, checkpoint, session, expected version; gives an `insertId` when that was the version. */
  readonly updateSession: string;
  /** Ledger, position, part and record, for that many rows. */
  readonly insertRecords: (rows: number) => string;
  /** Ledger, first position that stays. */
  readonly deleteRecords: string;
  /** Session. */
  readonly deleteSession: string;
  /** Session, expected version. */
  readonly deleteVersion: string;
  /** First session. */
  readonly sessions: string;
}

/** The statements on these tables. */
export function mysqlStatements({ sessions, records }: MysqlTables): MysqlStatements {
  return {
    session: `SELECT format, version, head FROM ${sessions} WHERE session = ?`,
    read: `SELECT l.format, l.version, r.position, r.part, r.record FROM ${sessions} l
  LEFT JOIN ${records} r ON r.ledger = l.id AND r.position >= ?
  WHERE l.session = ?`,
    insertSession: `INSERT INTO ${sessions} (session, format, version, head, updated)
  VALUES (?, ${TABLE_FORMAT}, ?, ?, UTC_TIMESTAMP(3))`,
    // The ID tells that a row was found, also where the pool counts changed rows only.
    updateSession: `UPDATE ${sessions}
  SET id = LAST_INSERT_ID(id), version = ?, head = ?, updated = UTC_TIMESTAMP(3)
  WHERE session = ? AND version = ? AND format <= ${TABLE_FORMAT}`,
    insertRecords: (rows) =>
      `INSERT INTO ${records} (ledger, position, part, record) VALUES ${Array.from({ length: rows }, () => '(?, ?, ?, ?)').join(', ')}`,
    deleteRecords: `DELETE FROM ${records} WHERE ledger = ? AND position < ?`,
    deleteSession: `DELETE FROM ${sessions} WHERE session = ?`,
    deleteVersion: `DELETE FROM ${sessions} WHERE session = ? AND version = ?`,
    sessions: `SELECT CONVERT(l.session USING utf8mb4) AS session, l.format, l.version, l.head,
  TIMESTAMPDIFF(MICROSECOND, '1970-01-01', l.updated) DIV 1000 AS updated
  FROM ${sessions} l WHERE l.session >= ? ORDER BY l.session LIMIT ${SESSIONS_PAGE}`,
  };
}

function quoted(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

function invalid(problem: string): InvalidOptionsError {
  return new InvalidOptionsError('table', problem, { subject: 'the MySQL ledger' });
}
