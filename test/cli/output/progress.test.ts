import { describe, expect, it } from 'vitest';
import { showProgress, type ProgressLine } from '../../../src/cli/output/progress.ts';
import { captureIo } from '../support/captured-io.ts';

function progress(
  err: boolean,
  quiet = false,
  env: Readonly<Record<string, string>> = {},
): {
  readonly progress: ProgressLine;
  readonly pass: (milliseconds: number) => void;
  readonly stderr: () => string;
} {
  let time = 0;
  const { io, stderr } = captureIo(env, { terminal: { err, columns: 20 } });
  return {
    progress: showProgress(io, { quiet, now: () => time }),
    pass: (milliseconds) => (time += milliseconds),
    stderr,
  };
}

describe('progress', () => {
  it('progress redraws one line on a terminal at an interval, and removes it', () => {
    const { progress: shown, pass, stderr } = progress(true);
    shown.update('Read 1 of 3');
    shown.update('Read 2 of 3');
    pass(100);
    shown.update('Read 3 of 3, and longer than the line');
    shown.clear();
    shown.clear();
    expect(stderr()).toBe('\r\u001B[2KRead 1 of 3\r\u001B[2KRead 3 of 3, and lo\r\u001B[2K');
  });

  it.each([[{ TERM: 'dumb' }], [{ NO_COLOR: '1' }]])(
    'progress writes plain lines and no escape codes on a terminal with %j',
    (env) => {
      const { progress: shown, pass, stderr } = progress(true, false, env);
      shown.update('Read 1 of 3');
      pass(5000);
      shown.update('Read 2 of 3');
      shown.note('Waiting');
      shown.clear();
      expect(stderr()).toBe('Read 2 of 3\nWaiting\n');
    },
  );

  it('progress draws a new stage at once', () => {
    const { progress: shown, stderr } = progress(true);
    shown.update('Reading 1 of 1');
    shown.update('Writing 0 of 3');
    shown.update('Writing 1 of 3');
    expect(stderr()).toBe('\r\u001B[2KReading 1 of 1\r\u001B[2KWriting 0 of 3');
  });

  it('progress writes plain lines without a terminal, for long work', () => {
    const { progress: shown, pass, stderr } = progress(false);
    shown.update('1 of 3');
    pass(5000);
    shown.update('2 of 3');
    shown.update('3 of 3');
    shown.clear();
    expect(stderr()).toBe('2 of 3\n');
  });

  it('progress writes a note at once on its own line', () => {
    const plain = progress(false);
    plain.progress.note('Waiting 3 s');
    expect(plain.stderr()).toBe('Waiting 3 s\n');
    const drawn = progress(true);
    drawn.progress.update('1');
    drawn.progress.note('Waiting 3 s');
    expect(drawn.stderr()).toBe('\r\u001B[2K1\r\u001B[2KWaiting 3 s\n');
  });

  it('progress is silent with --quiet', () => {
    const { progress: shown, stderr } = progress(true, true);
    shown.update('1');
    shown.note('2');
    shown.clear();
    expect(stderr()).toBe('');
  });
});
