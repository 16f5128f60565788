/** What a command may use of the world around it. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly out: (text: string) => void;
  /** Words about the data. */
  readonly err: (text: string) => void;
  /** Resolves when the user or the system asks the program to stop, with the signal's name. */
  readonly stopped: () => Promise<string>;
}

/** One command of `hybrid-session`. */
export interface Command {
  readonly help: string;
  /**
   * @returns the exit code.
   * @throws UsageError for arguments that are wrong, CommandError for what failed on the way.
   */
  readonly run: (args: readonly string[], io: CliIo) => Promise<number>;
}
