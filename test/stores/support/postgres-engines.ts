import { PGlite } from '@electric-sql/pglite';
import { Pool } from 'pg';
import { postgresLedger } from '../../../src/postgres.ts';
import type { Engine } from './engine.ts';

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

/** A server, over pools. */
export const postgresEngine: Engine = {
  name: 'PostgreSQL',
  missing: postgresUrl === undefined ? 'TEST_POSTGRES_URL is not set' : undefined,
  create() {
    const table = tableName();
    return {
      open: () => {
        const pool = new Pool({ connectionString: postgresUrl ?? '', max: 3 });
        pool.on('error', () => undefined);
        return { store: postgresLedger({ pool, table }), close: () => pool.end() };
      },
    };
  },
};
