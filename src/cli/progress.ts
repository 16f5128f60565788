import type { CliIo } from './command.ts';

/** Milliseconds between two plain lines, and between two drawings of a line on a terminal. */
const PLAIN = 5000;
const DRAWN = 100;

/** Says on standard error how far long work has come. */
export interface Progress {
  /** How far it is now; not every call is shown. */
  readonly update: (text: string) => void;
  /** A line of its own that stays. */
  readonly note: (text: string) => void;
  /** Takes the drawn line away. Call it before data goes out, and at the end. */
  readonly clear: () => void;
}

/** How progress is shown. */
export interface ProgressOptions {
  readonly quiet: boolean;
  /** Milliseconds. Default: the time since the process began. */
  readonly now?: () => number;
}

/**
 * On a terminal one line that is drawn again and again, elsewhere a plain line every five seconds, when the work takes
 * that long.
 */
export function showProgress(
  { err, terminal }: Pick<CliIo, 'err' | 'terminal'>,
  { quiet, now = () => performance.now() }: ProgressOptions,
): Progress {
  const interval = terminal.err ? DRAWN : PLAIN;
  // Work that is over soon needs no line in a log; a person wants to see at once that something happens.
  let due = terminal.err ? Number.NEGATIVE_INFINITY : now() + interval;
  let isDrawn = false;
  let stage = '';
  const clear = (): void => {
    if (isDrawn) err('\r\u001B[2K');
    isDrawn = false;
  };
  return {
    update(text) {
      // What begins is shown at once, however soon it follows.
      const [begun = ''] = text.split(' ');
      const isNew = terminal.err && begun !== stage;
      if (quiet || (now() < due && !isNew)) return;
      stage = begun;
      due = now() + interval;
      if (!terminal.err) return err(`${text}\n`);
      isDrawn = true;
      err(`\r\u001B[2K${text.slice(0, Math.max(1, terminal.columns - 1))}`);
    },
    note(text) {
      if (quiet) return;
      clear();
      err(`${text}\n`);
    },
    clear,
  };
}
