// One database for everything that the chat must not lose: PostgreSQL, or a SQLite file where no URL is given.
import { postgresLedger } from 'agents-hybrid-session/postgres';
import { sqliteLedger } from 'agents-hybrid-session/sqlite';
import Sqlite from 'libsql';
import { Pool } from 'pg';

const TABLES = [
  `CREATE TABLE IF NOT EXISTS chat_approvals (chat_id TEXT PRIMARY KEY, state TEXT NOT NULL, claimed_until BIGINT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS chat_refunds (call_id TEXT PRIMARY KEY, order_id TEXT NOT NULL)`,
];

/** @returns the ledger of the sessions, and `query()` for the app's own tables. */
export function openDatabase({ url, path }) {
  return url === undefined ? openSqlite(path) : openPostgres(url);
}

async function openPostgres(connectionString) {
  const pool = new Pool({ connectionString });
  // An idle connection may break: the next query opens another one.
  pool.on('error', () => undefined);
  // Two processes that start at once must not create one table twice.
  const client = await pool.connect();
  try {
    await client.query('SELECT pg_advisory_lock(4201)');
    for (const sql of TABLES) await client.query(sql);
    await client.query('SELECT pg_advisory_unlock(4201)');
  } finally {
    client.release();
  }
  const query = async (sql, values = []) => (await pool.query(sql, values)).rows;
  return { ledger: postgresLedger({ pool }), query, close: () => pool.end() };
}

async function openSqlite(path) {
  const ledger = sqliteLedger({ path });
  // Its first use creates the file with a write-ahead log, and waits for other processes that do the same.
  await ledger.checkpoint('none');
  const database = new Sqlite(path);
  for (const sql of ['PRAGMA journal_mode = WAL', 'PRAGMA busy_timeout = 5000', ...TABLES])
    database.exec(sql);
  const query = async (sql, values = []) => {
    const statement = database.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'));
    return statement.reader ? statement.all(...values) : (statement.run(...values), []);
  };
  const close = async () => {
    database.close();
    await ledger.close();
  };
  return { ledger, query, close };
}
