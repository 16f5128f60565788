import type OpenAI from 'openai';
import { apiFailure } from './api-failure.ts';
import { UsageError } from './command-error.ts';
import type { CliIo } from './command.ts';
import { LEDGER_FORMS, parseLedgerLocation } from './ledger-location.ts';
import { openClient } from './open-client.ts';
import { openLedger, type OpenedLedger } from './open-ledger.ts';
import type { Operand } from './parse-options.ts';
import { showProgress, type Progress } from './progress.ts';

/** The argument that names the session. */
export const SESSION: Operand = { name: 'session', example: 'conv_... --ledger sqlite:sessions.db' };

/** The options of commands on a session's ledger. */
export const LEDGER_OPTIONS = {
  ledger: { type: 'string' },
  'base-url': { type: 'string' },
} as const;

/** What was typed for them. */
export interface LedgerArguments {
  readonly ledger?: string | undefined;
  readonly 'base-url'?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/** What a command on a ledger works with. */
export interface OpenedSessionLedger {
  readonly ledger: OpenedLedger;
  /** Made when it is asked for: most ledgers need no key. */
  readonly client: () => OpenAI;
  readonly progress: Progress;
}

/** How a command opens its ledger. */
export interface OpenSessionLedgerOptions {
  readonly command: string;
  /** What stands behind the command's name, for what to type instead. */
  readonly operand: string;
  /** Whether the command only looks: then it creates nothing. */
  readonly readOnly: boolean;
  /** What carries the requests. Default: the global one. */
  readonly fetch?: typeof fetch;
}

/**
 * Opens the ledger, which the command cannot do without, and closes it after the work.
 *
 * @throws UsageError, CommandError, and what the work throws.
 */
export async function withLedger<T>(
  io: CliIo,
  values: LedgerArguments,
  { command, operand, readOnly, fetch }: OpenSessionLedgerOptions,
  work: (opened: OpenedSessionLedger) => Promise<T>,
): Promise<T> {
  const typed = `hybrid-session ${command} ${operand}`;
  if (values.ledger === undefined)
    throw new UsageError(`--ledger is needed: ${LEDGER_FORMS}`, `${typed} --ledger sqlite:sessions.db`);
  const location = parseLedgerLocation(command, values.ledger);
  const progress = showProgress(io, { quiet: values.quiet === true });
  let opened: OpenAI | undefined;
  const client = (): OpenAI =>
    (opened ??= openClient(io, { command, baseUrl: values['base-url'], progress, fetch }));
  const ledger = await openLedger(io, location, { command, client, readOnly });
  try {
    return await work({ ledger, client, progress });
  } catch (error) {
    throw apiFailure(error, typed) ?? error;
  } finally {
    progress.clear();
    await ledger.close();
  }
}
