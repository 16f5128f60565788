import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { expect, it, vi } from 'vitest';
import { postgresLedger, type PostgresPool } from '../../src/postgres.ts';
import { redisLedger, type RedisLedgerClient } from '../../src/redis.ts';
import { snippetsOf } from '../package/readme-snippets.ts';

/** The warnings that an action brings; nothing registers a listener after its tick. */
async function warningsOf(act: () => void): Promise<string[]> {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  act();
  await new Promise((resolve) => setImmediate(resolve));
  const calls = warn.mock.calls as unknown[][];
  warn.mockRestore();
  for (const [, options] of calls) expect(options).toEqual({ code: 'HYBRID_SESSION_NO_ERROR_LISTENER' });
  return calls.map(([message]) => String(message));
}

const method = async (): Promise<unknown> => null;

function redisEmitter(): RedisLedgerClient & EventEmitter {
  return Object.assign(new EventEmitter(), { del: method, eval: method, evalSha: method });
}

it('a store warns once for a client without an error listener, and adds none', async () => {
  const client = redisEmitter();
  const pool: PostgresPool & EventEmitter = Object.assign(new EventEmitter(), {
    query: async () => ({ rows: [] }),
  });
  const warnings = await warningsOf(() => {
    redisLedger({ client });
    redisLedger({ client, prefix: 'another:' });
    postgresLedger({ pool });
  });
  expect(warnings).toEqual([
    expect.stringMatching(/the Redis ledger has no 'error' listener.*register one: client\.on\('error'/),
    expect.stringContaining("the PostgreSQL ledger has no 'error' listener"),
  ]);
  expect([client.listenerCount('error'), pool.listenerCount('error')]).toEqual([0, 0]);
});

it('a store warns for the clients of redis and pg as they come', async () => {
  const pool = new Pool({ connectionString: 'postgres://localhost/none' });
  const warnings = await warningsOf(() => {
    redisLedger({ client: createClient() });
    postgresLedger({ pool });
  });
  expect(warnings).toHaveLength(2);
  await pool.end();
});

it('a store does not warn for a client of ioredis, which ends no process', async () => {
  const client = new Redis({ lazyConnect: true });
  expect(await warningsOf(() => redisLedger({ client }))).toEqual([]);
});

it('a store does not warn for a listener that is registered in the same tick, nor for a client that emits nothing', async () => {
  const warnings = await warningsOf(() => {
    const client = redisEmitter();
    redisLedger({ client });
    client.on('error', () => undefined);
    postgresLedger({ pool: { query: async () => ({ rows: [] }) } });
    const throwing = { query: async () => ({ rows: [] }), listenerCount: () => JSON.parse('{') as number };
    postgresLedger({ pool: throwing });
  });
  expect(warnings).toEqual([]);
});

it('the examples in docs/ledgers.md register an error listener', () => {
  const clients = snippetsOf(readFileSync('docs/ledgers.md', 'utf8')).filter(({ source }) =>
    /createClient\(|new Pool\(/.test(source),
  );
  expect(clients.map(({ heading }) => heading)).toEqual(['Redis', 'PostgreSQL']);
  for (const { source } of clients) expect(source).toMatch(/\.on\('error'/);
});
