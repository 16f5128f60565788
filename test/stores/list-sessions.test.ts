import { PGlite } from '@electric-sql/pglite';
import Libsql from 'libsql';
import { describe, expect, it } from 'vitest';
import {
  encryptedLedger,
  memoryLedger,
  scopedLedger,
  type LedgerStore,
  type SessionsOptions,
  type SessionSummary,
} from '../../src/index.ts';
import { LedgerConflictError, LedgerUnreadableError } from '../../src/errors/ledger.ts';
import { HistoryIncompleteError } from '../../src/errors/session.ts';
import { postgresLedger } from '../../src/postgres.ts';
import { redisLedger, type RedisLedgerClient } from '../../src/redis.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { checkpoint, record } from './support/records.ts';

const LONG = 'long'.repeat(200);
const KEYS = [{ id: 'key-1', secret: new Uint8Array(32).fill(1) }];

async function list(store: LedgerStore, options?: SessionsOptions): Promise<SessionSummary[]> {
  const summaries: SessionSummary[] = [];
  for await (const summary of store.sessions?.(options) ?? []) summaries.push(summary);
  return summaries;
}

async function idsOf(store: LedgerStore, options?: SessionsOptions): Promise<string[]> {
  return (await list(store, options)).map(({ sessionId }) => sessionId).toSorted();
}

async function fill(store: LedgerStore, ...sessionIds: string[]): Promise<void> {
  for (const id of sessionIds) await store.append(id, [record('one')], checkpoint(1), 0);
}

/** A store that cannot list its sessions. */
function unlisted(): LedgerStore {
  const store = memoryLedger();
  delete store.sessions;
  return store;
}

/** A client on which the scripts answer checkpoints by key, and a scan its answers. */
function redis(checkpoints: Record<string, unknown>, answers: readonly (readonly unknown[])[]) {
  const patterns: string[] = [];
  const evalSha: RedisLedgerClient['evalSha'] = async (_, { keys: [key = ''] }) =>
    key in checkpoints ? JSON.stringify(checkpoints[key]) : null;
  const scan = async (cursor: string, { MATCH }: { MATCH: string }) => {
    if (!/^\d+$/.test(cursor)) throw new Error('ERR invalid cursor');
    patterns.push(MATCH);
    const next = Number(cursor) + 1;
    return { cursor: next < answers.length ? next : 0, keys: answers[Number(cursor)] ?? [] };
  };
  return { patterns, client: { evalSha, eval: evalSha, del: async () => 0, scan } };
}

