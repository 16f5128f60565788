import { Pool } from 'pg';
import postgres from 'postgres';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridSession } from '../../src/index.ts';
import { postgresLedger, postgresLedgerSchema, type PostgresPool } from '../../src/postgres.ts';
import { ledgerStoreContract } from '../../src/testing.ts';
import { texts, user } from '../support/conversation.ts';
import { pglite, postgresUrl, tableName } from './support/postgres-engines.ts';
import { proveTables } from './support/prove-tables.ts';
import { checkpoint, record } from './support/records.ts';

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** What a query gives. */
async function rows(pool: PostgresPool, text: string): Promise<unknown[]> {
  return (await pool.query(text)).rows;
}

/** Two records in a session, on a table of its own. */
async function filled() {
  const pool = pglite();
  const table = tableName();
  const store = postgresLedger({ pool, table });
  await store.append('session-1', [record('one'), record('two')], checkpoint(2), 0);
  return { pool, table: quoted(table), recordTable: quoted(`${table}_record`), store };
}

describe('postgresLedger', () => {
  proveTables('PostgreSQL', filled);

  it('a PostgreSQL ledger uses the default table', async () => {
    const store = postgresLedger({ pool: pglite() });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await rows(pglite(), 'SELECT session, version FROM hybrid_session_ledger')).toEqual([
      { session: 'session-1', version: 1 },
    ]);
  });

  it.for([
    'x"; DROP TABLE victim; --',
    "x'; DROP TABLE victim; --",
    'SELECT',
    'Upper Case',
    '$1',
    '$$; DROP TABLE victim; $$',
    'x\\',
    '\u00FC\u{1F600}',
  ])('a PostgreSQL ledger takes the name %o of a table literally', async (table) => {
    const pool = pglite();
    await pool.query('CREATE TABLE IF NOT EXISTS victim (id integer)');
    const store = postgresLedger({ pool, table });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.read('session-1')).toEqual({ records: [record('one')] });
    await store.delete('session-1');
    expect(await rows(pool, `SELECT count(*)::int AS count FROM ${quoted(table)}`)).toEqual([{ count: 0 }]);
    expect(await rows(pool, 'SELECT id FROM victim')).toEqual([]);
  });

  it('a PostgreSQL ledger takes what is before a dot as the schema', async () => {
    const pool = pglite();
    await pool.query('CREATE SCHEMA IF NOT EXISTS "my schema"');
    const store = postgresLedger({ pool, table: 'my schema.ledger' });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await rows(pool, 'SELECT version FROM "my schema"."ledger"')).toEqual([{ version: 1 }]);
    expect(await rows(pool, 'SELECT position FROM "my schema"."ledger_record"')).toEqual([{ position: 0 }]);
  });

  it.for(['', '.', 'a.', '.a', 'a.b.c', 'a\0b', 'x'.repeat(60), '\u{1F600}'.repeat(15)])(
    'a PostgreSQL ledger refuses the name %o, which cannot be one',
    (table) => {
      const message = expect.stringContaining(
        "Cannot create the PostgreSQL ledger: option 'table'",
      ) as string;
      const invalid = expect.objectContaining({ code: 'invalid_options', option: 'table', message });
      expect(() => postgresLedger({ pool: pglite(), table })).toThrow(invalid);
      expect(() => postgresLedgerSchema(table)).toThrow(invalid);
    },
  );

  it('a PostgreSQL ledger refuses a pool that is none, and options it does not know', () => {
    expect(() => postgresLedger({ pool: {} as PostgresPool })).toThrow(
      "Cannot create the PostgreSQL ledger: option 'pool' is invalid: must be a Pool or Client of 'pg' or " +
        "'@neondatabase/serverless', a PGlite database, the function 'sql' of 'postgres' or that of neon()",
    );
    const unknown = { pool: pglite(), tables: 'a' };
    expect(() => postgresLedger(unknown)).toThrow("option 'tables' is not known");
  });

  it('a PostgreSQL ledger uses tables that were created beforehand with the script, and needs no right to create any', async () => {
    const pool = pglite();
    const table = tableName();
    await pool.exec(postgresLedgerSchema(table));
    await pool.exec('DROP ROLE IF EXISTS app; CREATE ROLE app; REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    for (const name of [table, `${table}_record`])
      await pool.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${quoted(name)} TO app`);
    await pool.query('SET ROLE app');
    onTestFinished(async () => {
      await pool.query('RESET ROLE');
    });
    await expect(pool.query('CREATE TABLE refused (id integer)')).rejects.toThrow(/permission denied/);
    const store = postgresLedger({ pool, table });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await store.append('session-1', [record('two')], checkpoint(2), 1);
    expect((await store.read('session-1')).records).toHaveLength(2);
    await store.delete('session-1');
    expect(await store.checkpoint('session-1')).toBeUndefined();
  });

  it('a PostgreSQL ledger lets old sessions be deleted in one statement', async () => {
    const { pool, table, recordTable, store } = await filled();
    await pool.query(`DELETE FROM ${table} WHERE updated < now() - interval '1 minute'`);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    await pool.query(`DELETE FROM ${table} WHERE updated <= now()`);
    expect(await store.read('session-1')).toEqual({ records: [] });
    expect(await rows(pool, `SELECT position FROM ${recordTable}`)).toEqual([]);
  });

  it('a PostgreSQL ledger lists the sessions of a prefix in pages, whatever the collation of the database', async () => {
    const { store } = await filled();
    const ids = Array.from({ length: 450 }, (_, index) => `${index % 2 === 0 ? 'Ü' : 'u'}-${index}`);
    for (const id of ids) await store.append(id, [record('one')], checkpoint(1), 0);
    const found: string[] = [];
    for await (const { sessionId } of store.sessions?.({ prefix: 'Ü-' }) ?? []) found.push(sessionId);
    expect(found.toSorted()).toEqual(ids.filter((id) => id.startsWith('Ü')).toSorted());
  });

  it('a PostgreSQL ledger moves the time of the newest append on', async () => {
    const { pool, table, store } = await filled();
    await pool.query(`UPDATE ${table} SET updated = 'epoch'`);
    await store.append('session-1', [record('three')], checkpoint(3), 2);
    expect(await rows(pool, `SELECT updated > now() - interval '1 hour' AS fresh FROM ${table}`)).toEqual([
      { fresh: true },
    ]);
  });

  it('a PostgreSQL ledger reports a record that is missing', async () => {
    const { pool, recordTable, store } = await filled();
    await pool.query(`DELETE FROM ${recordTable} WHERE position = 0`);
    await expect(store.read('session-1')).rejects.toMatchObject({ code: 'ledger_unreadable', position: 0 });
    expect(await store.read('session-1', 1)).toEqual({ records: [record('two')] });
    await pool.query(`DELETE FROM ${recordTable} WHERE position = 1`);
    await expect(store.read('session-1', 1)).rejects.toMatchObject({
      code: 'ledger_unreadable',
      position: 1,
    });
  });

  it('a PostgreSQL ledger asks again when the server could not serialize, and when somebody created the tables meanwhile', async () => {
    const pool = pglite();
    const refusals = ['40001', '40001'];
    const creations = ['23505', '42P07'];
    const flaky: PostgresPool = {
      query: async (text, values) => {
        const code = (text.startsWith('CREATE') ? creations : refusals).shift();
        if (code !== undefined) throw Object.assign(new Error('refused'), { code });
        return pool.query(text, values);
      },
    };
    const store = postgresLedger({ pool: flaky, table: tableName() });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(1));
    expect([refusals, creations]).toEqual([[], []]);
  });

  it('a PostgreSQL ledger passes every other error on at once', async () => {
    const lost = Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });
    let asked = 0;
    const query = async (): Promise<never> => {
      asked += 1;
      throw lost;
    };
    await expect(postgresLedger({ pool: { query } }).checkpoint('session-1')).rejects.toBe(lost);
    expect(asked).toBe(1);
  });
});

const noServer = postgresUrl === undefined ? ' (TEST_POSTGRES_URL is not set)' : '';

describe.skipIf(postgresUrl === undefined)(`postgresLedger on a server${noServer}`, () => {
  it('a PostgreSQL ledger of postgres.js needs neither its types of arrays nor its names of columns', async () => {
    const sql = postgres(postgresUrl ?? '', { fetch_types: false, transform: postgres.pascal });
    onTestFinished(() => sql.end());
    const store = postgresLedger({ pool: sql, table: tableName() });
    const odd = record('"{a},b\\c" NULL');
    await store.append('session-1', [odd, record('')], checkpoint(2), 0);
    expect(await store.read('session-1')).toEqual({ records: [odd, record('')] });
  });

  it('a PostgreSQL ledger on a server creates its tables once when many begin at the same time', async () => {
    const table = tableName();
    const pools = Array.from({ length: 12 }, () => new Pool({ connectionString: postgresUrl ?? '', max: 1 }));
    onTestFinished(async () => {
      await Promise.all(pools.map((pool) => pool.end()));
    });
    await Promise.all(pools.map((pool) => pool.query('SELECT 1')));
    const sessions = pools.map((pool, index) => ({
      store: postgresLedger({ pool, table }),
      id: `session-${index}`,
    }));
    await Promise.all(sessions.map(({ store, id }) => store.append(id, [record(id)], checkpoint(1), 0)));
    for (const { store, id } of sessions) expect(await store.read(id)).toEqual({ records: [record(id)] });
  });

  it('a PostgreSQL ledger on a server leaves no record behind when a session is deleted while it is written', async () => {
    const pool = new Pool({ connectionString: postgresUrl ?? '', max: 8 });
    onTestFinished(() => pool.end());
    const table = tableName();
    const store = postgresLedger({ pool, table });
    for (let round = 0; round < 20; round += 1) {
      const id = `session-${round}`;
      await store.append(id, [record('one')], checkpoint(1), 0);
      const writes = [1, 2, 3].map(async (version) =>
        store.append(id, [record('more')], checkpoint(version + 1), version).catch(() => undefined),
      );
      await Promise.all([store.delete(id), ...writes]);
      await store.delete(id);
    }
    expect(await rows(pool, `SELECT * FROM ${quoted(`${table}_record`)}`)).toEqual([]);
  });

  it('a PostgreSQL ledger on a server holds a turn once whose append a lock held up and the caller repeated', async () => {
    const table = tableName();
    const connectionString = postgresUrl ?? '';
    const impatient = new Pool({ connectionString, max: 8, query_timeout: 300 });
    const other = new Pool({ connectionString, max: 1 });
    onTestFinished(async () => {
      await Promise.all([impatient.end(), other.end()]);
    });
    const ledger = postgresLedger({ pool: impatient, table });
    const options = { mirror: 'off', sessionId: 'user-42', ledger, advanced: { ledgerRetry: 500 } } as const;
    const session = new HybridSession(options);
    await session.addItems([user('hi')]);
    await other.query('BEGIN');
    await other.query(`SELECT * FROM ${quoted(table)} FOR UPDATE`);
    await expect(session.addItems([user('once')])).rejects.toThrow('Query read timeout');
    await expect(session.addItems([user('once')])).rejects.toThrow('Query read timeout');
    await other.query('COMMIT');
    // The server still works through the appends that nobody waits for any more.
    const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${table}%'`;
    while ((await other.query(waiting)).rows.length > 0) continue;
    expect(texts(await new HybridSession(options).getItems())).toEqual(['hi', 'once']);
    await session.addItems([user('once')]);
    await session.addItems([user('twice')]);
    expect(texts(await new HybridSession(options).getItems())).toEqual(['hi', 'once', 'twice']);
    expect(await session.verify()).toMatchObject({ verified: true, length: 3 });
  });

  it.for(
    ledgerStoreContract({
      create() {
        const table = tableName();
        const options = encodeURIComponent('-c default_transaction_isolation=serializable');
        return {
          open: () => {
            const pool = new Pool({ connectionString: `${postgresUrl ?? ''}?options=${options}`, max: 3 });
            return { store: postgresLedger({ pool, table }), close: () => pool.end() };
          },
        };
      },
    }).filter(({ name }) => /appenders|writers|version/.test(name)),
  )('an append works with serializable transactions by default, $name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});
