import { createPool, type Pool, type PoolOptions } from 'mysql2/promise';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridSession, type LedgerStore } from '../../src/index.ts';
import { mysqlLedger, mysqlLedgerSchema, type MysqlPool } from '../../src/mysql.ts';
import { ledgerStoreContract } from '../../src/testing.ts';
import { texts, user } from '../support/conversation.ts';
import { mysqlTable, mysqlUrl, quotedName } from './support/mysql-engines.ts';
import { proveTables } from './support/prove-tables.ts';
import { checkpoint, record } from './support/records.ts';

/** A pool on the server of the tests, which is ended with the test; `setup` runs on each new connection. */
function opened(options: PoolOptions = {}, setup: string = 'DO 0'): Pool {
  const pool = createPool({ uri: mysqlUrl ?? '', connectionLimit: 3, ...options });
  pool.pool.on('connection', (connection) => void connection.query(setup));
  onTestFinished(() => pool.end());
  return pool;
}

/** The rows of a query. */
async function rows(pool: Pool, text: string): Promise<unknown> {
  return (await pool.execute(text))[0];
}

/** Two records in a session, on a table of its own. */
async function filled(pool: Pool = opened()) {
  const table = mysqlTable();
  const store = mysqlLedger({ pool, table });
  await store.append('session-1', [record('one'), record('two')], checkpoint(2), 0);
  return { pool, name: table, table: quotedName(table), recordTable: quotedName(`${table}_record`), store };
}

const sessionOn = (ledger: LedgerStore, ledgerRetry?: number): HybridSession =>
  new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger, advanced: { ledgerRetry } });

const noServer = mysqlUrl === undefined ? ' (TEST_MYSQL_URL is not set)' : '';

