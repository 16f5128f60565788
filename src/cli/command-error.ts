/** Something a command could not do, and what to type instead. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError';
  /** A word for scripts, such as `port_in_use`. */
  readonly code: string;
  /** What to type instead. */
  readonly hint: string;

  constructor(code: string, problem: string, hint: string, options?: ErrorOptions) {
    super(problem, options);
    this.code = code;
    this.hint = hint;
  }
}

/** Arguments, or a setting of the environment, that a command cannot work with. */
export class UsageError extends CommandError {
  override readonly name = 'UsageError';

  constructor(problem: string, hint: string, code = 'invalid_argument') {
    super(code, problem, hint);
  }
}
