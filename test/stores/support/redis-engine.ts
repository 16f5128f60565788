import { Cluster, Redis } from 'ioredis';
import { createClient, createClientPool, createCluster } from 'redis';
import { redisLedger, type RedisLedgerOptions } from '../../../src/redis.ts';
import type { Engine } from './engine.ts';

/** The URL of a Redis to test on. */
export const redisUrl: string | undefined = process.env['TEST_REDIS_URL'];

/** The URL of a node of a Redis cluster to test on. */
export const redisClusterUrl: string | undefined = process.env['TEST_REDIS_CLUSTER_URL'];

/** A key prefix that no other test uses. */
export function redisPrefix(): string {
  return `test-${crypto.randomUUID()}:`;
}

interface Connected {
  readonly client: RedisLedgerOptions['client'];
  readonly close: () => unknown;
}

/** A server, over a client that `connect` opens for each store. */
function engine(name: string, url: string | undefined, connect: (url: string) => Promise<Connected>): Engine {
  const variable = url === redisUrl ? 'TEST_REDIS_URL' : 'TEST_REDIS_CLUSTER_URL';
  return {
    name,
    missing: url === undefined ? `${variable} is not set` : undefined,
    create() {
      const prefix = redisPrefix();
      return {
        open: async () => {
          const { client, close } = await connect(url ?? '');
          return {
            store: redisLedger({ client, prefix }),
            close: async () => {
              await close();
            },
          };
        },
      };
    },
  };
}

/** Every client of Redis. */
export const redisEngines: readonly Engine[] = [
  engine('Redis', redisUrl, async (url) => {
    const client = createClient({ url }).on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  }),
  engine('Redis, a pool', redisUrl, async (url) => {
    const client = createClientPool({ url }, { minimum: 1, maximum: 4 });
    client.on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  }),
  engine('Redis, a cluster', redisClusterUrl, async (url) => {
    const client = createCluster({ rootNodes: [{ url }] }).on('error', () => undefined);
    await client.connect();
    return { client, close: () => client.close() };
  }),
  engine('Redis, ioredis', redisUrl, async (url) => {
    const client = new Redis(url, { keyPrefix: 'app[1]:' }).on('error', () => undefined);
    return { client, close: () => client.quit() };
  }),
  engine('Redis, ioredis, a cluster', redisClusterUrl, async (url) => {
    const { hostname, port } = new URL(url);
    const client = new Cluster([{ host: hostname, port: Number(port) }], { scaleReads: 'all' });
    client.on('error', () => undefined);
    return { client, close: () => client.quit() };
  }),
];
