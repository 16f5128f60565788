import { memoryLedger } from '../../../src/index.ts';
import { encryptedLedger } from '../../../src/stores/encrypted-ledger.ts';
import type { Engine } from './engine.ts';
import { pgliteEngine, postgresEngine } from './postgres-engines.ts';
import { redisEngine, redisPoolEngine } from './redis-engine.ts';
import { sqliteByPath, sqliteDrivers } from './sqlite-engines.ts';

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

/** Every store on every engine; those without `missing` can be tested here. */
export const engines: readonly Engine[] = [
  memory,
  sqliteByPath,
  ...sqliteDrivers,
  redisEngine,
  redisPoolEngine,
  pgliteEngine,
  postgresEngine,
  ...[memory, sqliteByPath].map((engine) => encrypted(engine)),
];
