import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { sqliteLedger } from '../../../src/sqlite.ts';
import type { OwnedSqliteDatabase } from '../../../src/stores/sqlite/database.ts';
import type { Engine } from './engine.ts';
import { temporaryFolder } from './temporary-folder.ts';

type DatabaseClass = new (path: string) => OwnedSqliteDatabase;

/** A file that the ledger opens itself, with the first driver it finds. */
export const sqliteByPath: Engine = {
  name: 'SQLite, opened by path',
  async create() {
    const folder = await temporaryFolder();
    return {
      open: () => {
        const store = sqliteLedger({ path: join(folder.path, 'ledger.db') });
        return { store, close: () => store.close() };
      },
      remove: folder.remove,
    };
  },
};

/** A file opened by each driver that can be loaded here. */
export const sqliteDrivers: readonly Engine[] = await Promise.all(
  [
    ['libsql', 'default'],
    ['better-sqlite3', 'default'],
    ['node:sqlite', 'DatabaseSync'],
  ].map(async ([name = '', exported = '']): Promise<Engine> => {
    const Database = await databaseClass(name, exported);
    return {
      name: `SQLite, a database of ${name}`,
      missing: Database === undefined ? `'${name}' cannot be loaded by Node ${process.version}` : undefined,
      async create() {
        if (Database === undefined) throw new Error(`'${name}' cannot be loaded`);
        const folder = await temporaryFolder();
        return {
          open: () => {
            const database = new Database(join(folder.path, 'ledger.db'));
            database.exec('PRAGMA journal_mode = WAL');
            return {
              store: sqliteLedger({ database }),
              close: async () => {
                database.close();
              },
            };
          },
          remove: folder.remove,
        };
      },
    };
  }),
);

/** A file opened by the client of libsql, which answers later. */
export const libsqlClient: Engine = {
  name: 'SQLite, a client of @libsql/client',
  async create() {
    const folder = await temporaryFolder();
    return {
      open: () => {
        const client = createClient({ url: `file:${join(folder.path, 'ledger.db')}` });
        return {
          store: sqliteLedger({ database: client }),
          close: async () => {
            client.close();
          },
        };
      },
      remove: folder.remove,
    };
  },
};

async function databaseClass(name: string, exported: string): Promise<DatabaseClass | undefined> {
  try {
    const module = (await import(name)) as Record<string, DatabaseClass>;
    const Database = module[exported];
    if (Database !== undefined) new Database(':memory:').close();
    return Database;
  } catch {
    return undefined;
  }
}
