import { PGlite } from '@electric-sql/pglite';
import { neon, Pool as NeonPool } from '@neondatabase/serverless';
import { Pool } from 'pg';
import postgres from 'postgres';
import { postgresLedger, type PostgresLedgerOptions } from '../../../src/postgres.ts';
import type { Engine } from './engine.ts';
import { neonGateway } from './neon-gateway.ts';

/** The URL of a PostgreSQL to test on. */
export const postgresUrl: string | undefined = process.env['TEST_POSTGRES_URL'];

let shared: PGlite | undefined;

/** One PGlite for all tests of a file: it takes seconds to start. */
export function pglite(): PGlite {
  shared ??= new PGlite();
  return shared;
}

/** A table that no other test uses. */
export function tableName(): string {
  return `ledger ${crypto.randomUUID().slice(0, 8)}`;
}

/** PostgreSQL in this process. */
export const pgliteEngine: Engine = {
  name: 'PGlite',
  create() {
    const table = tableName();
    return { open: () => ({ store: postgresLedger({ pool: pglite(), table }) }) };
  },
};

interface Opened {
  readonly pool: PostgresLedgerOptions['pool'];
  readonly close?: () => Promise<void>;
}

/** A server, over a client that `open` makes for each store. */
function server(name: string, open: (url: string) => Opened | Promise<Opened>): Engine {
  return {
    name,
    missing: postgresUrl === undefined ? 'TEST_POSTGRES_URL is not set' : undefined,
    create() {
      const table = tableName();
      return {
        open: async () => {
          const { pool, close } = await open(postgresUrl ?? '');
          return { store: postgresLedger({ pool, table }), close };
        },
      };
    },
  };
}

let gateway: Promise<string> | undefined;

/** Every client of PostgreSQL. Neon's go through a gateway as they do at Neon. */
export const postgresEngines: readonly Engine[] = [
  server('PostgreSQL', (connectionString) => {
    const pool = new Pool({ connectionString, max: 3 });
    pool.on('error', () => undefined);
    return { pool, close: () => pool.end() };
  }),
  server('PostgreSQL, postgres.js', (url) => {
    const sql = postgres(url, { max: 3, onnotice: () => undefined });
    return { pool: sql, close: () => sql.end() };
  }),
  server('PostgreSQL, a pool of Neon', async (url) => {
    const pool = new NeonPool({ connectionString: await (gateway ??= neonGateway(url)), max: 3 });
    pool.on('error', () => undefined);
    return { pool, close: () => pool.end() };
  }),
  server('PostgreSQL, the function of Neon', async (url) => {
    const options = { arrayMode: true, fullResults: true } as const;
    return { pool: neon(await (gateway ??= neonGateway(url)), options) };
  }),
];