describe.skipIf(mysqlUrl === undefined)(`mysqlLedger on a server${noServer}`, () => {
  proveTables('MySQL', filled);

  it('a MySQL ledger uses the default table', async () => {
    const pool = opened();
    const store = mysqlLedger({ pool });
    await store.append('default table', [record('one')], checkpoint(1), 0);
    const found = "SELECT version FROM hybrid_session_ledger WHERE session = 'default table'";
    expect(await rows(pool, found)).toEqual([{ version: 1 }]);
    await store.delete('default table');
  });

  it.for([
    'x`; DROP TABLE victim; -- ',
    "x'; DROP TABLE victim; --",
    'SELECT',
    'Upper Case',
    '?',
    ':name',
    'x\\',
    '\u00FC',
  ])('a MySQL ledger takes the name %o of a table literally', async (name) => {
    const pool = opened({ namedPlaceholders: true });
    await pool.query('CREATE TABLE IF NOT EXISTS victim (id INT)');
    const table = `${name.trim()}${mysqlTable()}`;
    const store = mysqlLedger({ pool, table });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await store.read('session-1')).toEqual({ records: [record('one')] });
    await store.delete('session-1');
    expect(await rows(pool, `SELECT count(*) AS count FROM ${quotedName(table)}`)).toEqual([{ count: 0 }]);
    expect(await rows(pool, 'SELECT id FROM victim')).toEqual([]);
  });

  it('a MySQL ledger takes what is before a dot as the database, and a name of the greatest length', async () => {
    const pool = opened();
    await pool.query('CREATE DATABASE IF NOT EXISTS `my database`');
    const table = `${mysqlTable()}${'x'.repeat(53)}`.slice(0, 53);
    const store = mysqlLedger({ pool, table: `my database.${table}` });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    expect(await rows(pool, `SELECT version FROM \`my database\`.\`${table}\``)).toEqual([{ version: 1 }]);
    expect(await rows(pool, `SELECT position FROM \`my database\`.\`${table}_record\``)).toEqual([
      { position: 0 },
    ]);
  });

  it('a MySQL ledger uses tables that were created beforehand with the script, and needs no right to create any', async () => {
    const admin = opened();
    const table = mysqlTable();
    for (const statement of mysqlLedgerSchema(table).split(/;\n/).filter(Boolean))
      await admin.query(statement);
    const account = `app ${table}`.slice(0, 30);
    await admin.query(`CREATE USER '${account}'@'127.0.0.1' IDENTIFIED BY 'secret'`);
    for (const name of [table, `${table}_record`])
      await admin.query(
        `GRANT SELECT, INSERT, UPDATE, DELETE ON ${quotedName(name)} TO '${account}'@'127.0.0.1'`,
      );
    const pool = opened({ user: account, password: 'secret' });
    await expect(pool.query('CREATE TABLE refused (id INT)')).rejects.toThrow(/denied/);
    const store = mysqlLedger({ pool, table });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await store.append('session-1', [record('two')], checkpoint(2), 1);
    expect((await store.read('session-1')).records).toHaveLength(2);
    await store.rewrite('session-1', [record('kept')], checkpoint(4), 2);
    await store.delete('session-1');
    expect(await store.checkpoint('session-1')).toBeUndefined();
  });

  it('a MySQL ledger lets old sessions be deleted in one statement', async () => {
    const { pool, table, recordTable, store } = await filled();
    await pool.query(`DELETE FROM ${table} WHERE updated < UTC_TIMESTAMP() - INTERVAL 1 MINUTE`);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
    await pool.query(`DELETE FROM ${table} WHERE updated <= UTC_TIMESTAMP(3)`);
    expect(await store.read('session-1')).toEqual({ records: [] });
    expect(await rows(pool, `SELECT position FROM ${recordTable}`)).toEqual([]);
  });

  it('a MySQL ledger lists the sessions of a prefix in pages, by bytes, with times that no time zone moves', async () => {
    const pool = opened({}, "SET time_zone = '+09:00'");
    const { store, table } = await filled(pool);
    const ids = Array.from({ length: 450 }, (_, index) => `${index % 2 === 0 ? '\u00DC' : 'u'}-${index}`);
    for (const id of ids) await store.append(id, [record('one')], checkpoint(1), 0);
    await pool.query(`UPDATE ${table} SET updated = '2026-01-01 00:00:00.0015'`);
    const found: string[] = [];
    for await (const { sessionId, updated } of store.sessions?.({ prefix: '\u00DC-' }) ?? []) {
      found.push(sessionId);
      expect([1_767_225_600_001, 1_767_225_600_002]).toContain(updated);
    }
    expect(found.toSorted()).toEqual(ids.filter((id) => id.startsWith('\u00DC')).toSorted());
    await store.append('session-1', [record('three')], checkpoint(3), 2);
    const fresh = `SELECT updated > UTC_TIMESTAMP() - INTERVAL 1 HOUR AS fresh FROM ${table} WHERE session = 'session-1'`;
    expect(await rows(pool, fresh)).toEqual([{ fresh: 1 }]);
  });

  it('a MySQL ledger reads and lists by its indexes', async () => {
    const { pool, table, recordTable, store } = await filled();
    const more = Array.from({ length: 3000 }, (_, index) => `('other-${index}', 1, 1, '{}', NOW())`);
    await pool.query(`INSERT INTO ${table} (session, format, version, head, updated) VALUES ${more.join()}`);
    for (let at = 2; at < 400; at += 1)
      await store.append('session-1', [record(`${at}`)], checkpoint(at + 1), at);
    await pool.query(`ANALYZE TABLE ${table}, ${recordTable}`);
    const plan = async (sql: string, values: unknown[]): Promise<unknown> =>
      (await pool.execute(`EXPLAIN ${sql}`, values as string[]))[0];
    const listed = `SELECT l.head FROM ${table} l WHERE l.session >= ? ORDER BY l.session LIMIT 200`;
    expect(await plan(listed, [Buffer.from('other-2')])).toMatchObject([{ type: 'range', key: 'session' }]);
    const read = `SELECT r.record FROM ${table} l LEFT JOIN ${recordTable} r ON r.ledger = l.id AND r.position >= ? WHERE l.session = ?`;
    const plans = await plan(read, [390, Buffer.from('session-1')]);
    expect(plans).toMatchObject([
      { type: 'const', key: 'session' },
      { type: 'range', key: 'PRIMARY' },
    ]);
    expect(JSON.stringify(plans)).not.toMatch(/temporary|filesort/);
    expect((await store.read('session-1', 390)).records.at(-1)).toEqual(record('399'));
  });

  it.each(['a', 'A', 'a ', ' a', '\u00E4', 'a\u0308', '\u{1F600}', 'ss', '\u00DF', 'x'.repeat(511)])(
    'a MySQL ledger keeps the session %j apart from names that a collation takes for equal',
    async (id) => {
      const { store } = await filled();
      const others = [id.toUpperCase(), id.toLowerCase(), `${id} `, id.normalize('NFD'), id.normalize('NFC')];
      for (const other of new Set(others.filter((name) => name !== id)))
        await store.append(other, [record(other)], checkpoint(1), 0);
      await store.append(id, [record('own')], checkpoint(1), 0);
      expect(await store.read(id)).toEqual({ records: [record('own')] });
    },
  );

  it('a MySQL ledger reports a record, or a part of one, that is missing', async () => {
    const { pool, recordTable, store } = await filled();
    await store.append('session-1', [record('x'.repeat(700_000))], checkpoint(3), 2);
    await pool.query(`DELETE FROM ${recordTable} WHERE part = 1`);
    const missing = { code: 'ledger_unreadable', reason: 'damaged' };
    await expect(store.read('session-1')).rejects.toMatchObject({ ...missing, position: 2 });
    await pool.query(`DELETE FROM ${recordTable} WHERE position = 2`);
    await expect(store.read('session-1', 1)).rejects.toMatchObject({ ...missing, position: 2 });
    await pool.query(`DELETE FROM ${recordTable} WHERE position = 0`);
    await expect(store.read('session-1')).rejects.toMatchObject({ ...missing, position: 0 });
    expect(await store.read('session-1', 1, 2)).toEqual({ records: [record('two')] });
  });

  it('a MySQL ledger keeps a record that is longer than a packet of the server', async () => {
    const { store } = await filled();
    const long = record('\u{1F600}a\\\'"\n'.repeat(1_500_000));
    await store.append('session-1', [record('before'), long, record('after')], checkpoint(5), 2);
    const { records } = await store.read('session-1', 2);
    expect(JSON.stringify(records) === JSON.stringify([record('before'), long, record('after')])).toBe(true);
  });

  it.each([
    '',
    'NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
    'ANSI,STRICT_ALL_TABLES,NO_ZERO_DATE,PAD_CHAR_TO_FULL_LENGTH',
  ])('a MySQL ledger keeps every text with sql_mode = %j', async (mode) => {
    const { store } = await filled(opened({}, `SET sql_mode = '${mode}'`));
    const odd = record(`\\', "x" \\" \0 \uD800 \u2028 %_ ?:a \r\n`);
    await store.append("o'neill\\", [odd], checkpoint(1), 0);
    expect(await store.read("o'neill\\")).toEqual({ records: [odd] });
  });

  it('a MySQL ledger refuses connections that would change or hide records', async () => {
    const settings = [
      'SET NAMES latin1',
      'SET autocommit = 0',
      'SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED',
    ];
    for (const setting of settings) {
      const store = mysqlLedger({ pool: opened({}, setting), table: mysqlTable() });
      await expect(store.checkpoint('s')).rejects.toMatchObject({ code: 'invalid_options', option: 'pool' });
    }
  });

  it('a MySQL ledger creates its tables once when many begin at the same time', async () => {
    const table = mysqlTable();
    const pools = Array.from({ length: 12 }, () => opened({ connectionLimit: 2 }));
    await Promise.all(pools.map((pool) => pool.query('SELECT 1')));
    const sessions = pools.map((pool, index) => ({
      store: mysqlLedger({ pool, table }),
      id: `session-${index}`,
    }));
    await Promise.all(sessions.map(({ store, id }) => store.append(id, [record(id)], checkpoint(1), 0)));
    for (const { store, id } of sessions) expect(await store.read(id)).toEqual({ records: [record(id)] });
  });

  it('a MySQL ledger leaves no record behind when a session is deleted while it is written', async () => {
    const { pool, recordTable, store } = await filled(opened({ connectionLimit: 8 }));
    await store.delete('session-1');
    for (let round = 0; round < 20; round += 1) {
      const id = `session-${round}`;
      await store.append(id, [record('one')], checkpoint(1), 0);
      const writes = [1, 2, 3].map(async (version) =>
        store.append(id, [record('more')], checkpoint(version + 1), version).catch(() => undefined),
      );
      await Promise.all([store.delete(id), ...writes]);
      await store.delete(id);
    }
    expect(await rows(pool, `SELECT * FROM ${recordTable}`)).toEqual([]);
  });

  it('a MySQL ledger ends deadlocks with a sweep that locks the rows in another order', async () => {
    const { pool, table, store } = await filled(opened({ connectionLimit: 12 }));
    const ids = Array.from({ length: 8 }, (_, index) => `busy-${index}`);
    const appends = ids.map(async (id) => {
      for (let version = 0; version < 12; version += 1)
        await store.append(id, [record(`at ${version}`)], checkpoint(version + 1), version);
    });
    const sweeps = Array.from({ length: 20 }, async () =>
      pool
        .query(`DELETE FROM ${table} WHERE updated < UTC_TIMESTAMP() - INTERVAL 1 DAY`)
        .catch(() => undefined),
    );
    await Promise.all([...appends, ...sweeps]);
    for (const id of ids) expect((await store.read(id)).records).toHaveLength(12);
  });

  it('a MySQL ledger works on after the server ended all its connections', async () => {
    const pool = opened();
    const ids = new Set<number>();
    pool.pool.on('connection', ({ threadId }) => void ids.add(threadId));
    const { store } = await filled(pool);
    const readAll = () => Promise.all([1, 2, 3].map(() => store.read('session-1')));
    await readAll();
    const admin = opened();
    for (const id of ids) await admin.query(`KILL ${id}`);
    // The pool has not seen the end of each connection yet.
    await expect.poll(() => readAll().catch(() => undefined)).toBeDefined();
    expect(ids.size).toBe(6);
    await store.append('session-1', [record('three')], checkpoint(3), 2);
    expect((await store.read('session-1')).records).toHaveLength(3);
    expect(await rows(pool, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each(['before', 'after'])(
    'a turn is held once when the connection is lost %s its commit',
    async (moment) => {
      const pool = opened();
      let losses = 1;
      const lossy: MysqlPool = {
        query: (statement) => pool.query(statement),
        execute: (statement, values) => pool.execute(statement, values),
        async getConnection() {
          const connection = await pool.getConnection();
          const lose = async (statement: Parameters<MysqlPool['query']>[0]) => {
            if (statement.sql !== 'COMMIT' || losses-- <= 0) return connection.query(statement);
            if (moment === 'after') await connection.query(statement);
            connection.destroy();
            throw Object.assign(new Error('Connection lost'), { code: 'PROTOCOL_CONNECTION_LOST' });
          };
          return {
            query: lose,
            execute: (statement, values) => connection.execute(statement, values),
            release: () => connection.release(),
            destroy: () => connection.destroy(),
          };
        },
      };
      const table = mysqlTable();
      const session = sessionOn(mysqlLedger({ pool: lossy, table }));
      await session.addItems([user('once')]);
      await session.addItems([user('twice')]);
      expect(losses).toBeLessThanOrEqual(0);
      expect(texts(await sessionOn(mysqlLedger({ pool, table })).getItems())).toEqual(['once', 'twice']);
      expect(await session.verify()).toMatchObject({ verified: true, length: 2 });
    },
  );

  it('a MySQL ledger holds a turn once whose append a lock held up and the caller repeated', async () => {
    const { pool: other, table, name } = await filled();
    const impatient = opened({}, 'SET innodb_lock_wait_timeout = 0');
    const session = sessionOn(mysqlLedger({ pool: impatient, table: name }), 100);
    await session.addItems([user('hi')]);
    const lock = await other.getConnection();
    await lock.query('START TRANSACTION');
    await lock.query(`SELECT * FROM ${table} FOR UPDATE`);
    await expect(session.addItems([user('once')])).rejects.toMatchObject({ code: 'ER_LOCK_WAIT_TIMEOUT' });
    await lock.query('COMMIT');
    lock.release();
    await session.addItems([user('once')]);
    await session.addItems([user('twice')]);
    expect(texts(await sessionOn(mysqlLedger({ pool: other, table: name })).getItems())).toEqual([
      'hi',
      'once',
      'twice',
    ]);
    expect(await session.verify()).toMatchObject({ verified: true, length: 3 });
  });

  it('an error of a MySQL ledger holds neither content nor the password', async () => {
    const { pool, recordTable, store } = await filled();
    await pool.query(`ALTER TABLE ${recordTable} ADD CONSTRAINT fault CHECK (position <> 2)`);
    const failed = await store
      .append('session-1', [record('hunter2')], checkpoint(3), 2)
      .catch((error) => error);
    const denied = await mysqlLedger({ pool: opened({ user: 'ada', password: 'hunter2' }) })
      .checkpoint('s')
      .catch((error) => error);
    for (const error of [failed, denied]) {
      expect(error).toBeInstanceOf(Error);
      const said = [String(error), (error as Error).stack, JSON.stringify(error)].join('\n');
      expect(said).not.toContain('hunter2');
    }
  });

  describe.each([
    'SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE',
    'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
    'SET innodb_snapshot_isolation = ON',
  ])('after %s', (setting) => {
    it.for(
      ledgerStoreContract({
        create() {
          const table = mysqlTable();
          return {
            open: () => {
              const pool = createPool({ uri: mysqlUrl ?? '', connectionLimit: 3 });
              pool.pool.on('connection', (connection) => void connection.query(setting));
              return { store: mysqlLedger({ pool, table }), close: () => pool.end() };
            },
          };
        },
      }).filter(({ name }) => /appenders|writers|version|reader/.test(name)),
    )(`an append works after ${setting}, $name`, async ({ run }) => {
      await expect(run()).resolves.toBeUndefined();
    });
  });
});
