import type OpenAI from 'openai';
import type { LedgerStore } from '../../index.ts';
import { UsageError, type CliIo } from '../command.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP, withGivenLedger } from '../input/ledger-location.ts';
import { wholeNumber } from '../input/parse-options.ts';
import { readSessionIds } from '../input/session-ids.ts';
import { showProgress, type ProgressLine } from '../output/progress.ts';
import { NO_REPORT, openReport, type ReportFile } from '../support/report-file.ts';
import { apiFailure } from './api-failure.ts';
import { openClient } from './open-client.ts';
import { openLedger, requireLedgerOfScope } from './open-ledger.ts';

/** The options that all commands on many sessions share. */
export const MANY_OPTIONS = {
  all: { type: 'boolean' },
  stdin: { type: 'boolean' },
  ledger: { type: 'string' },
  scope: { type: 'string' },
  report: { type: 'string' },
  concurrency: { type: 'string' },
  'base-url': { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const;

/** Those options, for help texts. */
export const MANY_HELP = `  --all             every session of the ledger that has a conversation
  --stdin           the sessions or conversations on standard input, one a line
  --ledger WHERE    the ledger: ${LEDGER_FORM_HELP}
                    ${LEDGER_VARIABLE_HELP}
  --scope NAME      the scope under which the app keeps the sessions there, if it uses scopedLedger()
  --concurrency N   sessions at once, 1 to 64 (default 4)
  --report FILE     writes each session that is done to FILE; the same command continues with the others
  --base-url URL    another server than the API's own (also: OPENAI_BASE_URL)
  --json            one line of JSON for each session
  --quiet           no progress and no summary on standard error`;

/** The values of those options. */
export interface ManyArguments {
  /** One session, in place of --all and --stdin. */
  readonly operand?: string | undefined;
  readonly all?: boolean | undefined;
  readonly stdin?: boolean | undefined;
  readonly ledger?: string | undefined;
  readonly scope?: string | undefined;
  readonly report?: string | undefined;
  readonly concurrency?: string | undefined;
  readonly 'base-url'?: string | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

/** The opened parts of a command on many sessions. */
export interface OpenedMany {
  readonly client: OpenAI;
  readonly ledger: LedgerStore | undefined;
  /** The sessions that the report does not have yet. */
  readonly ids: AsyncIterable<string>;
  /** Their number; undefined where it is not known. */
  readonly total: number | undefined;
  readonly concurrency: number;
  readonly report: ReportFile;
  readonly progress: ProgressLine;
}

/** Options of `withMany()`. */
export interface OpenManyOptions {
  readonly command: string;
  /** Whether the command only reads: then it creates nothing. */
  readonly readOnly: boolean;
  readonly signal: AbortSignal;
}

/**
 * Opens the parts that the shared options name, and closes them after the work.
 *
 * @throws UsageError, CommandError, and errors of the work.
 */
export async function withMany(
  io: CliIo,
  typed: ManyArguments,
  { command, readOnly, signal }: OpenManyOptions,
  work: (opened: OpenedMany) => Promise<number>,
): Promise<number> {
  const values = withGivenLedger(typed, io.env);
  const again = `agents-hybrid-session ${command} --all --ledger sqlite:sessions.db`;
  requireLedgerOfScope(command, values);
  if (values.all === true && values.stdin === true)
    throw new UsageError('--all and --stdin do not go together', again);
  if (values.all === true && values.ledger === undefined)
    throw new UsageError(`--all needs a ledger: ${LEDGER_FORM_HELP} ${LEDGER_VARIABLE_HELP}`, again);
  const limits = { min: 1, max: 64, example: 4 };
  const concurrency = wholeNumber(command, 'concurrency', values.concurrency, limits) ?? limits.example;
  const progress = showProgress(io, { quiet: values.quiet === true });
  const client = openClient(io, { command, baseUrl: values['base-url'], progress, signal });
  const opened =
    values.ledger === undefined
      ? undefined
      : await openLedger(io, values.ledger, { command, readOnly, scope: values.scope });
  let report: ReportFile | undefined;
  try {
    report = values.report === undefined ? NO_REPORT : await openReport(values.report, command);
    const known = report.lines;
    const ledger = opened?.store;
    const isShown = io.terminal.err && values.quiet !== true;
    const read = (): AsyncIterable<string> | Iterable<string> => {
      if (values.operand !== undefined) return [values.operand];
      return values.stdin === true ? readSessionIds(io, signal) : namesIn(ledger, command);
    };
    const total = values.all === true && isShown ? await countOf(read(), known) : undefined;
    return await work({ client, ledger, ids: others(read(), known), total, concurrency, report, progress });
  } catch (error) {
    throw apiFailure(error, again) ?? error;
  } finally {
    progress.clear();
    await report?.close();
    await opened?.close();
  }
}

async function* namesIn(ledger: LedgerStore | undefined, command: string): AsyncGenerator<string> {
  if (ledger?.sessions === undefined)
    throw new UsageError(
      'This ledger does not list its sessions',
      `agents-hybrid-session ${command} --stdin`,
    );
  // A session whose checkpoint cannot be read is named, too: the work tells why.
  const unreadable: string[] = [];
  const onUnreadable = ({ sessionId }: { readonly sessionId: string }): void =>
    void unreadable.push(sessionId);
  for await (const { sessionId, conversation } of ledger.sessions({ onUnreadable })) {
    if (conversation !== undefined) yield sessionId;
    yield* unreadable.splice(0);
  }
  yield* unreadable;
}

async function* others(
  ids: AsyncIterable<string> | Iterable<string>,
  known: ReadonlyMap<string, unknown>,
): AsyncGenerator<string> {
  // The report grows meanwhile.
  const before = new Set(known.keys());
  for await (const id of ids) if (!before.has(id)) yield id;
}

async function countOf(
  ids: AsyncIterable<string> | Iterable<string>,
  known: ReadonlyMap<string, unknown>,
): Promise<number> {
  let count = 0;
  for await (const id of ids) if (!known.has(id)) count += 1;
  return count;
}

/** The ledger. @throws UsageError without one. */
export function requireLedger(command: string, { ledger }: OpenedMany): LedgerStore {
  if (ledger !== undefined) return ledger;
  throw new UsageError(
    `--ledger is needed ${LEDGER_VARIABLE_HELP}: ${LEDGER_FORM_HELP}`,
    `agents-hybrid-session ${command} ... --ledger sqlite:sessions.db`,
  );
}
