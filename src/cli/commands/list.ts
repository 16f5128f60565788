import { setImmediate } from 'node:timers/promises';
import { inspectLedger } from '../../doctor.ts';
import { changeTime, type LedgerStore, type SessionSummary } from '../../index.ts';
import { escapeControls, escapeJson } from '../../util/escape-controls.ts';
import { utcTime } from '../../util/utc-time.ts';
import { CommandError, type CliIo, type Command } from '../command.ts';
import { durationOf } from '../input/duration.ts';
import { LEDGER_FORM_HELP, LEDGER_VARIABLE_HELP } from '../input/ledger-location.ts';
import { parseOptions, wholeNumber } from '../input/parse-options.ts';
import { report as say } from '../output/redact.ts';
import { LEDGER_OPTIONS, withLedger } from '../setup/ledger.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import { readReport, type ReportLine } from '../support/report-file.ts';

const HELP = `Usage: agents-hybrid-session list --ledger WHERE [options]

Lists the sessions of a ledger, the last changed first: when it was changed, its items, the changes that its conversation lacks,
its conversation and its name. It reads only the ledger, writes nothing and needs no key.

  --ledger WHERE      the ledger: ${LEDGER_FORM_HELP}
                      ${LEDGER_VARIABLE_HELP}
  --scope NAME        the scope under which the app keeps the sessions there, if it uses scopedLedger()
  --prefix TEXT       only sessions whose names begin so
  --older-than AGE    only sessions whose last change is that long ago: 30d, 12h, 90m
  --limit N           only the first N of them
  --turns             also the number of turns, which reads each ledger
  --report FILE       also the verdict and its time, from the report of doctor --all
  --json              one line of JSON for each session
  --quiet             no messages on standard error

Exit codes: 0 listed, 1 a checkpoint cannot be read, 64 wrong arguments, 70 another failure, 130 stopped.

Examples:
  agents-hybrid-session list --ledger sqlite:sessions.db --limit 20
  agents-hybrid-session list --ledger sqlite:sessions.db --older-than 90d --json | jq -r .sessionId
  agents-hybrid-session list --ledger postgres://localhost/app --report report.jsonl
`;

const OPTIONS = {
  ...LEDGER_OPTIONS,
  prefix: { type: 'string' },
  'older-than': { type: 'string' },
  limit: { type: 'string' },
  turns: { type: 'boolean' },
  report: { type: 'string' },
  json: { type: 'boolean' },
  quiet: { type: 'boolean' },
} as const;

/** Lists the sessions of a ledger. */
export const list: Command = {
  help: HELP,
  async run(args, io) {
    const values = parseOptions('list', args, OPTIONS);
    const { prefix, turns: isTurns = false, json: isJson = false, quiet: isQuiet = false } = values;
    const age = durationOf('list', 'older-than', values['older-than']);
    const range = { min: 1, max: 1_000_000_000, example: 20 };
    const limit = wholeNumber('list', 'limit', values.limit, range) ?? Number.POSITIVE_INFINITY;
    const report = values.report === undefined ? undefined : await readReport(values.report, 'list');
    const options = { command: 'list', operand: '', readOnly: true };
    return withShutdownSignal(
      io,
      () => 'the same command',
      (signal) =>
        withLedger(io, values, options, async ({ ledger: { store }, progress }) => {
          let unreadable = 0;
          let timeless = 0;
          const until = age === undefined ? undefined : Date.now() - age;
          const newest = new NewestSessions(limit);
          for await (const summary of sessionsOf(store, prefix, () => (unreadable += 1))) {
            signal.throwIfAborted();
            const changed = changeTime(summary);
            // An unknown age is no old one.
            if (until !== undefined && changed === undefined) timeless += 1;
            if (until === undefined || (changed ?? Number.POSITIVE_INFINITY) < until)
              newest.add(rowOf(summary));
            progress.update(`Listed ${newest.size} sessions`);
          }
          progress.clear();
          const rows = newest.rows();
          for (const row of rows) {
            signal.throwIfAborted();
            // The driver frees its memory between two turns of the event loop.
            if (isTurns) await setImmediate();
            const turns = isTurns ? await turnsOf(store, row.sessionId) : undefined;
            const shown = { ...row, turns, check: checkOf(row, report) };
            if (isJson) io.out(jsonOf(shown));
            else say(io, textOf(shown, isTurns, report !== undefined));
          }
          if (!isQuiet) tell(io, { shown: rows.length, unreadable, timeless });
          return unreadable === 0 ? 0 : 1;
        }),
    );
  },
};

