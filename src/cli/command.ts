/** What a command may use of the world around it. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly out: (text: string) => void;
  /** Words about the data. */
  readonly err: (text: string) => void;
}

/** One command of `hybrid-session`. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly help: string;
  /** @returns the exit code. @throws UsageError for arguments that are wrong. */
  readonly run: (args: readonly string[], io: CliIo) => Promise<number>;
}

/** Arguments that a command cannot work with. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  /** What to type instead. */
  readonly hint: string;

  constructor(problem: string, hint: string) {
    super(problem);
    this.hint = hint;
  }
}
