import type { CliIo } from '../command.ts';
import { CLEAR_LINE } from './redact.ts';

/** Milliseconds between two plain lines, and between two drawings of a line on a terminal. */
const LINE_INTERVAL_MS = 5000;
const DRAW_INTERVAL_MS = 100;

/** Shows progress on standard error. */
export interface ProgressLine {
  /** The present state; not every call is shown. */
  readonly update: (text: string) => void;
  /** A line of its own that stays. */
  readonly note: (text: string) => void;
  /** Removes the drawn line. Call it before data goes out, and at the end. */
  readonly clear: () => void;
}

/** Options of a progress line. */
export interface ProgressLineOptions {
  readonly quiet: boolean;
  /** Milliseconds. Default: the time since the process began. */
  readonly now?: () => number;
}

/**
 * On a terminal one line that is drawn again and again, elsewhere a plain line every five seconds, when the work takes
 * that long.
 */
export function showProgress(
  { env, err, terminal }: Pick<CliIo, 'env' | 'err' | 'terminal'>,
  { quiet, now = () => performance.now() }: ProgressLineOptions,
): ProgressLine {
  // A drawn line needs an escape code.
  const isDrawable = terminal.err && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  const interval = isDrawable ? DRAW_INTERVAL_MS : LINE_INTERVAL_MS;
  // Short work needs no line in a log; a terminal shows progress at once.
  let due = isDrawable ? Number.NEGATIVE_INFINITY : now() + interval;
  let isDrawn = false;
  let stage = '';
  const clear = (): void => {
    if (isDrawn) err(CLEAR_LINE);
    isDrawn = false;
  };
  return {
    update(text) {
      // A new stage is shown at once.
      const [begun = ''] = text.split(' ');
      const isNew = isDrawable && begun !== stage;
      if (quiet || (now() < due && !isNew)) return;
      stage = begun;
      due = now() + interval;
      if (!isDrawable) return err(`${text}\n`);
      isDrawn = true;
      err(`${CLEAR_LINE}${text.slice(0, Math.max(1, terminal.columns - 1))}`);
    },
    note(text) {
      if (quiet) return;
      clear();
      err(`${text}\n`);
    },
    clear,
  };
}
