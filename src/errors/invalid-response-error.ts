import { HybridSessionError } from './hybrid-session-error.ts';

/** The API answered with something that is not what the endpoint promises, so it was not believed. */
export class InvalidResponseError extends HybridSessionError {
  readonly code = 'invalid_response';
  /** What was asked, such as `conversations.create`. */
  readonly operation: string;

  constructor(operation: string, problem: string, options?: ErrorOptions) {
    super(`Cannot use the answer to ${operation}: ${problem}`, options);
    this.operation = operation;
  }
}
