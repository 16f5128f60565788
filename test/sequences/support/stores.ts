import { PGlite } from '@electric-sql/pglite';
import Database from 'libsql';
import { createPool } from 'mysql2/promise';
import { encryptedLedger, memoryLedger, type LedgerStore } from '../../../src/index.ts';
import { mysqlLedger } from '../../../src/mysql.ts';
import { postgresLedger } from '../../../src/postgres.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { mysqlTable, mysqlUrl, quotedName } from '../../stores/support/mysql-engines.ts';

/** The stores of the sequences; `mysql` needs a server. */
export type StoreName = 'memory' | 'encrypted' | 'sqlite' | 'pglite' | 'mysql' | 'bookmark';

/** A place for ledgers that outlives the processes of one sequence. */
export interface StorePlace {
  /** Opens it as a process does. */
  readonly open: () => LedgerStore;
  readonly close: () => Promise<void>;
}

const keys = [{ id: 'key', secret: new Uint8Array(32).fill(7) }];

/** One PGlite for all sequences of a file: it takes seconds to start. */
let pglite: PGlite | undefined;
let tables = 0;

const close = async (): Promise<void> => undefined;

/** A new, empty place. */
export async function storePlace(name: StoreName): Promise<StorePlace> {
  switch (name) {
    case 'memory': {
      const store = memoryLedger();
      return { open: () => store, close };
    }
    case 'encrypted': {
      const store = memoryLedger();
      return { open: () => encryptedLedger(store, { keys }), close };
    }
    case 'sqlite': {
      const database = new Database(':memory:');
      return { open: () => sqliteLedger({ database }), close: async () => void database.close() };
    }
    case 'pglite': {
      const pool = (pglite ??= new PGlite());
      const table = `ledger_${(tables += 1)}`;
      return {
        open: () => postgresLedger({ pool, table }),
        close: async () => void (await pool.exec(`DROP TABLE IF EXISTS ${table}_record, ${table}`)),
      };
    }
    case 'mysql': {
      const pool = createPool({ uri: mysqlUrl ?? '', connectionLimit: 4 });
      const table = mysqlTable();
      return {
        open: () => mysqlLedger({ pool, table }),
        close: async () => {
          await pool.query(`DROP TABLE IF EXISTS ${quotedName(`${table}_record`)}, ${quotedName(table)}`);
          await pool.end();
        },
      };
    }
    case 'bookmark':
      break;
  }
  // Each process has its own, and the bookmark is all that outlives it.
  return { open: () => memoryLedger(), close };
}
