import { HybridSessionError } from './hybrid-session-error.ts';

/** Something given to the session is not an item of the SDK; nothing of the call was stored. */
export class InvalidItemError extends HybridSessionError {
  readonly code = 'invalid_item';
  /** Position in the array that was given. */
  readonly index: number;

  constructor(index: number, problem: string, options?: ErrorOptions) {
    super(`Cannot store item ${index}: ${problem}`, options);
    this.index = index;
  }
}
