import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  diagnoseAll,
  diagnosesPage,
  diagnosisPage,
  type DiagnosedRow,
  type Diagnosis,
  type Verdict,
} from '../../doctor.ts';
import { CommandError, UsageError, type CliIo } from '../command.ts';
import { parseOptions } from '../input/parse-options.ts';
import type { Tone } from '../output/doctor-text.ts';
import { writeOutput } from '../output/write-output.ts';
import { MANY_OPTIONS, withMany } from '../setup/many.ts';
import { withShutdownSignal } from '../setup/shutdown.ts';
import type { ReportLine } from './report-file.ts';
import { FAILED, runMany, type ManyLine } from './run-many.ts';

const OPTIONS = { ...MANY_OPTIONS, html: { type: 'string' }, content: { type: 'boolean' } } as const;

const TONES: Readonly<Record<Verdict, Tone>> = {
  whole: 'green',
  repairable: 'yellow',
  unrecoverable: 'red',
  unknown: 'yellow',
};

/** `doctor --all` and `doctor --stdin`. @returns the exit code: that of the worst verdict. */
export async function doctorAll(args: readonly string[], io: CliIo): Promise<number> {
  const typed = parseOptions('doctor', args, OPTIONS);
  const { html: folder, content = false } = typed;
  if (folder === '' || folder === '-')
    throw new UsageError('--html needs a folder', 'agents-hybrid-session doctor --all --html damage');
  // The index needs the sessions of an earlier, interrupted run.
  const report = typed.report ?? (folder === undefined ? undefined : join(folder, 'report.jsonl'));
  if (folder !== undefined) await makeFolder(folder);
  const values = { ...typed, report };
  const resumeHint = (): string =>
    report === undefined
      ? 'the same command (nothing was changed); with --report FILE it continues where it was stopped'
      : `the same command: it continues with ${report}`;
  return withShutdownSignal(io, resumeHint, (signal) =>
    withMany(io, values, { command: 'doctor', readOnly: true, signal }, async (opened) => {
      const { client, ledger, ids, concurrency } = opened;
      const shown = { io, folder, content };
      try {
        const results = diagnoseAll({ client, ledger, ids, concurrency, content, signal });
        const run = {
          command: 'doctor',
          verb: 'Checked',
          results,
          describe: (one: Diagnosed) => shownLine(one, shown),
        };
        return exitCode(await runMany(io, values, opened, run));
      } finally {
        if (folder !== undefined) {
          const index = join(folder, 'index.html');
          await writePage(io, index, diagnosesPage(rowsOf(opened.report.lines)));
          if (values.quiet !== true) io.err(`Wrote ${index}\n`);
        }
      }
    }),
  );
}

/** The line of a session, once its page is written. */
async function shownLine(
  { id, diagnosis }: Diagnosed,
  {
    io,
    folder,
    content,
  }: { readonly io: CliIo; readonly folder: string | undefined; readonly content: boolean },
): Promise<ManyLine> {
  const line = lineOf(diagnosis);
  if (folder === undefined) return line;
  const page = join('conversations', pageName(id));
  await writePage(io, join(folder, page), diagnosisPage(diagnosis, { content }));
  return { ...line, facts: { ...line.facts, page } };
}

interface Diagnosed {
  readonly id: string;
  readonly diagnosis: Diagnosis;
}

function lineOf({ conversationId, verdict, length, listed, lost, evidence, caveats }: Diagnosis): ManyLine {
  const shown = listed === null ? 'its list is gone' : `its list shows ${listed} of ${length}`;
  const text = `${conversationId}  ${shown}${lost === null || lost === 0 ? '' : `, ${lost} lost`}`;
  const kinds = caveats.map(({ kind }) => kind);
  const facts = { conversationId, length, listed, lost, evidence, caveats: kinds };
  return { verdict, tone: TONES[verdict], isFine: verdict === 'whole', text, facts };
}

/** The worst of all: 2 an item has no source, 3 could not tell, 1 damaged, 0 whole. */
function exitCode(counts: ReadonlyMap<string, number>): number {
  if (counts.has('unrecoverable')) return 2;
  if (counts.has('unknown') || counts.has(FAILED)) return 3;
  return counts.has('repairable') ? 1 : 0;
}

function rowsOf(lines: ReadonlyMap<string, ReportLine>): DiagnosedRow[] {
  return Array.from(lines.values(), (line) => {
    const { conversationId, verdict, length, listed, lost, page } = line;
    const facts = { conversationId, verdict, length, listed, lost } as Omit<DiagnosedRow, 'id'>;
    return { id: line.id, ...facts, ...(typeof page === 'string' ? { page } : {}) };
  });
}

/** A name that every file system can hold: different sessions have different ones, also where case does not count. */
function pageName(id: string): string {
  if (/^[a-z0-9_-]{1,100}$/.test(id)) return `${id}.html`;
  return `~${createHash('sha256').update(Buffer.from(id, 'utf16le')).digest('hex').slice(0, 40)}.html`;
}

function writePage(io: CliIo, path: string, pieces: Iterable<string>): Promise<void> {
  const hint = 'agents-hybrid-session doctor --all --html DIR, with a folder that can be written to';
  return writeOutput(io, { path, hint }, pieces);
}

async function makeFolder(folder: string): Promise<void> {
  try {
    // Only its owner may read the pages.
    await mkdir(join(folder, 'conversations'), { recursive: true, mode: 0o700 });
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
    const hint = 'agents-hybrid-session doctor --all --html DIR';
    throw new CommandError('cannot_write', `Cannot write to '${folder}' (${String(code)})`, hint, {
      cause: error,
    });
  }
}
