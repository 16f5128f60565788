import { sweepSessions, type SweptSession } from '../../index.ts';
import { escapeControls, escapeJson } from '../../util/escape-controls.ts';
import { utcTime } from '../../util/utc-time.ts';
import { UsageError, type Command } from '../command.ts';
import { durationOf } from '../input/duration.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP } from '../input/ledger-location.ts';
import { parseOptions } from '../input/parse-options.ts';
import { report as say } from '../output/redact.ts';
import { LEDGER_OPTIONS, withLedger } from '../setup/ledger.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { failureOf } from '../support/run-many.ts';

const HELP = `Usage: agents-hybrid-session sweep --ledger WHERE --older-than AGE (--dry-run | --yes) [options]

Removes the sessions of a ledger that were not changed for a time, like erase for each. A session that is changed meanwhile stays.
The same as sweepSessions(); run it once a day.

  --ledger WHERE      the ledger: ${LEDGER_FORM_HELP}
                      ${LEDGER_VARIABLE_HELP}
  --scope NAME        the scope under which the app keeps the sessions there, if it uses scopedLedger()
  --older-than AGE    the time since the last change: 30d, 12h, 90m
  --prefix TEXT       only sessions whose names begin so
  --remote            also delete their responses and conversations at the API, with the key in OPENAI_API_KEY
  --dry-run           show them, and remove nothing
  --yes               remove them, for good
  --base-url URL      another server than the API's own (also: OPENAI_BASE_URL)
  --json              one line of JSON for each session
  --quiet             no messages on standard error

Exit codes: 0 removed, 1 one could not be removed (the next run tries it again), 64 wrong arguments, 70 another failure,
130 stopped.

Examples:
  agents-hybrid-session sweep --ledger sqlite:sessions.db --older-than 90d --dry-run
  agents-hybrid-session sweep --ledger postgres://localhost/app --older-than 30d --remote --yes --quiet
`;

const OPTIONS = {
  ...LEDGER_OPTIONS,
  'older-than': { type: 'string' },
  prefix: { type: 'string' },
  remote: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  yes: { type: 'boolean' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const;

/** Removes sessions by age. */
export const sweep: Command = {
  help: HELP,
  async run(args, io) {
    const values = parseOptions('sweep', args, OPTIONS);
    const { prefix, remote = false, 'dry-run': dryRun = false, yes = false } = values;
    const typed = 'agents-hybrid-session sweep --ledger sqlite:sessions.db --older-than';
    const olderThan = durationOf('sweep', 'older-than', values['older-than']);
    if (olderThan === undefined) throw new UsageError('--older-than is needed', `${typed} 90d --dry-run`);
    if (dryRun === yes)
      throw new UsageError(
        dryRun ? '--dry-run and --yes do not go together' : 'This removes sessions for good: --yes is needed',
        `${typed} ${values['older-than'] ?? ''} --dry-run`,
      );
    const tell = (session: SweptSession): void => {
      if (values.json === true) io.out(jsonOf(session, dryRun));
      else say(io, textOf(session));
    };
    const options = { command: 'sweep', operand: '', readOnly: dryRun };
    return withShutdownSignal(
      io,
      () => 'the same command',
      (signal) =>
        withLedger(
          io,
          values,
          { ...options, signal },
          async ({ ledger: { store: ledger }, client, progress }) => {
            const api = remote ? { remote, client: client() } : {};
            const onSwept = (session: SweptSession): void => {
              progress.clear();
              tell(session);
            };
            const onFailed = (sessionId: string, error: unknown): void => {
              progress.clear();
              const { message } = failureOf(error, 'sweep');
              io.err(`Not removed: ${escapeControls(sessionId)}: ${message}\n`);
            };
            const given = { ledger, olderThan, prefix, dryRun, onSwept, onFailed, signal, ...api };
            const { swept, changed, unknown, failed } = await sweepSessions(given);
            const code = failed === 0 ? 0 : 1;
            if (values.quiet === true) return code;
            io.err(`${swept.toLocaleString('en')} session(s) ${dryRun ? 'would be removed' : 'removed'}\n`);
            if (changed > 0) io.err(`${changed} session(s) stay: they were changed meanwhile\n`);
            if (unknown > 0)
              io.err(`${unknown} session(s) stay: the time of their last change is not known\n`);
            return code;
          },
        ),
    );
  },
};

function textOf({ sessionId, conversationId, items, changed }: SweptSession): string {
  const conversation = escapeControls(conversationId ?? 'no conversation');
  return `${utcTime(changed) ?? '-'}  ${String(items).padStart(6)} items  ${conversation}  ${escapeControls(sessionId)}\n`;
}

function jsonOf({ sessionId, conversationId = '', items, changed }: SweptSession, dryRun: boolean): string {
  const time = new Date(changed).toISOString();
  const line = {
    version: 1,
    sessionId,
    conversationId: conversationId || null,
    items,
    changed: time,
    dryRun,
  };
  return `${escapeJson(JSON.stringify(line))}\n`;
}