interface Row {
  readonly sessionId: string;
  readonly conversationId: string | undefined;
  readonly items: number;
  /** Undefined while a process writes. */
  readonly pending: number | undefined;
  /** Milliseconds since the epoch. */
  readonly changed: number | undefined;
}

interface ShownRow extends Row {
  readonly turns: number | undefined;
  readonly check: ReportLine | undefined;
}

function rowOf(summary: SessionSummary): Row {
  const { sessionId, conversation: conversationId, length: items, resumePoint } = summary;
  return { sessionId, conversationId, items, pending: resumePoint?.pending, changed: changeTime(summary) };
}

/** The sessions that were changed last, as many as are shown: the rest is not kept. */
class NewestSessions {
  readonly #limit: number;
  #rows: Row[] = [];
  size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(row: Row): void {
    this.size += 1;
    this.#rows.push(row);
    if (this.#rows.length >= 2 * this.#limit + 1000) this.#rows = this.rows();
  }

  rows(): Row[] {
    return this.#rows.toSorted((a, b) => (b.changed ?? 0) - (a.changed ?? 0)).slice(0, this.#limit);
  }
}

/** @throws CommandError for a ledger that does not list its sessions. */
function sessionsOf(
  store: LedgerStore,
  prefix: string | undefined,
  onUnreadable: () => void,
): AsyncIterable<SessionSummary> {
  if (store.sessions !== undefined) return store.sessions({ prefix, onUnreadable });
  throw new CommandError(
    'cannot_list',
    'This ledger does not list its sessions',
    'agents-hybrid-session inspect user-42 --ledger ...',
  );
}

async function turnsOf(store: LedgerStore, sessionId: string): Promise<number | undefined> {
  const inspection = await inspectLedger(store, sessionId).catch(() => undefined);
  return inspection?.turns.length;
}

function checkOf(
  { sessionId, conversationId }: Row,
  report: ReadonlyMap<string, ReportLine> | undefined,
): ReportLine | undefined {
  return report?.get(sessionId) ?? report?.get(conversationId ?? '');
}

function jsonOf({ changed, check, ...row }: ShownRow): string {
  const time = changed === undefined ? null : new Date(changed).toISOString();
  const line = {
    version: 1,
    ...row,
    conversationId: row.conversationId ?? null,
    pending: row.pending ?? null,
    changed: time,
    verdict: check?.verdict ?? null,
    checked: check === undefined ? null : new Date(check.at).toISOString(),
  };
  return `${escapeJson(JSON.stringify(line))}\n`;
}

function textOf(row: ShownRow, isTurns: boolean, isChecked: boolean): string {
  const { sessionId, conversationId, items, turns, pending, changed, check } = row;
  const cells = [
    (utcTime(changed ?? Number.NaN) ?? '-').padEnd(23),
    `${String(items).padStart(6)} items`,
    ...(isTurns ? [`${String(turns ?? '?').padStart(5)} turns`] : []),
    pending === 0 ? 'nothing pending' : `${pending ?? '?'} pending`.padEnd(15),
    ...(isChecked
      ? [(check?.verdict ?? 'not checked').padEnd(13), utcTime(check?.at ?? Number.NaN) ?? '-']
      : []),
    escapeControls(conversationId ?? 'no conversation'),
    escapeControls(sessionId),
  ];
  return `${cells.join('  ')}\n`;
}

function tell(
  { err }: CliIo,
  { shown, unreadable, timeless }: Readonly<Record<'shown' | 'unreadable' | 'timeless', number>>,
): void {
  err(`${shown.toLocaleString('en')} session(s)\n`);
  if (timeless > 0)
    err(`${timeless} session(s) left out: this ledger does not know when they were changed\n`);
  if (unreadable > 0) err(`${unreadable} checkpoint(s) cannot be read\n`);
}
