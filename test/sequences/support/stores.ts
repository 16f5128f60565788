import { PGlite } from '@electric-sql/pglite';
import Database from 'libsql';
import { encryptedLedger, memoryLedger, type LedgerStore } from '../../../src/index.ts';
import { postgresLedger } from '../../../src/postgres.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';

/** The stores that run without a server. */
export type StoreName = 'memory' | 'encrypted' | 'sqlite' | 'pglite' | 'bookmark';

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
    case 'bookmark':
      break;
  }
  // Each process has its own, and the bookmark is all that outlives it.
  return { open: () => memoryLedger(), close };
}
