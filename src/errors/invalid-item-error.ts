import { HybridSessionError } from './hybrid-session-error.ts';

/** Something given to the session is not an item of the SDK; nothing of the call was stored. */
export class InvalidItemError extends HybridSessionError {
  readonly code = 'invalid_item';
  /** Position in the array that was given. */
  readonly index: number;
  /** What is wrong with it, such as "field 'callId' is wrong for a function_call (invalid_type)". */
  readonly problem: string;

  constructor(index: number, problem: string, options?: ErrorOptions) {
    super(`Cannot store item ${index}: ${problem}`, options);
    this.index = index;
    this.problem = problem;
  }
}
