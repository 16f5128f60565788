import { open, readFile, type FileHandle } from 'node:fs/promises';
import { isObject, type JsonObject } from '../../util/json.ts';
import { CommandError, UsageError } from '../command.ts';

/** One session in a report: JSON on a line of its own. */
export interface ReportLine extends JsonObject {
  readonly command: string;
  /** The session's name, or the ID of its conversation. */
  readonly id: string;
  /** The result, in one word. */
  readonly verdict: string;
  /** When, in milliseconds since the epoch. */
  readonly at: number;
}

/** A file to which a command on many sessions writes each one that is done, so that it can continue. */
export interface ReportFile {
  /** The lines so far, by ID. */
  readonly lines: ReadonlyMap<string, ReportLine>;
  readonly add: (line: ReportLine) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The options of `--report` that name no file. */
export const NO_REPORT: ReportFile = {
  lines: new Map(),
  add: async () => undefined,
  close: async () => undefined,
};

/**
 * Reads a report. A line that was cut short is left out.
 *
 * @throws UsageError for a file that is no report.
 */
export async function readReport(path: string, command: string): Promise<Map<string, ReportLine>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isObject(error) && error['code'] === 'ENOENT') return '';
    throw new CommandError(
      'cannot_read',
      `Cannot read '${path}' (${isObject(error) ? String(error['code']) : ''})`,
      `agents-hybrid-session ${command} ... --report FILE`,
    );
  });
  const lines = new Map<string, ReportLine>();
  for (const one of text.split('\n')) {
    const line = lineOf(one);
    if (line !== undefined) lines.set(line.id, line);
  }
  if (lines.size === 0 && text.trim().includes('\n'))
    throw new UsageError(
      `'${path}' is not a report of this command`,
      `agents-hybrid-session ${command} ... --report report.jsonl`,
    );
  return lines;
}

/** Opens a report of a command, to add to it. @throws UsageError for a file of another command. */
export async function openReport(path: string, command: string): Promise<ReportFile> {
  const lines = await readReport(path, command);
  const other = [...lines.values()].find((line) => line.command !== command);
  if (other !== undefined)
    throw new UsageError(
      `'${path}' is a report of the command ${other.command}`,
      `agents-hybrid-session ${command} ... --report ${command}.jsonl`,
    );
  let file: FileHandle;
  try {
    // Only its owner may read it: it holds the names of sessions.
    file = await open(path, 'a', 0o600);
  } catch (error) {
    const code = isObject(error) ? String(error['code']) : '';
    const hint = `agents-hybrid-session ${command} ... --report FILE`;
    throw new CommandError('cannot_write', `Cannot write to '${path}' (${code})`, hint, { cause: error });
  }
  // The last line may have been cut short.
  if ((await file.stat()).size > 0) await file.write('\n');
  return {
    lines,
    add: async (line) => {
      lines.set(line.id, line);
      await file.write(`${JSON.stringify(line)}\n`);
    },
    close: () => file.close(),
  };
}

function lineOf(text: string): ReportLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    if (!isObject(line)) return undefined;
    const { command, id, verdict, at } = line;
    const isLine =
      [command, id, verdict].every((field) => typeof field === 'string') && typeof at === 'number';
    return isLine ? (line as ReportLine) : undefined;
  } catch {
    return undefined;
  }
}
