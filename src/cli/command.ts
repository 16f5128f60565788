import { escapeControls } from '../util/escape-controls.ts';
import { commandWords } from './output/command-words.ts';

/** The standard streams that are terminals, and the width of a line. */
export interface Terminal {
  readonly input: boolean;
  readonly out: boolean;
  readonly err: boolean;
  readonly columns: number;
}

/** The environment of a command. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly out: (text: string) => void;
  /** Messages about the data. */
  readonly err: (text: string) => void;
  /** Standard input, in pieces; ends with an error when the signal is aborted. */
  readonly input: (signal: AbortSignal) => AsyncIterable<string>;
  readonly terminal: Terminal;
  /** Resolves with the name of the first signal that asks the program to stop. */
  readonly stopped: () => Promise<string>;
  /** Imports an optional package by name; rejects when it is not installed. */
  readonly load: (name: string) => Promise<unknown>;
}

/** One command of `agents-hybrid-session`. */
export interface Command {
  readonly help: string;
  /**
   * @returns the exit code.
   * @throws UsageError for wrong arguments, CommandError for a failure.
   */
  readonly run: (args: readonly string[], io: CliIo) => Promise<number>;
}

/** A failure of a command, with a hint. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  /** A code for scripts, such as `port_in_use`. */
  readonly code: string;
  /** The command to type instead. */
  readonly hint: string;

  constructor(code: string, problem: string, hint: string, options?: ErrorOptions) {
    super(problem, options);
    this.code = code;
    this.hint = hint;
  }
}

/** Wrong arguments, or a wrong setting of the environment. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';

  constructor(problem: string, hint: string, code = 'invalid_argument') {
    super(code, problem, hint);
  }
}

/** The problem and the hint, in two lines. */
export function describeError(error: unknown, program: string): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const cause = error instanceof CommandError ? error.cause : error;
  // A command may name the library's error as the cause of its own.
  const words = isOf(cause, code) ? commandWords(cause, program) : undefined;
  const message = words?.problem ?? (error instanceof Error ? error.message : String(error));
  const hint = error instanceof CommandError ? error.hint : (words?.hint ?? `${program} --help`);
  const problem = `${code === '' ? '' : `${code}: `}${oneLine(message)}`;
  return `${program}: ${escapeControls(problem)}\nTry: ${escapeControls(hint)}\n`;
}

function isOf(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function oneLine(text: string): string {
  return text
    .split('\n')
    .map((line) => line.trim())
    .join(' ');
}
