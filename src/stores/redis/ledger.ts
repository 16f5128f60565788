import { z } from 'zod';
import { LedgerConflictError } from '../../errors/ledger.ts';
import type { LedgerStore, SessionsOptions, SessionSummary } from '../../ledger/store.ts';
import type { Checkpoint } from '../../ledger/record.ts';
import { decodeCheckpoint, decodeRecord } from '../shared/decode-record.ts';
import { DELETE_SCRIPT, DONE, CHECKPOINT_SCRIPT, READ_SCRIPT, textOf, WRITE_SCRIPT } from './scripts.ts';
import { redisClient, redisCommands, type AnyRedisClient } from './clients.ts';
import { runScript } from './commands.ts';
import { literal, scanKeys } from './scan.ts';
import { sessionIdOf, sessionKey } from '../shared/session-key.ts';
import { readableSummaries, summaryOf } from '../shared/session-summary.ts';
import { parseOptions } from '../../errors/options.ts';

/** Options of `redisLedger`. */
export interface RedisLedgerOptions {
  /**
   * A client of `redis` or `ioredis`, or Bun's `RedisClient`. Yours: connect it before, close it afterwards, and give it an `error`
   * listener.
   */
  readonly client: AnyRedisClient;
  /** The prefix of all keys, without braces. Default `agents-hybrid-session:`. */
  readonly prefix?: string | undefined;
  /** How long a session is kept after its newest append, in seconds. Default: for ever. */
  readonly ttlSeconds?: number | undefined;
}

const CHECKPOINT_END = '}:head';

const schema = z.strictObject({
  client: redisClient,
  prefix: z
    .string()
    .regex(/^[^{}]*$/, { message: 'must be without braces: they mark the part of a key that places it' })
    .default('agents-hybrid-session:'),
  ttlSeconds: z.number().positive().optional(),
});

/**
 * A ledger store in Redis, for sessions that many machines share.
 *
 * A session is a list of records and a string for the checkpoint, under keys that a cluster keeps in one place. An append, a
 * rewrite and a reading are one script each, which clients send to the master, wherever else they send reads. How durable it is when
 * it resolves is the server's setting: `appendfsync always` for every append, `everysec` may lose a second.
 *
 * @throws InvalidOptionsError; the store's methods throw the client's own errors.
 */
export function redisLedger(options: RedisLedgerOptions): LedgerStore {
  const { client, prefix, ttlSeconds } = parseOptions(schema, options, 'the Redis ledger');
  const commands = redisCommands(client);
  const ttl = ttlSeconds === undefined ? 0 : Math.ceil(ttlSeconds * 1000);
  const write = async (isRewrite: boolean, ...args: Parameters<LedgerStore['append']>): Promise<void> => {
    const [sessionId, records, checkpoint, expected] = args;
    const keys = keysOf(prefix, sessionId);
    const texts = records.map((record) => JSON.stringify(record));
    const elements = isRewrite ? [String(expected + 1), ...texts] : texts;
    const given = [
      String(expected),
      String(ttl),
      JSON.stringify(checkpoint),
      isRewrite ? '1' : '0',
      ...elements,
    ];
    const options = { keys: [keys.records, keys.checkpoint], arguments: given };
    const version = Number(await runScript(commands, WRITE_SCRIPT, options));
    if (version !== DONE) throw new LedgerConflictError(sessionId, expected, version);
  };

  const checkpointText = async (sessionId: string): Promise<unknown> =>
    runScript(commands, CHECKPOINT_SCRIPT, { keys: [keysOf(prefix, sessionId).checkpoint], arguments: [] });

  async function* sessions(options: SessionsOptions = {}): AsyncGenerator<SessionSummary> {
    const { prefix: begin = '' } = options;
    const listed = new Set<string>();
    for await (const keys of scanKeys(commands, patternOf(prefix, begin))) {
      const added = keys.filter((key) => !listed.has(key) && listed.add(key));
      const found = added.flatMap((key) => sessionIdOf(nameIn(prefix, key)) ?? []);
      const checkpoints = await Promise.all(found.map((sessionId) => checkpointText(sessionId)));
      for (const [index, sessionId] of found.entries()) {
        yield* readableSummaries(options, () => {
          const checkpoint = decoded(checkpoints[index], sessionId);
          return checkpoint === undefined ? [] : summaryOf(sessionId, checkpoint);
        });
      }
    }
  }

  return {
    checkpoint: async (sessionId) => decoded(await checkpointText(sessionId), sessionId),
    async read(sessionId, from = 0, to?: number) {
      const { records } = keysOf(prefix, sessionId);
      const range = [String(from), String(to ?? -1)];
      const answer = await runScript(commands, READ_SCRIPT, { keys: [records], arguments: range });
      const [position, found]: unknown[] = Array.isArray(answer) ? answer : [];
      const start = Number(position ?? from);
      const texts: unknown[] = Array.isArray(found) ? found : [];
      const page = texts.map((record, index) => decodeRecord(textOf(record), sessionId, start + index));
      return start > from ? { start, records: page } : { records: page };
    },
    append: (...args) => write(false, ...args),
    rewrite: (...args) => write(true, ...args),
    async delete(sessionId, expected?: number) {
      const { records, checkpoint } = keysOf(prefix, sessionId);
      if (expected === undefined) {
        await commands.del([records, checkpoint]);
        return;
      }
      const options = { keys: [records, checkpoint], arguments: [String(expected)] };
      const version = Number(await runScript(commands, DELETE_SCRIPT, options));
      if (version !== DONE) throw new LedgerConflictError(sessionId, expected, version);
    },
    sessions,
  };
}

function decoded(checkpoint: unknown, sessionId: string): Checkpoint | undefined {
  return checkpoint === null || checkpoint === undefined
    ? undefined
    : decodeCheckpoint(textOf(checkpoint), sessionId);
}

/** The part in braces places both keys in the same slot; braces of the ID itself would end it too early or empty it. */
function keysOf(
  prefix: string,
  sessionId: string,
): { readonly records: string; readonly checkpoint: string } {
  const tag = escaped(sessionKey(sessionId));
  return { records: `${prefix}{${tag}}:records`, checkpoint: `${prefix}{${tag}${CHECKPOINT_END}` };
}

/** The pattern of the checkpoints' keys of all sessions whose names begin so. */
function patternOf(prefix: string, begin: string): string {
  return `${literal(`${prefix}{${escaped(begin)}`)}*${CHECKPOINT_END}`;
}

/** The name of the session in the key of its checkpoint. */
function nameIn(prefix: string, key: string): string {
  const tag = key.slice(prefix.length + 1, -CHECKPOINT_END.length);
  return tag.replaceAll(/%(?:25|7B|7D)/g, decodeURIComponent);
}

function escaped(name: string): string {
  return name.replace(/[%{}]/g, encodeURIComponent);
}
