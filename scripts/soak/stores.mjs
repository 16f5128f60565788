import { encryptedLedger, memoryLedger } from '../../dist/esm/src/index.js';

/** The stores, and whether processes share a session of theirs. */
export const STORES = {
  memory: { isShared: false },
  sqlite: { isShared: true },
  encrypted: { isShared: true },
  redis: { isShared: true },
  postgres: { isShared: true },
  mysql: { isShared: true },
};

const ignore = () => undefined;

/** Opens stores of these kinds. */
export async function openStores(kinds, { folder, redisUrl, postgresUrl, mysqlUrl }) {
  const closing = [];
  const sqlite = async (name) => {
    const { sqliteLedger } = await import('../../dist/esm/src/sqlite.js');
    const ledger = sqliteLedger({ path: `${folder}/${name}.db` });
    closing.push(() => ledger.close());
    return ledger;
  };
  const openers = {
    memory: async () => memoryLedger(),
    sqlite: () => sqlite('sqlite'),
    encrypted: async () =>
      encryptedLedger(await sqlite('encrypted'), { keys: [{ id: 'soak', secret: Buffer.alloc(32, 7) }] }),
    async redis() {
      const { redisLedger } = await import('../../dist/esm/src/redis.js');
      const { createClient } = await import('redis');
      const redis = createClient({ url: redisUrl }).on('error', ignore);
      await redis.connect();
      closing.push(() => redis.destroy());
      return redisLedger({ client: redis });
    },
    async postgres() {
      const { postgresLedger } = await import('../../dist/esm/src/postgres.js');
      const { default: pg } = await import('pg');
      const pool = new pg.Pool({ connectionString: postgresUrl, max: 3, connectionTimeoutMillis: 5000 });
      pool.on('error', ignore);
      closing.push(() => pool.end());
      return postgresLedger({ pool });
    },
    async mysql() {
      const { mysqlLedger } = await import('../../dist/esm/src/mysql.js');
      const { createPool } = await import('mysql2/promise');
      const pool = createPool({ uri: mysqlUrl, connectionLimit: 3, connectTimeout: 5000 });
      closing.push(() => pool.end());
      return mysqlLedger({ pool });
    },
  };
  const stores = {};
  for (const kind of kinds) stores[kind] = await openers[kind]();
  return {
    stores,
    async close() {
      for (const end of closing) await end();
    },
  };
}
