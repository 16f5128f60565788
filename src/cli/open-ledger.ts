import type OpenAI from 'openai';
import { conversationLedger, LedgerUnavailableError, type LedgerStore } from '../index.ts';
import { sqliteLedger } from '../sqlite.ts';
import { CommandError } from './command-error.ts';
import type { CliIo } from './command.ts';
import type { LedgerLocation } from './ledger-location.ts';
import { unreachable } from './load-driver.ts';
import { openPostgresLedger } from './open-postgres-ledger.ts';
import { openRedisLedger } from './open-redis-ledger.ts';

/** A ledger that a command opened. */
export interface OpenedLedger {
  readonly store: LedgerStore;
  /** Where it is, for people: never with a password. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** What opening needs. */
export interface OpenLedgerOptions {
  readonly command: string;
  /** For a ledger in the conversation itself: asked for then alone, because the others need no key. */
  readonly client: () => OpenAI;
  /** Whether the command only looks: it then creates neither a file nor a table. */
  readonly readOnly: boolean;
}

/**
 * Opens the ledger of `--ledger` with its driver, which is loaded only now.
 *
 * @throws CommandError when the driver is not installed, the file or its tables are not there, or no server answers.
 */
export function openLedger(
  io: Pick<CliIo, 'load'>,
  location: LedgerLocation,
  options: OpenLedgerOptions,
): Promise<OpenedLedger> {
  if (location.kind === 'redis') return openRedisLedger(io, location, options);
  if (location.kind === 'postgres') return openPostgresLedger(io, location, options);
  if (location.kind === 'sqlite') return openSqliteLedger(location.path, options);
  return Promise.resolve({
    store: conversationLedger({ client: options.client() }),
    name: "the conversation's metadata",
    close: () => Promise.resolve(),
  });
}

async function openSqliteLedger(
  path: string,
  { command, readOnly }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const store = sqliteLedger({ path, readOnly });
  try {
    // It opens the file at first use, and that it is the wrong one is to be said before anything else.
    await store.head('');
  } catch (error) {
    await store.close();
    if (error instanceof LedgerUnavailableError && error.reason === 'no-driver')
      throw new CommandError('missing_driver', error.message, 'npm install libsql', { cause: error });
    const hint = `hybrid-session ${command} ... --ledger sqlite:PATH, with the path of an existing ledger`;
    if (error instanceof LedgerUnavailableError)
      throw new CommandError('no_such_ledger', error.message, hint, { cause: error });
    throw unreachable(error, `'${path}'`, hint);
  }
  return { store, name: path, close: () => store.close() };
}
