import { HybridSessionError } from './hybrid-session-error.ts';

/** A line of a JSON Lines file is not an item of the SDK; nothing of the file was stored. */
export class InvalidLineError extends HybridSessionError {
  readonly code = 'invalid_line';
  /** The line, counted from 1. */
  readonly line: number;

  constructor(line: number, problem: string, options?: ErrorOptions) {
    super(`Cannot read line ${line}: ${problem}`, options);
    this.line = line;
  }
}
