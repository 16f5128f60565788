import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridSession, encryptedLedger, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { mysqlLedger } from '../../src/mysql.ts';
import { postgresLedger } from '../../src/postgres.ts';
import { redisLedger } from '../../src/redis.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { openSqlite } from '../../src/stores/sqlite/open.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { mysqlTable, mysqlUrl, quotedName } from './support/mysql-engines.ts';
import { pglite, postgresUrl, tableName } from './support/postgres-engines.ts';
import { checkpoint, record } from './support/records.ts';
import { redisPrefix, redisUrl } from './support/redis-engine.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

/** A store, and everything that can be found where it keeps what it is given. */
interface RawStore {
  readonly store: LedgerStore;
  readonly bytes: () => Promise<string>;
}

interface Subject {
  readonly name: string;
  readonly open: () => Promise<RawStore>;
  /** Why it cannot be tested here. */
  readonly missing?: string | undefined;
}

const keys = [{ id: 'key', secret: new Uint8Array(32).fill(7) }];

/** Every record and checkpoint of a store in memory. */
async function inMemory(): Promise<RawStore> {
  const store = memoryLedger();
  const seen = new Set<string>();
  const noted = (sessionId: string): string => (seen.add(sessionId), sessionId);
  return {
    store: {
      ...store,
      append: (sessionId, ...rest) => store.append(noted(sessionId), ...rest),
      rewrite: (sessionId, ...rest) => store.rewrite(noted(sessionId), ...rest),
    },
    bytes: async () => {
      const all = [...seen].map(async (id) => [await store.checkpoint(id), await store.read(id)]);
      return JSON.stringify(await Promise.all(all));
    },
  };
}

/** Every byte of every file. */
async function inFile(): Promise<RawStore> {
  const folder = await temporaryFolder();
  const store = sqliteLedger({ path: join(folder.path, 'ledger.db') });
  onTestFinished(async () => {
    await store.close();
    await folder.remove();
  });
  const bytes = async (): Promise<string> =>
    readdirSync(folder.path)
      .map((name) => readFileSync(join(folder.path, name)).toString('latin1'))
      .join('\n');
  return { store, bytes };
}

/** Every visible row. */
async function inTables(pool: Pick<Pool, 'query'>): Promise<RawStore> {
  const table = tableName();
  const rows = async (name: string): Promise<unknown> => (await pool.query(`SELECT * FROM "${name}"`)).rows;
  return {
    store: postgresLedger({ pool, table }),
    bytes: async () => JSON.stringify([await rows(table), await rows(`${table}_record`)]),
  };
}

/** Every visible row of MySQL. */
async function inMysqlTables(): Promise<RawStore> {
  const pool = createPool(mysqlUrl ?? '');
  onTestFinished(() => pool.end());
  const table = mysqlTable();
  const rows = async (name: string): Promise<unknown> =>
    (await pool.query(`SELECT * FROM ${quotedName(name)}`))[0];
  return {
    store: mysqlLedger({ pool, table }),
    bytes: async () => JSON.stringify([await rows(table), await rows(`${table}_record`)]),
  };
}

/** Every key with its value. */
async function inRedis(): Promise<RawStore> {
  const client = createClient({ url: redisUrl ?? '' });
  await client.connect();
  onTestFinished(() => client.close());
  const prefix = redisPrefix();
  const valueOf = (key: string): Promise<unknown> =>
    key.endsWith(':head') ? client.get(key) : client.lRange(key, 0, -1);
  return {
    store: redisLedger({ client, prefix }),
    bytes: async () => {
      const names = await client.keys(`${prefix}*`);
      return JSON.stringify([names, await Promise.all(names.map(valueOf))]);
    },
  };
}

function encrypted(open: () => Promise<RawStore>): () => Promise<RawStore> {
  return async () => {
    const { store, bytes } = await open();
    return { store: encryptedLedger(store, { keys }), bytes };
  };
}

const STORES: readonly Subject[] = [
  { name: 'memory', open: inMemory },
  { name: 'an encrypted memory', open: encrypted(inMemory) },
  { name: 'a SQLite file', open: inFile },
  { name: 'an encrypted SQLite file', open: encrypted(inFile) },
  { name: 'PGlite', open: async () => inTables(pglite()) },
  {
    name: 'PostgreSQL',
    open: async () => {
      const pool = new Pool({ connectionString: postgresUrl ?? '', max: 3 });
      onTestFinished(() => pool.end());
      return inTables(pool);
    },
    missing: postgresUrl === undefined ? 'TEST_POSTGRES_URL is not set' : undefined,
  },
  {
    name: 'MySQL',
    open: inMysqlTables,
    missing: mysqlUrl === undefined ? 'TEST_MYSQL_URL is not set' : undefined,
  },
  {
    name: 'Redis',
    open: inRedis,
    missing: redisUrl === undefined ? 'TEST_REDIS_URL is not set' : undefined,
  },
];

const call = (name: string, argument: string) =>
  ({
    type: 'function_call',
    callId: name,
    name: 'look_up',
    arguments: argument,
    status: 'completed',
  }) as const;

