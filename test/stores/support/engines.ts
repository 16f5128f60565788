import { memoryLedger } from '../../../src/index.ts';
import { encryptedLedger } from '../../../src/stores/encrypted/ledger.ts';
import { scopedLedger } from '../../../src/stores/scoped.ts';
import { d1Engine } from './d1-engine.ts';
import type { Engine } from './engine.ts';
import { mysqlEngines } from './mysql-engines.ts';
import { pgliteEngine, postgresEngines } from './postgres-engines.ts';
import { redisEngines } from './redis-engine.ts';
import { libsqlClient, sqliteByPath, sqliteDrivers } from './sqlite-engines.ts';

const memory: Engine = {
  name: 'memory',
  durable: false,
  create() {
    const store = memoryLedger();
    return { open: () => ({ store }) };
  },
};

const keys = [{ id: 'key-1', secret: new Uint8Array(32).fill(7) }];

/** The same engine with everything on it encrypted. */
function encrypted(engine: Engine): Engine {
  return {
    ...engine,
    name: `${engine.name}, encrypted`,
    async create() {
      const place = await engine.create();
      return {
        ...place,
        open: async () => {
          const { store, close } = await place.open();
          return { store: encryptedLedger(store, { keys }), close };
        },
      };
    },
  };
}

/** One scope of the same engine. */
function scoped(engine: Engine): Engine {
  return {
    ...engine,
    name: `${engine.name}, scoped`,
    async create() {
      const place = await engine.create();
      return {
        ...place,
        open: async () => {
          const { store, close } = await place.open();
          return { store: scopedLedger(store, 'tenant: 1'), close };
        },
      };
    },
  };
}

/** The names of the engines to test, between semicolons. Undefined for all. */
const chosen = process.env['TEST_ENGINES']?.split(';');

/** Every store on every engine, or those of `TEST_ENGINES`; those without `missing` can be tested here. */
export const engines: readonly Engine[] = [
  memory,
  sqliteByPath,
  ...sqliteDrivers,
  libsqlClient,
  ...redisEngines,
  pgliteEngine,
  ...postgresEngines,
  ...mysqlEngines,
  d1Engine,
  ...[memory, sqliteByPath].map((engine) => encrypted(engine)),
  ...[memory, sqliteByPath, encrypted(memory)].map((engine) => scoped(engine)),
  encrypted(scoped(sqliteByPath)),
].filter(({ name }) => chosen?.includes(name) ?? true);
