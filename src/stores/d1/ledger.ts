import { z } from 'zod';
import { hasMethods, parseOptions } from '../../errors/options.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { batchedLedger } from '../batched/ledger.ts';
import { d1Batches, type D1LedgerDatabase } from './database.ts';

/** Options of `d1Ledger`. */
export interface D1LedgerOptions {
  /** The binding, such as `env.DB`. Not a session of it (`withSession()`): that may read from a replica, which can lag. */
  readonly database: D1LedgerDatabase;
}

/** Like those of SQLite; a row of D1 holds 2 MB at most, so a record can take several. */
const SCHEMA: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS hybrid_session_ledger (
  id INTEGER PRIMARY KEY,
  session TEXT NOT NULL UNIQUE,
  format INTEGER NOT NULL,
  version INTEGER NOT NULL,
  head TEXT NOT NULL,
  updated INTEGER NOT NULL
)`,
  `CREATE TABLE IF NOT EXISTS hybrid_session_ledger_record (
  ledger INTEGER NOT NULL,
  position INTEGER NOT NULL,
  part INTEGER NOT NULL DEFAULT 0,
  record TEXT NOT NULL,
  PRIMARY KEY (ledger, position, part)
)`,
  `CREATE TRIGGER IF NOT EXISTS hybrid_session_ledger_erase AFTER DELETE ON hybrid_session_ledger BEGIN
  DELETE FROM hybrid_session_ledger_record WHERE ledger = OLD.id;
END`,
];

/**
 * The tables, for a migration of `wrangler d1 migrations`. Otherwise the ledger creates them at first use.
 *
 * A row of the first table is a session: delete it, and its records go with it.
 */
export const D1_LEDGER_SCHEMA: string = `${SCHEMA.join(';\n')};\n`;

const schema = z.strictObject({
  database: z.custom<D1LedgerDatabase>((value) => hasMethods(value, 'prepare', 'batch'), {
    message: 'must be a D1 binding, such as env.DB, with prepare and batch',
  }),
});

/**
 * A ledger store in Cloudflare D1, for sessions of Workers. The Worker needs the compatibility flag `nodejs_compat`.
 *
 * An append is one `batch`, which D1 runs as a transaction: each of its statements has the expected version as a condition, so at
 * another version none changes anything, and the batch tells the version that it found.
 *
 * @throws InvalidOptionsError; the store's methods throw the errors of D1.
 * @example
 * ```ts
 * import { HybridSession } from 'agents-hybrid-session';
 * import { d1Ledger, type D1LedgerDatabase } from 'agents-hybrid-session/d1';
 *
 * function sessionOf(env: { DB: D1LedgerDatabase }, sessionId: string): HybridSession {
 *   return new HybridSession({ sessionId, ledger: d1Ledger({ database: env.DB }) });
 * }
 * ```
 */
export function d1Ledger(options: D1LedgerOptions): LedgerStore {
  const { database } = parseOptions(schema, options, 'the D1 ledger');
  return batchedLedger(d1Batches(database), { schema: SCHEMA, inParts: true });
}
