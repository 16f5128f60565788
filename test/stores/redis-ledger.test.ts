import { createHash } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient, createCluster } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { LedgerStore } from '../../src/index.ts';
import {
  redisLedger,
  type RedisLedgerClient,
  type RedisLedgerOptions,
  type RedisScriptOptions,
} from '../../src/redis.ts';
import { checkpoint, record } from './support/records.ts';
import { redisClusterUrl as clusterUrl, redisPrefix, redisUrl } from './support/redis-engine.ts';

/** Notes what it was asked, and answers as a server that knows no script yet. */
function recorder(): { client: RedisLedgerClient; asked: { name: string; keys: readonly string[] }[] } {
  const asked: { name: string; keys: readonly string[] }[] = [];
  const note = async (name: string, keys: readonly string[], answer: unknown): Promise<unknown> => {
    asked.push({ name, keys });
    return answer;
  };
  return {
    asked,
    client: {
      del: async (keys) => note('DEL', keys, 2),
      // The one script without arguments reads the checkpoint.
      eval: async (_script: string, { keys, arguments: given }: RedisScriptOptions) =>
        note('EVAL', keys, given.length === 0 ? null : -1),
      evalSha: async (_sha: string, { keys }: RedisScriptOptions) => {
        await note('EVALSHA', keys, undefined);
        throw new Error('NOSCRIPT No matching script. Please use EVAL.');
      },
    },
  };
}

/** The IDs of the sessions that begin so. */
async function listed(store: LedgerStore, prefix?: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { sessionId } of store.sessions?.({ prefix }) ?? []) ids.push(sessionId);
  return ids;
}

/** The part of a key that places it in a cluster: what is between the first brace and the next closing one. */
function placedBy(key: string): string {
  const open = key.indexOf('{');
  const close = key.indexOf('}', open + 1);
  return open !== -1 && close > open + 1 ? key.slice(open + 1, close) : key;
}

describe('redisLedger', () => {
  it('a Redis ledger sends the whole script to a server that does not know it yet', async () => {
    const { client, asked } = recorder();
    await redisLedger({ client }).append('session-1', [record('one')], checkpoint(1), 0);
    expect(asked.map(({ name }) => name)).toEqual(['EVALSHA', 'EVAL']);
  });

  it('a Redis ledger names a script by the hash that the server computes', async () => {
    const { client } = recorder();
    const scripts: string[] = [];
    const noting: RedisLedgerClient = {
      ...client,
      evalSha: (sha, options) => {
        scripts.push(sha);
        return client.evalSha(sha, options);
      },
      eval: (text, options) => {
        scripts.push(createHash('sha1').update(text).digest('hex'));
        return client.eval(text, options);
      },
    };
    await redisLedger({ client: noting }).append('session-1', [record('one')], checkpoint(1), 0);
    expect(scripts).toEqual([expect.stringMatching(/^[\da-f]{40}$/), scripts[0]]);
  });

  it('a Redis ledger passes on what the client throws', async () => {
    const { client } = recorder();
    const lost = new Error('Socket closed unexpectedly');
    const broken = { ...client, evalSha: async () => Promise.reject(lost) };
    await expect(redisLedger({ client: broken }).append('s', [record('one')], checkpoint(1), 0)).rejects.toBe(
      lost,
    );
  });

  it.for(['conv_1', '}', '{}', 'a}b', '{a}{b}', '%7D', '', '\u{1F600}'])(
    'a Redis ledger keeps all keys of session %o in one place of a cluster',
    async (sessionId) => {
      const { client, asked } = recorder();
      const store = redisLedger({ client });
      await store.checkpoint(sessionId);
      await store.read(sessionId);
      await store.append(sessionId, [record('one')], checkpoint(1), 0);
      await store.delete(sessionId);
      const keys = asked.flatMap((call) => call.keys);
      expect(new Set(keys).size).toBe(2);
      expect(new Set(keys.map(placedBy)).size).toBe(1);
      expect(keys.every((key) => key.startsWith('agents-hybrid-session:{'))).toBe(true);
    },
  );

  it('a Redis ledger takes a client that answers with bytes', async () => {
    const { client } = recorder();
    const bytes = { ...client, evalSha: async () => Buffer.from(JSON.stringify(checkpoint(1))) };
    expect(await redisLedger({ client: bytes }).checkpoint('session-1')).toEqual(checkpoint(1));
  });

  it.for([
    [{ prefix: 'a{b}' }, 'prefix'],
    [{ ttlSeconds: 0 }, 'ttlSeconds'],
    [{ ttl: 5 }, 'ttl'],
    [{ client: { del: () => undefined } }, 'client'],
  ] as const)('a Redis ledger refuses the options %o', ([options, option]) => {
    const { client } = recorder();
    expect(() => redisLedger({ client, ...(options as object) })).toThrow(
      expect.objectContaining({ code: 'invalid_options', option }),
    );
  });
});

