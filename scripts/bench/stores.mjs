// The stores that are there, each with its own ledger and the way to do without one: the driver, used by hand.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryLedger } from 'agents-hybrid-session';
import { postgresLedger } from 'agents-hybrid-session/postgres';
import { redisLedger } from 'agents-hybrid-session/redis';
import { sqliteLedger } from 'agents-hybrid-session/sqlite';

/**
 * Opens the available stores: memory, SQLite, PGlite; Redis and PostgreSQL if TEST_REDIS_URL and TEST_POSTGRES_URL name
 * them, as `scripts/with-servers.sh` does.
 * A store has `ledger()`, a new store object on the same data, and `raw()`: `write(session, position, text)` is one
 * insert of the driver's, `read(session)` the newest text, `close()` ends its use.
 */
export async function openStores() {
  const stores = [memoryStore(), sqliteStore(), await pgliteStore()];
  const { TEST_REDIS_URL: redis, TEST_POSTGRES_URL: postgres } = process.env;
  if (redis !== undefined) stores.push(await redisStore(redis));
  if (postgres !== undefined) stores.push(await postgresStore(postgres));
  return stores;
}

const nothing = () => undefined;

function memoryStore() {
  const ledger = memoryLedger();
  const rows = new Map();
  return {
    name: 'memory',
    ledger: () => ledger,
    raw: async () => ({
      write(session, _position, text) {
        const own = rows.get(session);
        if (own === undefined) rows.set(session, [text]);
        else own.push(text);
      },
      read: (session) => rows.get(session)?.at(-1),
      close: nothing,
    }),
    close: nothing,
  };
}

/** Both sides: every commit on the disk before it returns. */
const DURABLE = ['PRAGMA journal_mode = WAL', 'PRAGMA synchronous = FULL'];
const RAW_TABLE =
  'CREATE TABLE IF NOT EXISTS bench_raw (session TEXT, position INTEGER, record TEXT, PRIMARY KEY (session, position))';

/** The driver that `sqliteLedger({ path })` takes, too. */
async function sqliteClass() {
  try {
    return (await import('node:sqlite')).DatabaseSync;
  } catch {
    return (await import('libsql')).default;
  }
}

function sqliteStore() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const path = join(folder, 'ledger.db');
  return {
    name: 'sqlite',
    path,
    ledger: () => sqliteLedger({ path }),
    raw: () => rawSqlite(join(folder, 'raw.db')),
    rawPath: join(folder, 'raw.db'),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A SQLite file, used by hand. */
export async function rawSqlite(path) {
  const database = new (await sqliteClass())(path);
  for (const pragma of DURABLE) database.exec(pragma);
  database.exec(RAW_TABLE);
  const insert = database.prepare('INSERT INTO bench_raw VALUES (?, ?, ?)');
  const select = database.prepare(
    'SELECT record FROM bench_raw WHERE session = ? ORDER BY position DESC LIMIT 1',
  );
  return {
    write: (session, position, text) => void insert.run(session, position, text),
    read: (session) => select.get(session)?.record,
    close: () => database.close(),
  };
}

async function pgliteStore() {
  const { PGlite } = await import('@electric-sql/pglite');
  const database = await PGlite.create();
  return { name: 'pglite', ...sqlStore(database), close: () => database.close() };
}

async function postgresStore(connectionString) {
  const { Pool } = (await import('pg')).default;
  const pool = new Pool({ connectionString });
  return {
    name: 'postgres',
    ...sqlStore(pool),
    async close() {
      await pool.query('DROP TABLE IF EXISTS bench_raw, bench_ledger, bench_ledger_record CASCADE');
      await pool.end();
    },
  };
}

function sqlStore(pool) {
  return {
    ledger: () => postgresLedger({ pool, table: 'bench_ledger' }),
    async raw() {
      await pool.query(RAW_TABLE);
      return {
        write: (...values) => pool.query('INSERT INTO bench_raw VALUES ($1, $2, $3)', values),
        async read(session) {
          const text = 'SELECT record FROM bench_raw WHERE session = $1 ORDER BY position DESC LIMIT 1';
          return (await pool.query(text, [session])).rows[0]?.record;
        },
        close: nothing,
      };
    },
  };
}

async function redisStore(url) {
  const { createClient } = await import('redis');
  const client = await createClient({ url }).connect();
  const prefix = `bench-${process.pid}:`;
  return {
    name: 'redis',
    ledger: () => redisLedger({ client, prefix }),
    raw: async () => ({
      write: (session, _position, text) => client.rPush(`${prefix}raw:${session}`, text),
      read: (session) => client.lIndex(`${prefix}raw:${session}`, -1),
      close: nothing,
    }),
    async close() {
      for await (const keys of client.scanIterator({ MATCH: `${prefix}*` })) await client.del(keys);
      await client.close();
    },
  };
}
