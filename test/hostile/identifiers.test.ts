import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import * as fc from 'fast-check';
import { createPool, type Pool } from 'mysql2/promise';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { mysqlLedger } from '../../src/mysql.ts';
import { postgresLedger, postgresLedgerSchema } from '../../src/postgres.ts';
import { redisLedger, type RedisLedgerClient } from '../../src/redis.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { texts, user } from '../support/conversation.ts';
import { mysqlUrl } from '../stores/support/mysql-engines.ts';
import { simulated } from '../support/simulated.ts';
import { failureOf, guardProcess, holds, hostileText } from './support/property.ts';

guardProcess();

/** Without halves of characters, which have no form in UTF-8. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}

/** The paths that requests of this package may have, as a server sees them. */
const PATHS = /^\/v1\/(conversations|responses)(\/[^/?#]+(\/(items|input_items)(\/[^/?#]+)?)?)?(\?[^#]*)?$/;

describe('an ID of any kind', () => {
  it('an ID never leads a request off its path, as the server sees it', async () => {
    const seen: { method: string; url: string }[] = [];
    let listed = 'msg_1';
    const server = createServer((request, response) => {
      seen.push({ method: request.method ?? '', url: request.url ?? '' });
      request.resume();
      response.writeHead(200, { 'content-type': 'application/json' });
      const message = { id: listed, type: 'message', role: 'user', content: [], status: 'completed' };
      response.end(JSON.stringify({ object: 'list', data: [message], has_more: false, last_id: listed }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const client = new OpenAI({ apiKey: 'test', baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
    try {
      const short = hostileText.map((text) => text.slice(0, 2000)).filter((text) => text !== '');
      await holds(12, fc.tuple(short, short), async ([conversationId, itemId]) => {
        seen.length = 0;
        listed = itemId;
        await failureOf(async () => {
          const session = new HybridSession({ client, conversationId });
          await session.getItems();
          await session.popItem();
          await session.runCompaction({ responseId: itemId });
          await session.erase({ remote: true });
        });
        for (const { url } of seen) {
          expect(url).toMatch(PATHS);
          const [, , kind, id] = url.split(/[/?#]/);
          if (kind === 'conversations' && id !== undefined)
            expect(decodeURIComponent(id)).toBe(conversationId);
          expect(url.split('/')).not.toContain('..');
          expect(decodeURIComponent(url.split('/').at(-1) ?? '')).not.toBe('..');
        }
      });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  it('an ID never breaks out of the conversation metadata', async () => {
    const { client } = simulated();
    await holds(60, fc.tuple(hostileText, hostileText), async ([key, value]) => {
      const metadata = Object.fromEntries([[wellFormed(key.slice(0, 64)), wellFormed(value.slice(0, 512))]]);
      const { id } = await client.conversations.create({ metadata });
      const responseId = wellFormed(value.slice(0, 100));
      const session = new HybridSession({ client, conversationId: id, bookmark: true });
      await session.addItems([user('hi')]);
      await session.runCompaction({ responseId });
      const { hybrid_session: place, ...others } = {
        ...Object((await client.conversations.retrieve(id)).metadata),
      };
      expect(others).toEqual(metadata);
      const bookmark = Object((await client.conversations.retrieve(String(place))).metadata);
      for (const [name, text] of Object.entries<string>(bookmark)) {
        expect(name).toMatch(/^(history|response|earlier_\d+)$/);
        expect(text.length).toBeLessThanOrEqual(512);
      }
      expect(JSON.parse(bookmark.history)).toMatchObject({ conversation: id, length: 1 });
      if (responseId !== '') expect(JSON.parse(bookmark.response)).toMatchObject({ id: responseId });
      await session.erase({ remote: true });
      for (const one of [id, String(place)])
        await expect(client.conversations.retrieve(one)).rejects.toThrow('404');
    });
  });
});

/** The few commands that the Redis ledger uses, on a map; reading and appending are scripts. */
function fakeRedis(): RedisLedgerClient & { readonly keys: () => string[] } {
  const lists = new Map<string, string[]>();
  const values = new Map<string, string>();
  const script: RedisLedgerClient['eval'] = async (
    _,
    { keys: [records = '', checkpoint], arguments: given },
  ) => {
    // The one script without arguments reads the checkpoint.
    if (given.length === 0) return values.get(records) ?? null;
    const list = lists.get(records) ?? [];
    const [first = '', second = ''] = given;
    if (checkpoint === undefined)
      return [Number(first), list.slice(Number(first), second === '-1' ? undefined : Number(second))];
    if (String(list.length) !== first) return list.length;
    lists.set(records, [...list, ...given.slice(4)]);
    values.set(checkpoint, given[2] ?? '');
    return -1;
  };
  return {
    keys: () => [...lists.keys(), ...values.keys()],
    eval: script,
    evalSha: script,
    del: async (keys) => {
      for (const key of keys) void (lists.delete(key), values.delete(key));
      return keys.length;
    },
  };
}

describe('two IDs that differ', () => {
  const database = new PGlite();
  let folder = '';
  const stores = new Map<string, () => LedgerStore>();
  let mysqlPool: Pool | undefined;
  beforeAll(async () => {
    await database.waitReady;
    folder = mkdtempSync(join(tmpdir(), 'hostile-'));
    const sqlite = sqliteLedger({ path: join(folder, 'ledger.db') });
    const redis = redisLedger({ client: fakeRedis() });
    const postgres = postgresLedger({ pool: database });
    const memory = memoryLedger();
    for (const [name, store] of Object.entries({ sqlite, redis, postgres, memory }))
      stores.set(name, () => store);
    if (mysqlUrl === undefined) return;
    const pool = (mysqlPool = createPool(mysqlUrl));
    stores.set('mysql', () => mysqlLedger({ pool }));
  });
  afterAll(async () => {
    await database.close();
    await mysqlPool?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['sqlite', 'redis', 'postgres', ...(mysqlUrl === undefined ? [] : ['mysql']), 'memory'])(
    'different IDs are different sessions in %s',
    async (name) => {
      const store = stores.get(name)?.() ?? memoryLedger();
      const pairs = fc
        .tuple(hostileText, hostileText)
        .chain(([one, two]) =>
          fc.constantFrom(
            [one, two],
            [one, `${one}${two}`],
            [one, one.toUpperCase()],
            [one, one.normalize('NFD')],
          ),
        )
        .filter(([one, two]) => one !== two);
      await holds(60, pairs, async (ids) => {
        for (const sessionId of ids) await store.delete(sessionId);
        for (const sessionId of ids) {
          const session = new HybridSession({
            mirror: 'off',
            sessionId,
            ledger: store,
            advanced: { ledgerRetry: 0 },
          });
          await session.addItems([user(`said in ${sessionId}`)]);
        }
        for (const sessionId of ids) {
          const session = new HybridSession({
            mirror: 'off',
            sessionId,
            ledger: store,
            advanced: { ledgerRetry: 0 },
          });
          const served = texts(await session.getItems()).map((text) => wellFormed(text));
          expect(served).toEqual([wellFormed(`said in ${sessionId}`)]);
        }
        await store.delete(ids[0] ?? '');
        expect(await store.checkpoint(ids[0] ?? '')).toBeUndefined();
        expect(await store.checkpoint(ids[1] ?? '')).toBeDefined();
      });
      expect(readdirSync(folder).filter((file) => !file.startsWith('ledger.db'))).toEqual([]);
    },
  );

  it('different prefixes and IDs are different keys in Redis', async () => {
    const prefix = hostileText.map((text) => text.replaceAll(/[{}]/g, '').slice(0, 50));
    const place = fc.tuple(prefix, hostileText);
    const checkpoint = { format: 3 as const, version: 1, length: 0, digest: EMPTY_DIGEST };
    await holds(300, fc.tuple(place, place), async ([one, two]) => {
      if (JSON.stringify(one) === JSON.stringify(two)) return;
      const client = fakeRedis();
      for (const [at, sessionId] of [one, two])
        await redisLedger({ client, prefix: at }).append(
          sessionId,
          [{ v: 3, commit: 'c', time: 0, type: 'pop' }],
          checkpoint,
          0,
        );
      expect(new Set(client.keys()).size).toBe(4);
    });
  });

  it('different names are different tables in PostgreSQL, and run no other statement', async () => {
    const checkpoint = { format: 3 as const, version: 1, length: 0, digest: EMPTY_DIGEST };
    await database.exec(
      "CREATE TABLE IF NOT EXISTS witness (word text); INSERT INTO witness VALUES ('here')",
    );
    await holds(25, hostileText, async (table) => {
      let store: LedgerStore;
      try {
        store = postgresLedger({ pool: database, table });
        postgresLedgerSchema(table);
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_options', option: 'table' });
        return;
      }
      const error = await failureOf(() =>
        store.append('s', [{ v: 3, commit: 'c', time: 0, type: 'pop' }], checkpoint, 0),
      );
      // A schema that does not exist, or half of a character, is the database's to refuse.
      if (error === undefined) expect((await store.read('s')).records).toHaveLength(1);
      expect((await database.query('SELECT word FROM witness')).rows).toContainEqual({ word: 'here' });
      if (error === undefined) await store.delete('s');
    });
  });
});
