import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from '@openai/agents';
import { createPool } from 'mysql2/promise';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { mysqlLedger } from '../../src/mysql.ts';
import { postgresLedger } from '../../src/postgres.ts';
import { redisLedger } from '../../src/redis.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { encryptedLedger } from '../../src/stores/encrypted/ledger.ts';
import { simulated } from '../support/simulated.ts';
import { mysqlTable, mysqlUrl, quotedName } from './support/mysql-engines.ts';
import { pglite, postgresUrl, tableName } from './support/postgres-engines.ts';
import { redisPrefix, redisUrl } from './support/redis-engine.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const TURNS = 40;
/** Characters, in turn: 200 and 800 on average. */
const QUESTIONS = [50, 350, 120, 280];
const ANSWERS = [200, 1_400, 500, 1_100];

/** A ledger and how many bytes it takes. */
interface Measured {
  readonly ledger: LedgerStore;
  readonly bytes: (sessionId: string) => Promise<number>;
}

const places: Record<string, () => Promise<Measured>> = {
  'as JSON': async () => {
    const ledger = memoryLedger();
    return { ledger, bytes: async (id) => JSON.stringify((await ledger.read(id)).records).length };
  },
  'in SQLite': sqliteFile,
  'in SQLite, encrypted': async () => {
    const { ledger, bytes } = await sqliteFile();
    const keys = [{ id: 'key-1', secret: new Uint8Array(32).fill(7) }];
    return { ledger: encryptedLedger(ledger, { keys }), bytes };
  },
  'in PGlite': async () => postgresTable(pglite()),
  'in PostgreSQL': async () => {
    const pool = new Pool({ connectionString: postgresUrl ?? '' });
    onTestFinished(() => pool.end());
    return postgresTable(pool);
  },
  'in MariaDB': mysqlTables,
  'in Redis': async () => {
    const client = await createClient({ url: redisUrl ?? '' }).connect();
    onTestFinished(() => client.close());
    const prefix = redisPrefix();
    const bytes = async (id: string): Promise<number> => {
      const keys = [`${prefix}{${id}}:records`, `${prefix}{${id}}:head`];
      const sizes = await Promise.all(keys.map((key) => client.memoryUsage(key, { SAMPLES: 0 })));
      return sizes.reduce<number>((sum, size) => sum + Number(size), 0);
    };
    return { ledger: redisLedger({ client, prefix }), bytes };
  },
};

/** What `docs/ledgers.md` says, in bytes for a turn of 1,000 characters: with content, and without. */
const DOCUMENTED: readonly (readonly [place: string, whole: number, bare: number, missing?: boolean])[] = [
  ['as JSON', 2_700, 1_400],
  ['in SQLite', 3_100, 1_500],
  ['in SQLite, encrypted', 5_000, 2_800],
  ['in PGlite', 2_700, 2_000],
  ['in PostgreSQL', 2_700, 2_000, postgresUrl === undefined],
  ['in MariaDB', 3_700, 2_000, mysqlUrl === undefined],
  ['in Redis', 2_900, 1_400, redisUrl === undefined],
];

describe('A turn of 1,000 characters', () => {
  for (const [place, whole, bare, missing = false] of DOCUMENTED) {
    for (const [keepContent, documented] of [
      [true, whole],
      [false, bare],
    ] as const) {
      it.skipIf(missing)(
        `a turn of 1,000 characters takes ${documented} bytes ${place}, with keepContent: ${keepContent}`,
        async () => {
          const measure = places[place];
          const { ledger, bytes } = (await measure?.()) ?? {};
          if (ledger === undefined || bytes === undefined) throw new Error('There is no such place');
          let turns = 0;
          const { client } = simulated({ respond: () => 'a'.repeat(ANSWERS[turns % 4] ?? 0) });
          const session = new HybridSession({ client, ledger, keepContent });
          const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
          const runner = new HybridRunner({ tracingDisabled: true });
          const turn = async (): Promise<void> => {
            await runner.run(agent, 'q'.repeat(QUESTIONS[turns % 4] ?? 0), { session });
            turns += 1;
          };
          for (let first = 0; first < 4; first += 1) await turn();
          const before = await bytes(await session.getSessionId());
          for (let more = 0; more < TURNS; more += 1) await turn();
          const perTurn = ((await bytes(await session.getSessionId())) - before) / TURNS;
          expect(Math.abs(perTurn / documented - 1)).toBeLessThan(0.3);
        },
      );
    }
  }
});

async function sqliteFile(): Promise<Measured> {
  const folder = await temporaryFolder();
  const path = join(folder.path, 'ledger.db');
  const ledger = sqliteLedger({ path });
  onTestFinished(async () => {
    await ledger.close();
    await folder.remove();
  });
  const bytes = async (): Promise<number> => {
    // Closing the last connection moves the log into the file.
    const other = sqliteLedger({ path });
    await other.delete('none');
    await other.close();
    return (await stat(path)).size;
  };
  return { ledger, bytes };
}

async function mysqlTables(): Promise<Measured> {
  const pool = createPool(mysqlUrl ?? '');
  onTestFinished(() => pool.end());
  const table = mysqlTable();
  const names = [table, `${table}_record`];
  const bytes = async (): Promise<number> => {
    for (const name of names) await pool.query(`OPTIMIZE TABLE ${quotedName(name)}`);
    const size = `SELECT SUM(data_length + index_length) AS bytes FROM information_schema.tables WHERE table_name IN (?, ?)`;
    const [rows] = await pool.execute(size, names);
    return Number((rows as { bytes: string }[])[0]?.bytes);
  };
  return { ledger: mysqlLedger({ pool, table }), bytes };
}

async function postgresTable(pool: Pool | ReturnType<typeof pglite>): Promise<Measured> {
  const table = tableName();
  const size = `pg_total_relation_size('"${table}"'::regclass) + pg_total_relation_size('"${table}_record"'::regclass)`;
  const bytes = async (): Promise<number> => {
    await pool.query(`VACUUM FULL "${table}"`);
    const { rows } = await pool.query(`SELECT (${size})::int AS bytes`);
    return (rows[0] as { bytes: number }).bytes;
  };
  return { ledger: postgresLedger({ pool, table }), bytes };
}
