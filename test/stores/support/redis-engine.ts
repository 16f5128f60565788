import { createClient, createClientPool } from 'redis';
import { redisLedger } from '../../../src/redis.ts';
import type { Engine } from './engine.ts';

/** The URL of a Redis to test on. */
export const redisUrl: string | undefined = process.env['TEST_REDIS_URL'];

const missing = redisUrl === undefined ? 'TEST_REDIS_URL is not set' : undefined;

/** A key prefix that no other test uses. */
export function redisPrefix(): string {
  return `test-${crypto.randomUUID()}:`;
}

/** A server, over one connection. */
export const redisEngine: Engine = {
  name: 'Redis',
  missing,
  create() {
    const prefix = redisPrefix();
    return {
      open: async () => {
        const client = createClient({ url: redisUrl ?? '' }).on('error', () => undefined);
        await client.connect();
        return { store: redisLedger({ client, prefix }), close: () => client.close() };
      },
    };
  },
};

/** A server, over a pool of connections. */
export const redisPoolEngine: Engine = {
  name: 'Redis, a pool',
  missing,
  create() {
    const prefix = redisPrefix();
    return {
      open: async () => {
        const pool = createClientPool({ url: redisUrl ?? '' }, { minimum: 1, maximum: 4 });
        pool.on('error', () => undefined);
        await pool.connect();
        return {
          store: redisLedger({ client: pool, prefix }),
          close: async () => {
            await pool.close();
          },
        };
      },
    };
  },
};