it.for([
  [{ call: () => undefined }],
  [{ get: () => undefined, set: () => undefined }],
  [() => undefined],
  [new Map()],
  [null],
])('a Redis ledger names the clients that it takes when it is given %o', ([client]) => {
  expect(() => redisLedger({ client } as RedisLedgerOptions)).toThrow(
    expect.objectContaining({
      code: 'invalid_options',
      option: 'client',
      message: expect.stringMatching(
        /'redis' \(.*'ioredis' \(Redis, Cluster\) or Bun's RedisClient/,
      ) as string,
    }),
  );
});

/** A client, and the keys under which a ledger of its own keeps a session. */
async function connected() {
  const client = await createClient({ url: redisUrl ?? '' }).connect();
  onTestFinished(async () => {
    if (client.isOpen) await client.close();
  });
  const prefix = redisPrefix();
  const records = `${prefix}{session-1}:records`;
  const checkpointKey = `${prefix}{session-1}:head`;
  return { client, prefix, records, checkpointKey };
}

const noServer = redisUrl === undefined ? ' (TEST_REDIS_URL is not set)' : '';

describe.skipIf(redisUrl === undefined)(`redisLedger on a server${noServer}`, () => {
  it('a Redis ledger on a server keeps a list of records and a string for the checkpoint', async () => {
    const { client, prefix, records, checkpointKey } = await connected();
    await redisLedger({ client, prefix }).append(
      'session-1',
      [record('one'), record('two')],
      checkpoint(2),
      0,
    );
    expect(await client.type(records)).toBe('list');
    expect(await client.lLen(records)).toBe(2);
    expect(JSON.parse((await client.get(checkpointKey)) ?? '')).toEqual(checkpoint(2));
    expect([await client.ttl(records), await client.ttl(checkpointKey)]).toEqual([-1, -1]);
  });

  it('a Redis ledger on a server goes on when the server has forgotten the script', async () => {
    const { client, prefix } = await connected();
    const store = redisLedger({ client, prefix });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await client.scriptFlush();
    await store.append('session-1', [record('two')], checkpoint(2), 1);
    expect((await store.read('session-1')).records).toHaveLength(2);
  });

  it('a Redis ledger on a server gives a session new time to live with every append', async () => {
    const { client, prefix, records, checkpointKey } = await connected();
    const store = redisLedger({ client, prefix, ttlSeconds: 1000 });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await client.expire(records, 5);
    await client.expire(checkpointKey, 5);
    await store.append('session-1', [record('two')], checkpoint(2), 1);
    for (const key of [records, checkpointKey]) {
      const left = await client.ttl(key);
      expect(left).toBeGreaterThan(900);
      expect(left).toBeLessThanOrEqual(1000);
    }
  });

  it('a Redis ledger on a server keeps a session for ever again once it is written without a time to live', async () => {
    const { client, prefix, records, checkpointKey } = await connected();
    await redisLedger({ client, prefix, ttlSeconds: 1000 }).append(
      'session-1',
      [record('one')],
      checkpoint(1),
      0,
    );
    await redisLedger({ client, prefix }).append('session-1', [record('two')], checkpoint(2), 1);
    expect([await client.ttl(records), await client.ttl(checkpointKey)]).toEqual([-1, -1]);
  });

  it('a Redis ledger on a server begins anew after the session has expired', async () => {
    const { client, prefix, records, checkpointKey } = await connected();
    const store = redisLedger({ client, prefix, ttlSeconds: 1000 });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await client.pExpire(records, 0);
    await client.pExpire(checkpointKey, 0);
    expect(await store.checkpoint('session-1')).toBeUndefined();
    await expect(store.append('session-1', [record('two')], checkpoint(2), 1)).rejects.toMatchObject({
      code: 'ledger_conflict',
      actual: 0,
    });
    await store.append('session-1', [record('two')], checkpoint(1), 0);
    expect(await store.read('session-1')).toEqual({ records: [record('two')] });
  });

  it('a Redis ledger of an ioredis client reads what the ledger of another client wrote', async () => {
    const { client, prefix } = await connected();
    const other = new Redis(redisUrl ?? '', { keyPrefix: prefix });
    other.on('error', () => undefined);
    onTestFinished(() => other.disconnect());
    await redisLedger({ client, prefix: `${prefix}*:` }).append('a{b}', [record('one')], checkpoint(1), 0);
    const store = redisLedger({ client: other, prefix: '*:' });
    await store.append('a{b}', [record('two')], checkpoint(2), 1);
    expect(await store.read('a{b}')).toEqual({ records: [record('one'), record('two')] });
    expect(await listed(store)).toEqual(['a{b}']);
  });

  it('a Redis ledger on a server appends nothing when the server refuses', async () => {
    const { client, prefix, records, checkpointKey } = await connected();
    const store = redisLedger({ client, prefix });
    await client.set(records, 'of somebody else');
    await expect(store.append('session-1', [record('one')], checkpoint(1), 0)).rejects.toThrow(/WRONGTYPE/);
    expect(await client.exists(checkpointKey)).toBe(0);
  });

  it('a Redis ledger on a server holds nothing of what a rewrite replaced, in no key, and keeps its time to live', async () => {
    const { client, prefix, records, checkpointKey } = await connected();
    const store = redisLedger({ client, prefix, ttlSeconds: 1000 });
    await store.append('session-1', [record('one'), record('secret')], checkpoint(2), 0);
    await store.rewrite('session-1', [record('one')], checkpoint(4), 2);
    expect((await client.keys(`${prefix}*`)).toSorted()).toEqual([checkpointKey, records].toSorted());
    expect(await client.lRange(records, 0, -1)).toEqual(['3', JSON.stringify(record('one'))]);
    for (const key of [records, checkpointKey]) expect(await client.ttl(key)).toBeGreaterThan(900);
    await store.append('session-1', [record('two')], checkpoint(5), 4);
    expect(await store.read('session-1')).toEqual({ start: 3, records: [record('one'), record('two')] });
  });

  it('a Redis ledger on a server leaves no key of a deleted session', async () => {
    const { client, prefix } = await connected();
    const store = redisLedger({ client, prefix });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await store.delete('session-1');
    expect(await client.keys(`${prefix}*`)).toEqual([]);
  });

  it('a Redis ledger on a server reports a damaged record at the end by session and position', async () => {
    const { client, prefix, records } = await connected();
    const store = redisLedger({ client, prefix });
    await store.append('session-1', [record('one'), record('two')], checkpoint(2), 0);
    await client.rPush(records, '{"v":1,"commit":"secret');
    const damaged = { code: 'ledger_unreadable', reason: 'damaged', sessionId: 'session-1', position: 2 };
    await expect(store.read('session-1')).rejects.toMatchObject(damaged);
    await expect(store.read('session-1')).rejects.not.toThrow(/secret/);
    await expect(store.read('session-1', 1)).rejects.toMatchObject(damaged);
    expect(await store.checkpoint('session-1')).toEqual(checkpoint(2));
  });

  it('a Redis ledger on a server reports a damaged checkpoint', async () => {
    const { client, prefix, checkpointKey } = await connected();
    const store = redisLedger({ client, prefix });
    await store.append('session-1', [record('one')], checkpoint(1), 0);
    await client.set(checkpointKey, '{"format":3}');
    await expect(store.checkpoint('session-1')).rejects.toMatchObject({
      reason: 'damaged',
      position: undefined,
    });
  });
});

const noCluster = clusterUrl === undefined ? ' (TEST_REDIS_CLUSTER_URL is not set)' : '';

describe.skipIf(clusterUrl === undefined)(`redisLedger on a cluster${noCluster}`, () => {
  it('a Redis ledger appends, reads and deletes under any ID', async () => {
    const cluster = createCluster({ rootNodes: [{ url: clusterUrl ?? '' }] });
    await cluster.connect();
    onTestFinished(() => cluster.close());
    const store = redisLedger({ client: cluster, prefix: redisPrefix() });
    for (const sessionId of ['conv_1', '}', '{}', 'a}b', '{a}{b}', '\u{1F600}']) {
      await store.append(sessionId, [record('one')], checkpoint(1), 0);
      await store.append(sessionId, [record('two')], checkpoint(2), 1);
      expect(await store.read(sessionId)).toEqual({ records: [record('one'), record('two')] });
      await store.rewrite(sessionId, [record('one')], checkpoint(4), 2);
      expect(await store.read(sessionId)).toEqual({ start: 3, records: [record('one')] });
      await store.delete(sessionId, 4);
      expect(await store.checkpoint(sessionId)).toBeUndefined();
    }
  });

  it('a Redis ledger on a cluster lists the sessions of all masters once each, by any ID', async () => {
    const cluster = createCluster({ rootNodes: [{ url: clusterUrl ?? '' }] });
    await cluster.connect();
    onTestFinished(() => cluster.close());
    const store = redisLedger({ client: cluster, prefix: redisPrefix() });
    const ids = ['}', '{}', 'a}b', ...Array.from({ length: 600 }, (_, index) => `user-${index}`)];
    await Promise.all(ids.map((id) => store.append(id, [record('one')], checkpoint(1), 0)));
    expect((await listed(store)).toSorted()).toEqual(ids.toSorted());
    expect(await listed(store, 'user-59')).toHaveLength(11);
  });

  it('a Redis ledger on a cluster reads from the master of a cluster whose client reads from replicas', async () => {
    const cluster = createCluster({ rootNodes: [{ url: clusterUrl ?? '' }], useReplicas: true });
    await cluster.connect();
    onTestFinished(() => cluster.close());
    const store = redisLedger({ client: cluster, prefix: redisPrefix() });
    const replica = createClient({ url: `redis://${cluster.replicas[0]?.address ?? ''}` });
    await replica.connect();
    onTestFinished(() => replica.close());
    await replica.configResetStat();
    for (let version = 0; version < 30; version += 1) {
      await store.append('conv_1', [record('one')], checkpoint(version + 1), version);
      expect(await store.checkpoint('conv_1')).toEqual(checkpoint(version + 1));
      expect((await store.read('conv_1', version)).records).toHaveLength(1);
    }
    const asked = async (): Promise<string> => replica.info('commandstats');
    expect(await asked()).not.toMatch(/cmdstat_(?:get|lrange|llen|lindex|eval|evalsha):/);
    // Every other one goes to the master.
    for (let times = 0; times < 8; times += 1) await cluster.get('anything');
    expect(await asked()).toMatch(/cmdstat_get:/);
  });
});
