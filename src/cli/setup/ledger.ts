import type OpenAI from 'openai';
import { apiFailure } from './api-failure.ts';
import { UsageError, type CliIo } from '../command.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP, withGivenLedger } from '../input/ledger-location.ts';
import { openClient } from './open-client.ts';
import { openLedger, type OpenedLedger } from './open-ledger.ts';
import type { Operand } from '../input/parse-options.ts';
import { showProgress, type ProgressLine } from '../output/progress.ts';

/** The argument that names the session. */
export const SESSION: Operand = { name: 'session', example: 'conv_... --ledger sqlite:sessions.db' };

/** The options of commands on a session's ledger. */
export const LEDGER_OPTIONS = {
  ledger: { type: 'string' },
  scope: { type: 'string' },
  'base-url': { type: 'string' },
} as const;

/** Their values. */
export interface LedgerArguments {
  readonly ledger?: string | undefined;
  readonly scope?: string | undefined;
  readonly 'base-url'?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/** The opened parts of a command on a ledger. */
export interface OpenedSessionLedger {
  readonly ledger: OpenedLedger;
  /** Created on demand: most ledgers need no key. */
  readonly client: () => OpenAI;
  readonly progress: ProgressLine;
}

/** Options of `withLedger()`. */
export interface OpenSessionLedgerOptions {
  readonly command: string;
  /** The first argument, for hints. */
  readonly operand: string;
  /** Whether the command only reads: then it creates nothing. */
  readonly readOnly: boolean;
  /** Ends the requests of the client. */
  readonly signal?: AbortSignal;
  /**
   * Carries the requests.
   *
   * @default globalThis.fetch
   */
  readonly fetch?: typeof fetch;
}

/**
 * Opens the ledger, and closes it after the work.
 *
 * @throws UsageError without a ledger, CommandError, and errors of the work.
 */
export async function withLedger<T>(
  io: CliIo,
  given: LedgerArguments,
  { command, operand, readOnly, signal, fetch }: OpenSessionLedgerOptions,
  work: (opened: OpenedSessionLedger) => Promise<T>,
): Promise<T> {
  const typed = `agents-hybrid-session ${command} ${operand}`.trim();
  const values = withGivenLedger(given, io.env);
  if (values.ledger === undefined)
    throw new UsageError(
      `--ledger is needed ${LEDGER_VARIABLE_HELP}: ${LEDGER_FORM_HELP}`,
      `${typed} --ledger sqlite:sessions.db`,
    );
  const progress = showProgress(io, { quiet: values.quiet === true });
  let opened: OpenAI | undefined;
  const client = (): OpenAI =>
    (opened ??= openClient(io, { command, baseUrl: values['base-url'], progress, signal, fetch }));
  const ledger = await openLedger(io, values.ledger, { command, readOnly, scope: values.scope });
  try {
    return await work({ ledger, client, progress });
  } catch (error) {
    throw apiFailure(error, typed) ?? error;
  } finally {
    progress.clear();
    await ledger.close();
  }
}
