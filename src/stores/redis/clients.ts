import { z } from 'zod';
import { hasMethods } from '../../errors/options.ts';
import { isObject } from '../../util/json.ts';
import { warnWithoutErrorListener } from '../shared/warn-without-error-listener.ts';
import type { RedisCommands, RedisScan } from './commands.ts';
import { textOf, type RedisScriptClient, type RedisScriptOptions } from './scripts.ts';

/** A connected client of the `redis` package (single, pool or cluster), by the methods the ledger uses. */
export interface RedisLedgerClient extends RedisScriptClient {
  del(keys: string[]): Promise<unknown>;
}

/** A client of the `ioredis` package (single or cluster), by the methods the ledger uses. */
export interface IoredisLedgerClient {
  call(command: string, args: string[]): Promise<unknown>;
  /** Only a cluster has it. */
  nodes?(role: 'master'): readonly { call(command: string, args: string[]): Promise<unknown> }[];
}

/** Bun's `RedisClient`, by the method the ledger uses. */
export interface BunRedisLedgerClient {
  send(command: string, args: string[]): Promise<unknown>;
}

/** Every client that `redisLedger` takes. */
export type AnyRedisClient = RedisLedgerClient | IoredisLedgerClient | BunRedisLedgerClient;

/** How many keys a server goes through for one answer. */
const SCAN_COUNT = 500;

const ACCEPTED =
  "must be a client of 'redis' (createClient, createClientPool, createCluster), of 'ioredis' (Redis, Cluster) or Bun's RedisClient";

/** The schema of the option `client`. */
export const redisClient: z.ZodType<AnyRedisClient, AnyRedisClient> = z.custom<AnyRedisClient>(
  (value) => commandsOf(value) !== undefined,
  { message: ACCEPTED },
);

/** The commands of a client that the schema has accepted, and the warning that it may need. */
export function redisCommands(client: AnyRedisClient): RedisCommands {
  // The others do not end the process when nothing listens to their errors.
  if (isNodeRedis(client)) warnWithoutErrorListener('Redis', client);
  return commandsOf(client) as RedisCommands;
}

/** Which client it is, by the names of its methods. */
function commandsOf(client: unknown): RedisCommands | undefined {
  if (typeof client !== 'object' || client === null) return undefined;
  if (isNodeRedis(client)) return nodeRedis(client);
  if (hasMethods(client, 'call', 'evalsha')) return ioredis(client as IoredisLedgerClient);
  if (hasMethods(client, 'send')) return bunRedis(client);
  return undefined;
}

function nodeRedis(client: RedisLedgerClient): RedisCommands {
  return {
    evalSha: ({ sha }, options) => client.evalSha(sha, options),
    eval: ({ text }, options) => client.eval(text, options),
    del: (keys) => client.del(keys),
    scanners() {
      // A cluster that is not connected knows no masters: it says so itself when it is asked.
      if (isNodeRedisCluster(client) && client.masters.length > 0)
        return client.masters.map((node) => async () => nodeRedisScan(await client.nodeClient(node)));
      return isNodeRedisScanner(client) ? [() => nodeRedisScan(client)] : [];
    },
    keyPrefix: '',
  };
}

interface NodeRedisScanner {
  scan(
    cursor: string,
    options: { readonly MATCH: string; readonly COUNT: number },
  ): Promise<{ readonly cursor: unknown; readonly keys: readonly unknown[] }>;
}

interface NodeRedisCluster {
  readonly masters: readonly unknown[];
  nodeClient(node: unknown): NodeRedisScanner | Promise<NodeRedisScanner>;
}

function isNodeRedis(client: object): client is RedisLedgerClient {
  return hasMethods(client, 'del', 'eval', 'evalSha');
}

function isNodeRedisScanner(client: object): client is NodeRedisScanner {
  return hasMethods(client, 'scan');
}

function isNodeRedisCluster(client: object): client is NodeRedisCluster {
  return Array.isArray(Reflect.get(client, 'masters')) && hasMethods(client, 'nodeClient');
}

function nodeRedisScan(scanner: NodeRedisScanner): RedisScan {
  return async (cursor, pattern) => {
    const answer = await scanner.scan(cursor, { MATCH: pattern, COUNT: SCAN_COUNT });
    return [answer.cursor, answer.keys];
  };
}

function ioredis(client: IoredisLedgerClient): RedisCommands {
  const options: unknown = Reflect.get(client, 'options');
  const keyPrefix = isObject(options) ? textOf(options['keyPrefix']) : undefined;
  return {
    ...rawCommands((command, args) => client.call(command, args)),
    scanners() {
      const nodes = client.nodes?.('master') ?? [client];
      return nodes.map((node) => () => rawScan((command, args) => node.call(command, args)));
    },
    keyPrefix: typeof keyPrefix === 'string' ? keyPrefix : '',
  };
}

function bunRedis(client: BunRedisLedgerClient): RedisCommands {
  const send: Send = (command, args) => client.send(command, args);
  return { ...rawCommands(send), scanners: () => [() => rawScan(send)], keyPrefix: '' };
}

type Send = (command: string, args: string[]) => Promise<unknown>;

function rawCommands(send: Send): Pick<RedisCommands, 'evalSha' | 'eval' | 'del'> {
  return {
    evalSha: ({ sha }, options) => send('EVALSHA', argsOf(sha, options)),
    eval: ({ text }, options) => send('EVAL', argsOf(text, options)),
    del: (keys) => send('DEL', keys),
  };
}

function argsOf(script: string, { keys, arguments: given }: RedisScriptOptions): string[] {
  return [script, String(keys.length), ...keys, ...given];
}

function rawScan(send: Send): RedisScan {
  return async (cursor, pattern) => {
    const answer = await send('SCAN', [cursor, 'MATCH', pattern, 'COUNT', String(SCAN_COUNT)]);
    const [next, keys]: unknown[] = Array.isArray(answer) ? answer : [];
    return [next, Array.isArray(keys) ? keys : []];
  };
}
