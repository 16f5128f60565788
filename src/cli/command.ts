/** Which of the standard streams a person sits at, and how many characters fit in a line there. */
export interface Terminal {
  readonly input: boolean;
  readonly out: boolean;
  readonly err: boolean;
  readonly columns: number;
}

/** What a command may use of the world around it. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Data. */
  readonly out: (text: string) => void;
  /** Words about the data. */
  readonly err: (text: string) => void;
  /** Standard input, in pieces; ends early, with an error, when the signal says so. */
  readonly input: (signal: AbortSignal) => AsyncIterable<string>;
  readonly terminal: Terminal;
  /** Resolves when the user or the system asks the program to stop, with the signal's name. */
  readonly stopped: () => Promise<string>;
  /** Imports an optional package by name; rejects when it is not installed. */
  readonly load: (name: string) => Promise<unknown>;
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
