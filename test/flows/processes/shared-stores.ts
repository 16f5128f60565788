import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { createClient } from 'redis';
import type { LedgerStore } from '../../../src/index.ts';
import { mysqlLedger } from '../../../src/mysql.ts';
import { postgresLedger } from '../../../src/postgres.ts';
import { redisLedger } from '../../../src/redis.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import type { SharedStore } from '../../support/processes.ts';

/** A store that this process looks at from outside while others write to it. */
export interface OpenedStore {
  readonly shared: SharedStore;
  readonly ledger: LedgerStore;
  readonly close: () => Promise<void>;
}

/** Why a store cannot be tried here: the environment names no server. */
export function missingServer(kind: SharedStore['kind']): string | undefined {
  const variable = {
    sqlite: undefined,
    redis: 'TEST_REDIS_URL',
    postgres: 'TEST_POSTGRES_URL',
    mysql: 'TEST_MYSQL_URL',
  }[kind];
  return variable === undefined || process.env[variable] !== undefined ? undefined : `${variable} is not set`;
}

/** Opens the store of that kind, in a new file or on the server that the environment names. */
export async function openStore(kind: SharedStore['kind']): Promise<OpenedStore> {
  if (kind === 'sqlite') {
    const folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
    const at = join(folder, 'ledger.db');
    const ledger = sqliteLedger({ path: at });
    return {
      shared: { kind, at },
      ledger,
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  }
  if (kind === 'redis') {
    const at = process.env['TEST_REDIS_URL'] ?? '';
    const client = createClient({ url: at });
    await client.connect();
    return {
      shared: { kind, at },
      ledger: redisLedger({ client }),
      close: async () => {
        await client.close();
      },
    };
  }
  if (kind === 'mysql') {
    const at = process.env['TEST_MYSQL_URL'] ?? '';
    const pool = createPool({ uri: at });
    return { shared: { kind, at }, ledger: mysqlLedger({ pool }), close: () => pool.end() };
  }
  const at = process.env['TEST_POSTGRES_URL'] ?? '';
  const pool = new Pool({ connectionString: at });
  return { shared: { kind, at }, ledger: postgresLedger({ pool }), close: () => pool.end() };
}
