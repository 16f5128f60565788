import { HybridSessionError } from '../../index.ts';
import type { SessionResult } from '../../doctor.ts';
import { escapeControls, escapeJson } from '../../util/escape-controls.ts';
import type { JsonObject } from '../../util/json.ts';
import type { CliIo } from '../command.ts';
import { commandWords } from '../output/command-words.ts';
import { paintFor, type Tone } from '../output/doctor-text.ts';
import { progressBar } from '../output/progress-bar.ts';
import { report as say } from '../output/redact.ts';
import { apiFailure } from '../setup/api-failure.ts';
import type { ManyArguments, OpenedMany } from '../setup/many.ts';

/** One session that is done. */
export interface ManyLine {
  /** The result, in one word. */
  readonly verdict: string;
  readonly tone: Tone;
  /** Whether there is nothing to do: then a terminal shows no line. */
  readonly isFine: boolean;
  /** The rest of the line, for people. */
  readonly text: string;
  /** The rest of the line, for programs: no content. */
  readonly facts: JsonObject;
}

/** The verdict of a session whose work failed. */
export const FAILED = 'failed';

/** How a command on many sessions works and speaks. */
export interface ManyRun<R> {
  readonly command: string;
  /** The word of the progress, such as `Checked`. */
  readonly verb: string;
  readonly results: AsyncIterable<SessionResult<R>>;
  readonly describe: (result: R & { readonly id: string }) => ManyLine | Promise<ManyLine>;
}

/**
 * Shows each session as it is done, and a summary by verdict.
 *
 * @returns how many sessions have each verdict, those of the report included.
 */
export async function runMany<R>(
  io: CliIo,
  { json, quiet }: ManyArguments,
  { report, total, progress }: OpenedMany,
  { command, verb, results, describe }: ManyRun<R>,
): Promise<Map<string, number>> {
  const began = performance.now();
  const counts = new Map<string, number>();
  for (const { verdict } of report.lines.values()) counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
  const paint = paintFor(io);
  let done = 0;
  try {
    for await (const result of results) {
      const { id } = result;
      const line = result.error === undefined ? await describe(result) : failedLine(result.error, command);
      const { verdict, tone, isFine, text, facts } = line;
      done += 1;
      counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
      // A session that failed is tried again.
      if (verdict !== FAILED) await report.add({ command, id, verdict, at: Date.now(), ...facts });
      if (json === true || !io.terminal.out || !isFine) progress.clear();
      if (json === true) io.out(`${escapeJson(JSON.stringify({ version: 1, id, verdict, ...facts }))}\n`);
      else if (!io.terminal.out || !isFine)
        say(io, `${paint(tone, verdict.padEnd(13))} ${escapeControls(id)}  ${escapeControls(text)}\n`);
      progress.update(progressBar(verb, { done, total, elapsed: performance.now() - began }));
    }
  } finally {
    progress.clear();
    if (quiet !== true) io.err(`${summaryOf(counts)}\n`);
  }
  return counts;
}

/** `9,998 whole, 2 repairable`. */
function summaryOf(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return 'No sessions';
  return Array.from(counts, ([verdict, count]) => `${count.toLocaleString('en')} ${verdict}`).join(', ');
}

function failedLine(error: unknown, command: string): ManyLine {
  const { code, message } = failureOf(error, command);
  return { verdict: FAILED, tone: 'red', isFine: false, text: message, facts: { error: { code, message } } };
}

/** A failure in words without content and key. */
export function failureOf(
  error: unknown,
  command: string,
): { readonly code: string; readonly message: string } {
  const known = apiFailure(error, `agents-hybrid-session ${command}`) ?? error;
  if (known instanceof HybridSessionError || known !== error) {
    const { code, message } = known as Error & { readonly code: string };
    return { code, message: commandWords(known, `agents-hybrid-session ${command}`)?.problem ?? message };
  }
  const name = error instanceof Error ? error.name : 'Error';
  return { code: 'failed', message: `${name} of the ledger or its driver` };
}
