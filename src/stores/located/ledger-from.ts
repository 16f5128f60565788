import { z } from 'zod';
import { parseOptions } from '../../errors/options.ts';
import type { LedgerStore } from '../../ledger/store.ts';
import { importDriver } from '../shared/import-driver.ts';
import { parseLedgerLocation } from './location.ts';

/**
 * Options of `ledgerFrom()`.
 *
 * @example
 * ```ts
 * const ledger = ledgerFrom('sqlite:sessions.db', { readOnly: true });
 * ```
 */
export interface LedgerFromOptions {
  /**
   * Whether the ledger is only read: then neither a file nor a table is created, and a missing one is an error.
   *
   * @default false
   */
  readonly readOnly?: boolean | undefined;
  /**
   * Imports the package `redis`, `pg`, `mysql2` or `@libsql/client` by its name. A bundler includes the driver if the app imports it here.
   *
   * @default import(name)
   */
  readonly load?: ((name: string) => Promise<unknown>) | undefined;
}

/** A ledger store that `ledgerFrom()` opens at first use, and that the app closes. */
export interface LocatedLedger extends LedgerStore {
  /** The place, for display: without user, password and parameters. */
  readonly name: string;
  /** Ends the use of the store, and closes its file or its connections. */
  close(): Promise<void>;
  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void>;
}

const schema = z.strictObject({
  readOnly: z.boolean().default(false),
  load: z
    .custom<NonNullable<LedgerFromOptions['load']>>((value) => typeof value === 'function', {
      message: 'must be a function',
    })
    .default(() => importDriver),
});

/**
 * Returns the ledger store that a text names, such as the value of an environment variable: `sqlite:PATH`, `redis://HOST/0`,
 * `postgres://HOST/DATABASE`, `mysql://HOST/DATABASE`, `mariadb://HOST/DATABASE` or `libsql://HOST?authToken=TOKEN`, the forms of
 * `--ledger`. The parameters `prefix` (Redis) and `table` (PostgreSQL, MySQL, MariaDB) of a URL are those of the store.
 *
 * Nothing is opened before the first call. Make one store for each process.
 *
 * @throws InvalidOptionsError for another form, without the text, which may hold a password. The store's methods throw
 * LedgerUnavailableError if the driver is not installed (`no_driver`), could not be loaded (`driver_failed`) or the store was closed,
 * and the driver's own errors.
 * @example
 * ```ts
 * const ledger = ledgerFrom(process.env['HYBRID_SESSION_LEDGER'] ?? 'sqlite:sessions.db');
 * const session = new HybridSession({ sessionId: 'user-42', ledger });
 * ```
 */
export function ledgerFrom(location: string, options: LedgerFromOptions = {}): LocatedLedger {
  const { name, open } = parseLedgerLocation(location);
  const { store, close } = open(parseOptions(schema, options, 'the ledger'));
  return { ...store, name, close, [Symbol.asyncDispose]: close };
}
