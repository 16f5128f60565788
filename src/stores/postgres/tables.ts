import { InvalidOptionsError } from '../../errors/options.ts';
import { SESSIONS_PAGE, TABLE_FORMAT } from '../shared/rows.ts';

/** PostgreSQL cuts longer names without a word, and two that were cut can be the same. */
const LONGEST_NAME = 63;

/** The names of the ledger's tables, quoted. */
export interface PostgresTables {
  readonly sessions: string;
  readonly records: string;
}

/**
 * The tables of a name, which may have a schema before a dot; everything else in it is taken literally.
 *
 * @throws InvalidOptionsError
 */
export function postgresTables(table: string): PostgresTables {
  const parts = table.split('.');
  const name = parts.pop() ?? table;
  const [schema] = parts;
  if (parts.length > 1) throw invalid("can have one dot, between the schema's name and the table's");
  for (const part of [schema ?? name, name, `${name}_record`]) {
    if (part === '' || part.includes('\0')) throw invalid('must not be empty or hold a NUL');
    if (Buffer.byteLength(part) > LONGEST_NAME)
      throw invalid(`is too long: '${part}' has more than ${LONGEST_NAME} bytes`);
  }
  const qualified = (last: string): string =>
    [...parts, last].map((part) => `"${part.replaceAll('"', '""')}"`).join('.');
  return { sessions: qualified(name), records: qualified(`${name}_record`) };
}

/** The statements that create the tables, in order; a schema must be there already. */
export function createStatements({ sessions, records }: PostgresTables): readonly string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${sessions} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  session text COLLATE "C" NOT NULL UNIQUE,
  format integer NOT NULL,
  version integer NOT NULL,
  head text NOT NULL,
  updated timestamptz NOT NULL DEFAULT now()
)`,
    `CREATE TABLE IF NOT EXISTS ${records} (
  ledger bigint NOT NULL REFERENCES ${sessions} ON DELETE CASCADE,
  position integer NOT NULL,
  record text NOT NULL,
  PRIMARY KEY (ledger, position)
)`,
  ];
}

/** Everything the ledger asks, each in one statement: a pool gives no two of them the same connection. */
export interface PostgresStatements {
  /** $1 session. */
  readonly checkpoint: string;
  /** $1 session, $2 first position. */
  readonly read: string;
  /** $1 session, $2 expected version, $3 checkpoint, $4 records; a row when it was the version. */
  readonly append: string;
  /** The same; the records take the place of all that were there. */
  readonly rewrite: string;
  /** $1 session, $2 expected version or null; a row when it was the version. */
  readonly delete: string;
  /** $1 first session. */
  readonly sessions: string;
}

/** The statements on these tables. */
export function postgresStatements({ sessions, records }: PostgresTables): PostgresStatements {
  const known = `l.version = $2::int AND l.format <= ${TABLE_FORMAT}`;
  const inserted = `INSERT INTO ${sessions} AS l (session, format, version, head)
    SELECT $1::text, ${TABLE_FORMAT}, cardinality($4::text[]), $3::text WHERE $2::int = 0
    ON CONFLICT (session) DO UPDATE SET version = excluded.version, head = excluded.head, updated = now()
    WHERE ${known}
    RETURNING l.id`;
  const updated = `UPDATE ${sessions} AS l
    SET version = l.version + cardinality($4::text[]), head = $3::text, updated = now()
    WHERE l.session = $1::text AND $2::int > 0 AND ${known}
    RETURNING l.id`;
  const append = `WITH inserted AS (${inserted}), updated AS (${updated}),
  moved AS (SELECT id FROM inserted UNION ALL SELECT id FROM updated),
  added AS (
    INSERT INTO ${records} (ledger, position, record)
    SELECT moved.id, $2::int + entry.at - 1, entry.record
    FROM moved, unnest($4::text[]) WITH ORDINALITY AS entry(record, at)
  )`;
  return {
    checkpoint: `SELECT format, version, head FROM ${sessions} WHERE session = $1::text`,
    read: `SELECT l.format, l.version, r.position, r.record FROM ${sessions} l
  LEFT JOIN ${records} r ON r.ledger = l.id AND r.position >= $2::int
  WHERE l.session = $1::text ORDER BY r.position`,
    append: `${append}
SELECT id FROM moved`,
    rewrite: `${append},
  cleared AS (DELETE FROM ${records} r USING moved WHERE r.ledger = moved.id AND r.position < $2::int)
SELECT id FROM moved`,
    delete: `DELETE FROM ${sessions} WHERE session = $1::text AND version = coalesce($2::int, version) RETURNING id`,
    sessions: `SELECT session, format, version, head, floor(extract(epoch FROM updated) * 1000) AS updated
  FROM ${sessions} WHERE session >= $1::text ORDER BY session LIMIT ${SESSIONS_PAGE}`,
  };
}

function invalid(problem: string): InvalidOptionsError {
  return new InvalidOptionsError('table', problem, { subject: 'the PostgreSQL ledger' });
}
