import { LedgerUnavailableError, scopedLedger, type LedgerStore } from '../../index.ts';
import { CommandError, UsageError, type CliIo } from '../command.ts';
import { ledgerExample, locateLedger } from '../input/ledger-location.ts';

/** A ledger that a command opened. */
export interface OpenedLedger {
  readonly store: LedgerStore;
  /** Its place, for display: never with a password. */
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** Options of `openLedger()`. */
export interface OpenLedgerOptions {
  readonly command: string;
  /** Whether the command only reads: then it creates neither a file nor a table. */
  readonly readOnly: boolean;
  /** The scope under which the app keeps the session, as `--scope` says. */
  readonly scope?: string | undefined;
}

/**
 * Opens the ledger of `--ledger`, and loads its driver.
 *
 * @param value the value of `--ledger`.
 * @throws CommandError when the driver is not installed, the file or its tables do not exist, or no server answers; UsageError
 * for an invalid value or scope.
 */
export async function openLedger(
  { load }: Pick<CliIo, 'load'>,
  value: string,
  { command, readOnly, scope }: OpenLedgerOptions,
): Promise<OpenedLedger> {
  const located = locateLedger({ load, readOnly }, command, value);
  const typed = `agents-hybrid-session ${command} ... --ledger`;
  if (scope?.trim() === '')
    throw new UsageError('--scope must not be blank', `${typed} sqlite:sessions.db --scope NAME`);
  const { name } = located;
  const close = (): Promise<void> => located.close();
  try {
    // The store opens at first use; a wrong one fails here, before any other work.
    await located.checkpoint('');
  } catch (error) {
    await close().catch(() => undefined);
    throw notOpened(error, name, `${typed} ${ledgerExample(value)}`);
  }
  return { store: scope === undefined ? located : scopedLedger(located, scope), name, close };
}

/** @throws UsageError for a scope without the ledger that it is part of. */
export function requireLedgerOfScope(
  command: string,
  { ledger, scope }: { readonly ledger?: string | undefined; readonly scope?: string | undefined },
): void {
  if (ledger !== undefined || scope === undefined) return;
  throw new UsageError(
    '--scope needs a ledger',
    `agents-hybrid-session ${command} ... --ledger sqlite:sessions.db --scope NAME`,
  );
}

function notOpened(error: unknown, name: string, example: string): CommandError {
  const options = { cause: error };
  if (error instanceof LedgerUnavailableError) {
    const [install] = /npm (?:install|rebuild) [\w-]+/.exec(error.message) ?? [];
    if (error.reason === 'no_driver' || error.reason === 'driver_failed')
      return new CommandError('missing_driver', error.message, install ?? 'npm install libsql', options);
    return new CommandError('no_such_ledger', error.message, `${example}, with an existing ledger`, options);
  }
  // A driver's message may quote the password.
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  const known = typeof code === 'string' && /^\w{1,40}$/.test(code) ? ` (${code})` : '';
  const problem = `The ledger at ${name} cannot be used${known}`;
  return new CommandError('ledger_unreachable', problem, example, options);
}
