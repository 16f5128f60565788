// The contract of a ledger store over the clients of Bun: `bun:sqlite`, and its Redis client where TEST_REDIS_URL names a server.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ledgerStoreContract } from 'agents-hybrid-session/testing';
import { redisLedger } from 'agents-hybrid-session/redis';
import { sqliteLedger } from 'agents-hybrid-session/sqlite';

const work = mkdtempSync(join(tmpdir(), 'bun-stores-'));
let places = 0;

/** A file for each place. */
function sqlite(Database) {
  const path = join(work, `${(places += 1)}.db`);
  return {
    open() {
      const database = new Database(path);
      database.exec('PRAGMA journal_mode = WAL');
      return { store: sqliteLedger({ database }), close: async () => database.close() };
    },
  };
}

/** A prefix for each place. */
function redis(RedisClient, url) {
  const prefix = `bun-${crypto.randomUUID()}:`;
  return {
    async open() {
      const client = new RedisClient(url);
      await client.connect();
      return { store: redisLedger({ client, prefix }), close: async () => client.close() };
    },
  };
}

const [{ Database }, { RedisClient }] = await Promise.all([import('bun:sqlite'), import('bun')]);
const url = process.env.TEST_REDIS_URL;
const subjects = {
  'bun:sqlite': () => sqlite(Database),
  ...(url === undefined ? {} : { 'the Redis client of Bun': () => redis(RedisClient, url) }),
};
if (url === undefined) console.log('bun-stores: no Redis client, because TEST_REDIS_URL is not set');
let failed = 0;
try {
  for (const [name, create] of Object.entries(subjects)) {
    const checks = ledgerStoreContract({ create });
    for (const check of checks) {
      try {
        await check.run();
      } catch (error) {
        failed += 1;
        console.log(
          `FAILED ${name}: ${check.name}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
    console.log(`bun-stores: ${name}: ${checks.length} checks`);
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(failed === 0 ? 0 : 1);