describe.each(STORES.filter(({ missing }) => missing === undefined))('In $name', ({ name, open }) => {
  const isReadable = !name.includes('encrypted');

  it.each(['off', 'await'] as const)('a pop leaves no byte of the item (mirror %s)', async (mirror) => {
    const { store, bytes } = await open();
    const session = sessionOn(store, mirror);
    await session.addItems([user('kept-word'), user('secret-word')]);
    expect((await bytes()).includes('secret-word')).toBe(isReadable);
    expect(texts([await session.popItem()])).toEqual(['secret-word']);
    expect(await bytes()).not.toContain('secret-word');
    expect((await bytes()).includes('kept-word')).toBe(isReadable);
    expect(texts(await session.getItems())).toEqual(['kept-word']);
    await session.addItems([user('next-word')]);
    expect(texts(await sessionOn(store, mirror, await session.getSessionId()).getItems())).toEqual([
      'kept-word',
      'next-word',
    ]);
  });

  it.each(['off', 'await'] as const)('a clear leaves no byte of any item (mirror %s)', async (mirror) => {
    const { store, bytes } = await open();
    const session = sessionOn(store, mirror);
    for (let round = 0; round < 5; round += 1) {
      await session.addItems([user(`secret-word ${round}`), user('more-words')]);
      await session.clearSession();
      expect(await bytes()).not.toMatch(/secret-word|more-words/);
      expect(await session.getItems()).toEqual([]);
    }
  });

  it('what a transaction or a mutation replaces leaves no byte', async () => {
    const { store, bytes } = await open();
    const session = sessionOn(store, 'off');
    await session.addItems([user('kept-word'), call('call_1', 'secret-argument'), user('secret-end')]);
    await session.applyHistoryMutations({
      mutations: [
        { type: 'replace_function_call', callId: 'call_1', replacement: call('call_1', 'approved-argument') },
      ],
    });
    expect(await bytes()).not.toContain('secret-argument');
    await session.applyHistoryTransaction({
      operationId: 'operation-1',
      transaction: {
        type: 'replace_suffix',
        expectedSuffix: [user('secret-end')],
        replacement: [user('new-end')],
      },
    });
    expect(await bytes()).not.toMatch(/secret-end|secret-argument/);
    const again = sessionOn(store, 'off', await session.getSessionId());
    expect(await again.getItems()).toMatchObject([
      { content: 'kept-word' },
      { arguments: 'approved-argument' },
      { content: 'new-end' },
    ]);
  });
});

/** A session with a conversation of its own, or without one. */
function sessionOn(ledger: LedgerStore, mirror: 'off' | 'await', id?: string): HybridSession {
  if (mirror === 'off') return new HybridSession({ mirror, sessionId: id ?? 'session-1', ledger });
  const { client } = id === undefined ? simulated() : (worlds.get(ledger) ?? simulated());
  worlds.set(ledger, { client });
  return new HybridSession({ client, ledger, ...(id === undefined ? {} : { conversationId: id }) });
}

const worlds = new WeakMap<LedgerStore, Pick<ReturnType<typeof simulated>, 'client'>>();

describe('In the metadata of a conversation', () => {
  it('the metadata of a conversation hold no word of any item, popped or not', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, bookmark: true });
    await session.addItems([user('kept-word'), user('secret-word')]);
    await session.popItem();
    const bytes = (): string => JSON.stringify(simulator.snapshot().conversations.map((one) => one.metadata));
    expect(bytes()).not.toMatch(/kept-word|secret-word/);
    expect(texts(await session.getItems())).toEqual(['kept-word']);
    await session.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
  });
});

describe('A SQLite file', () => {
  it('a SQLite file keeps its size in 50 rounds of adding and clearing', async () => {
    const { store, bytes } = await inFile();
    const session = sessionOn(store, 'off');
    const sizes: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      await session.addItems([user(`secret-word ${round} ${'x'.repeat(5_000)}`)]);
      await session.clearSession();
      sizes.push((await bytes()).length);
    }
    expect(await bytes()).not.toContain('secret-word');
    expect(sizes.at(-1)).toBe(sizes[20]);
  });

  it('a SQLite file that another connection reads loses removed content at the next write after that', async () => {
    const folder = await temporaryFolder();
    const path = join(folder.path, 'ledger.db');
    const store = sqliteLedger({ path, busyTimeout: 20 });
    await store.append('session-1', [record('kept-word'), record('secret-word')], checkpoint(2), 0);
    const other = await openSqlite(path);
    onTestFinished(async () => {
      other.close();
      await store.close();
      await folder.remove();
    });
    const isThere = (): boolean =>
      readdirSync(folder.path).some((name) => readFileSync(join(folder.path, name)).includes('secret-word'));
    other.exec('BEGIN');
    other.prepare('SELECT count(*) FROM hybrid_session_ledger_record').get();
    await store.rewrite('session-1', [record('kept-word')], checkpoint(4), 2);
    // Nobody who asks gets it, but the log cannot be emptied under a reader.
    expect(await store.read('session-1')).toEqual({ start: 3, records: [record('kept-word')] });
    other.exec('COMMIT');
    await store.append('session-1', [record('next-word')], checkpoint(5), 4);
    expect(isThere()).toBe(false);
  });
});
