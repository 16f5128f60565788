import { z } from 'zod';
import { LedgerConflictError } from '../errors/ledger-conflict-error.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { decodeHead, decodeRecord } from './decode-record.ts';
import { APPEND_SCRIPT, DELETE_SCRIPT, DONE, runScript, type RedisScriptClient } from './redis-scripts.ts';
import { sessionKey } from './session-key.ts';
import { parseStoreOptions, withMethods } from './store-options.ts';

/** A connected client of the `redis` package (single, pool or cluster), by the methods the ledger uses. */
export interface RedisLedgerClient extends RedisScriptClient {
  get(key: string): Promise<unknown>;
  lRange(key: string, start: number, stop: number): Promise<unknown>;
  del(keys: string[]): Promise<unknown>;
}

/** Options of `redisLedger`. */
export interface RedisLedgerOptions {
  /** Yours: connect it before, and close it afterwards. */
  readonly client: RedisLedgerClient;
  /** What all keys begin with; without braces. Default `hybrid-session:`. */
  readonly prefix?: string | undefined;
  /** How long a session is kept after its newest append, in seconds. Default: for ever. */
  readonly ttlSeconds?: number | undefined;
}

const schema = z.strictObject({
  client: withMethods<RedisLedgerClient>('get', 'lRange', 'del', 'eval', 'evalSha'),
  prefix: z
    .string()
    .regex(/^[^{}]*$/, { message: 'must be without braces: they mark the part of a key that places it' })
    .default('hybrid-session:'),
  ttlSeconds: z.number().positive().optional(),
});

/**
 * A ledger store in Redis, for sessions that many machines share.
 *
 * A session is a list of records and a string for the head, under keys that a cluster keeps in one place. An append is
 * one script. How durable it is when it resolves is the server's setting: `appendfsync always` for every append,
 * `everysec` may lose a second.
 *
 * @throws InvalidOptionsError; the store's methods throw the client's own errors.
 */
export function redisLedger(options: RedisLedgerOptions): LedgerStore {
  const { client, prefix, ttlSeconds } = parseStoreOptions('Redis', schema, options);
  const ttl = ttlSeconds === undefined ? 0 : Math.ceil(ttlSeconds * 1000);
  return {
    async head(sessionId) {
      const head = await client.get(keysOf(prefix, sessionId).head);
      return head === null || head === undefined ? undefined : decodeHead(text(head), sessionId);
    },
    async read(sessionId, from = 0, to?: number) {
      if (to !== undefined && to <= from) return { records: [] };
      const found = await client.lRange(
        keysOf(prefix, sessionId).records,
        from,
        to === undefined ? -1 : to - 1,
      );
      const records = Array.isArray(found) ? found : [];
      return {
        records: records.map((record: unknown, index) => decodeRecord(text(record), sessionId, from + index)),
      };
    },
    async append(sessionId, records, head, expected) {
      const keys = keysOf(prefix, sessionId);
      const answer = await runScript(client, APPEND_SCRIPT, {
        keys: [keys.records, keys.head],
        arguments: [
          String(expected),
          String(ttl),
          JSON.stringify(head),
          ...records.map((record) => JSON.stringify(record)),
        ],
      });
      const version = Number(answer);
      if (version !== DONE) throw new LedgerConflictError(sessionId, expected, version);
    },
    async delete(sessionId, expected?: number) {
      const { records, head } = keysOf(prefix, sessionId);
      if (expected === undefined) {
        await client.del([records, head]);
        return;
      }
      const options = { keys: [records, head], arguments: [String(expected)] };
      const version = Number(await runScript(client, DELETE_SCRIPT, options));
      if (version !== DONE) throw new LedgerConflictError(sessionId, expected, version);
    },
  };
}

/** The part in braces places both keys in the same slot; braces of the ID itself would end it too early or empty it. */
function keysOf(prefix: string, sessionId: string): { readonly records: string; readonly head: string } {
  const tag = sessionKey(sessionId).replace(/[%{}]/g, encodeURIComponent);
  return { records: `${prefix}{${tag}}:records`, head: `${prefix}{${tag}}:head` };
}

/** A client can be set up to give bytes. */
function text(value: unknown): unknown {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
}