describe('sessions() of an SQL store', () => {
  it('sessions() of an SQL store leaves out IDs that SQLite keeps as a hash, and gives times in milliseconds', async () => {
    const database = new Libsql(':memory:');
    const store = sqliteLedger({ database });
    await fill(store, 'a', LONG, '\uD800', '~tilde');
    database.exec('UPDATE hybrid_session_ledger SET updated = 1767225600');
    const summary = { ...checkpoint(1), sessionId: 'a', updated: 1_767_225_600_000 };
    expect(await list(store)).toEqual([summary]);
    expect(await list(store, { prefix: '\0' })).toEqual([]);
  });

  it('sessions() of an SQL store leaves out IDs that PostgreSQL keeps as a hash, and gives times in milliseconds', async () => {
    const pool = new PGlite();
    const store = postgresLedger({ pool });
    await fill(store, 'a', LONG, 'a\0');
    await pool.query(`UPDATE hybrid_session_ledger SET updated = '2026-01-01T00:00:00.0015Z'`);
    expect(await list(store)).toEqual([{ ...checkpoint(1), sessionId: 'a', updated: 1_767_225_600_001 }]);
    expect(await list(store, { prefix: 'a\0' })).toEqual([]);
  });

  it.for([
    [`head = '{"format":3}'`, 'damaged'],
    ['format = 2', 'newer_format'],
  ] as const)('names a session of which the row has %s', async ([change, reason]) => {
    const database = new Libsql(':memory:');
    const store = sqliteLedger({ database });
    await fill(store, 'a', 'b');
    database.exec(`UPDATE hybrid_session_ledger SET ${change} WHERE session = 'b'`);
    const error = { code: 'ledger_unreadable', reason, sessionId: 'b' };
    await expect(list(store)).rejects.toMatchObject(error);
    expect(await idsOf(store, { prefix: 'a' })).toEqual(['a']);
  });

  it('sessions() of an SQL store selects pages by the index of the names', async () => {
    const database = new Libsql(':memory:');
    const asked: string[] = [];
    const prepare = (sql: string) => {
      asked.push(sql);
      return database.prepare(sql);
    };
    const store = sqliteLedger({ database: { exec: (sql) => database.exec(sql), prepare } });
    await fill(store, ...Array.from({ length: 401 }, (_, index) => `user-${index}`), 'other');
    asked.length = 0;
    expect(await idsOf(store, { prefix: 'user-' })).toHaveLength(401);
    expect(asked).toHaveLength(3);
    const plan = JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${asked[0]}`).all(''));
    expect(plan).toMatch(/SEARCH .* USING INDEX/);
    expect(plan).not.toMatch(/B-TREE/);
  });
});

describe('sessions() of a Redis store', () => {
  const one = checkpoint(1);

  it('sessions() of a Redis store gives each session once when answers repeat keys, and none that is gone or hashed', async () => {
    const checkpoints = { 'p:{a}:head': one, 'p:{b}:head': one, 'p:{~hash}:head': one };
    const { client } = redis(checkpoints, [
      ['p:{a}:head', 'p:{a}:head', 'p:{gone}:head', 'p:{~hash}:head'],
      [],
      ['p:{b}:head', Buffer.from('p:{a}:head')],
    ]);
    const summaries = await list(redisLedger({ client, prefix: 'p:' }));
    // A time that the store does not know is absent.
    expect(summaries).toStrictEqual(['a', 'b'].map((sessionId) => ({ ...one, sessionId })));
  });

  it('sessions() of a Redis store takes prefixes literally, and gives IDs as they are', async () => {
    const checkpoints = { 'p*:{%25%7B%7D%2525}:head': one };
    const { client, patterns } = redis(checkpoints, [Object.keys(checkpoints)]);
    expect(await idsOf(redisLedger({ client, prefix: 'p*:' }), { prefix: '%{}[a]?\\' })).toEqual(['%{}%25']);
    expect(patterns).toEqual([String.raw`p\*:{%25%7B%7D\[a\]\?\\*}:head`]);
  });

  it('sessions() of a Redis store asks every master of a cluster', async () => {
    const checkpoints = { 'p:{a}:head': one, 'p:{b}:head': one };
    const [first, second] = [['p:{a}:head'], ['p:{b}:head', 'p:{a}:head']].map((keys) =>
      redis(checkpoints, [keys]),
    );
    const { scan: _scan, ...scripts } = redis(checkpoints, []).client;
    const client = {
      ...scripts,
      masters: [first, second],
      nodeClient: async (node: typeof first) => node?.client,
    };
    expect(await idsOf(redisLedger({ client, prefix: 'p:' }))).toEqual(['a', 'b']);
  });

  it('sessions() of a Redis store asks a cluster that is not connected, which refuses', async () => {
    const refusal = new Error('The client is closed');
    const { client } = redis({}, []);
    const closed = {
      ...client,
      scan: () => Promise.reject(refusal),
      masters: [],
      nodeClient: () => client,
    };
    await expect(list(redisLedger({ client: closed, prefix: 'p:' }))).rejects.toBe(refusal);
  });

  it('sessions() of a Redis store throws for a client that can neither scan nor name its masters', async () => {
    const { scan: _scan, ...scripts } = redis({}, []).client;
    for (const part of [
      {},
      { masters: [] },
      { masters: [], nodeClient: () => scripts },
      { nodeClient: () => scripts },
      { masters: {}, nodeClient: () => scripts },
    ])
      await expect(list(redisLedger({ client: { ...scripts, ...part } }))).rejects.toMatchObject({
        code: 'invalid_options',
        option: 'client',
        message: expect.stringContaining('the list of the sessions in Redis') as string,
      });
  });
});

describe('sessions() of a scoped store', () => {
  it('sessions() of a scoped store gives the sessions of its scope alone, by the IDs of the app', async () => {
    const store = memoryLedger();
    const scoped = scopedLedger(store, 'acme');
    await fill(scoped, 'user:1', 'ü', '', "it's", LONG, '\uD800');
    await fill(scopedLedger(store, 'acme:x'), 'other');
    await fill(scopedLedger(store, 'acm'), 'other');
    // Nobody but an app without a scope can have written these.
    await fill(store, 'other', 'scope:acme:a:b', 'scope:acme:%zz', 'scope:acme:%61');
    expect(await idsOf(scoped)).toEqual(['', "it's", 'user:1', 'ü']);
    expect(await idsOf(scoped, { prefix: 'user:' })).toEqual(['user:1']);
    expect(await idsOf(scoped, { prefix: '\uD83D' })).toEqual([]);
    expect(await idsOf(scopedLedger(scoped, 'inner'))).toEqual([]);
  });

  it('sessions() of a scoped store gives nothing of another scope when the store below ignores the prefix', async () => {
    const store = memoryLedger();
    const all = store.sessions?.bind(store);
    const careless: LedgerStore = { ...store, ...(all === undefined ? {} : { sessions: () => all() }) };
    await fill(scopedLedger(store, 'acme'), 'mine');
    await fill(scopedLedger(store, 'other'), 'theirs');
    expect(await idsOf(scopedLedger(careless, 'acme'))).toEqual(['mine']);
  });

  it('names the session of the app in an error, and passes every other error on', async () => {
    const inner = memoryLedger();
    const store = encryptedLedger(inner, { keys: KEYS });
    await fill(scopedLedger(inner, 'acme'), 'user:1');
    const unreadable = { code: 'ledger_unreadable', reason: 'not_encrypted', sessionId: 'user:1' };
    await expect(list(scopedLedger(store, 'acme'))).rejects.toMatchObject(unreadable);
    for (const error of [new Error('lost'), 'lost', Object.assign(new Error('odd'), { sessionId: 'x' })]) {
      const broken: LedgerStore = {
        ...inner,
        sessions: () => ({ [Symbol.asyncIterator]: () => ({ next: async () => Promise.reject(error) }) }),
      };
      await expect(list(scopedLedger(broken, 'acme'))).rejects.toBe(error);
    }
  });
});

/** A scoped store whose inner store fails with this error. */
function failing(error: Error): LedgerStore {
  const inner: LedgerStore = {
    ...memoryLedger(),
    checkpoint: () => Promise.reject(error),
    sessions: () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) }),
  };
  return scopedLedger(inner, 'acme');
}

const damaged = (key: string): LedgerUnreadableError =>
  new LedgerUnreadableError(key, 3, 'unknown_key', 'it is damaged', { keyId: 'key-1' });

describe('the errors of a scoped store', () => {
  it('an error about a key names the session of the app, and keeps everything else', async () => {
    const error = damaged('scope:acme:user-1');
    const { position, reason, problem, keyId } = error;
    for (const work of [failing(error).checkpoint('user-1'), list(failing(error))])
      await expect(work).rejects.toMatchObject({
        sessionId: 'user-1',
        position,
        reason,
        problem,
        keyId,
        cause: error,
      });
    const conflict = new LedgerConflictError('scope:acme:user-1', 3, 4);
    await expect(failing(conflict).checkpoint('user-1')).rejects.toMatchObject({
      sessionId: 'user-1',
      expected: 3,
      actual: 4,
      cause: conflict,
    });
  });

  it('an error about another key, or of another kind, stays as it is', async () => {
    const other = damaged('scope:other:user-1');
    await expect(failing(other).checkpoint('user-1')).rejects.toBe(other);
    await expect(list(failing(other))).rejects.toBe(other);
    const odd = Object.assign(new Error('odd'), { sessionId: 'scope:acme:user-1' });
    await expect(failing(odd).checkpoint('user-1')).rejects.toBe(odd);
    const incomplete = new HistoryIncompleteError('scope:acme:user-1', []);
    await expect(failing(incomplete).checkpoint('user-1')).rejects.toBe(incomplete);
  });
});

describe('sessions() of an encrypted store', () => {
  it('sessions() of an encrypted store opens the checkpoints, and leaves out aliases', async () => {
    const inner = memoryLedger();
    const store = encryptedLedger(inner, { keys: KEYS });
    const mirrored = { ...checkpoint(1), conversation: 'conv_1' };
    await store.append('user-1', [record('one')], mirrored, 0);
    await store.append('conv_1', [record('one')], { ...checkpoint(1), alias: 'user-1' }, 0);
    expect(await list(store)).toEqual([
      { ...mirrored, sessionId: 'user-1', updated: expect.any(Number) as number },
    ]);
    expect(await idsOf(inner)).toEqual(['conv_1', 'user-1']);
  });

  it('names a session whose checkpoint it cannot open', async () => {
    const inner = memoryLedger();
    await fill(encryptedLedger(inner, { keys: [{ id: 'old', secret: new Uint8Array(32) }] }), 'user-1');
    const unreadable = {
      code: 'ledger_unreadable',
      reason: 'unknown_key',
      keyId: 'old',
      sessionId: 'user-1',
    };
    await expect(list(encryptedLedger(inner, { keys: KEYS }))).rejects.toMatchObject(unreadable);
  });

  it.for([
    ['encryptedLedger', (store: LedgerStore) => encryptedLedger(store, { keys: KEYS })],
    ['scopedLedger', (store: LedgerStore) => scopedLedger(store, 'acme')],
  ] as const)(
    'sessions() of an encrypted store is missing in %s around a store that cannot list',
    ([, around]) => {
      expect(around(unlisted())).not.toHaveProperty('sessions');
    },
  );
});

describe('sessions() with onUnreadable', () => {
  it('the list goes on behind a checkpoint that cannot be read, in every store', async () => {
    const database = new Libsql(':memory:');
    const sqlite = sqliteLedger({ database });
    await fill(sqlite, 'a', 'b', 'c');
    database.exec("UPDATE hybrid_session_ledger SET head = '{' WHERE session = 'b'");
    const inRedis = Object.fromEntries(
      ['a', 'b', 'c'].map((id) => [
        `agents-hybrid-session:{${id}}:head`,
        id === 'b' ? 'none' : checkpoint(1),
      ]),
    );
    const { client } = redis(inRedis, [Object.keys(inRedis)]);
    const encrypted = memoryLedger();
    await fill(encryptedLedger(encrypted, { keys: KEYS }), 'a', 'c');
    await fill(encrypted, 'b');
    const scoped = memoryLedger();
    await fill(scopedLedger(encryptedLedger(scoped, { keys: KEYS }), 'acme'), 'a', 'c');
    await fill(scopedLedger(scoped, 'acme'), 'b');
    const stores = {
      sqlite,
      redis: redisLedger({ client }),
      encrypted: encryptedLedger(encrypted, { keys: KEYS }),
      scoped: scopedLedger(encryptedLedger(scoped, { keys: KEYS }), 'acme'),
    };
    for (const [name, store] of Object.entries(stores)) {
      await expect(list(store)).rejects.toMatchObject({ code: 'ledger_unreadable', sessionId: 'b' });
      const unreadable: string[] = [];
      const ids = await idsOf(store, { onUnreadable: ({ sessionId }) => unreadable.push(sessionId) });
      expect({ name, ids, unreadable }).toEqual({ name, ids: ['a', 'c'], unreadable: ['b'] });
    }
  });
});
