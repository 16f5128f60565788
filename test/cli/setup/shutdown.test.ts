import { describe, expect, it } from 'vitest';
import { withShutdownSignal } from '../../../src/cli/setup/shutdown.ts';
import { captureIo } from '../support/captured-io.ts';

describe('withShutdownSignal', () => {
  it('withShutdownSignal ends with the work', async () => {
    const { io, stderr } = captureIo();
    expect(
      await withShutdownSignal(
        io,
        () => 'again',
        async () => 2,
      ),
    ).toBe(2);
    await expect(
      withShutdownSignal(
        io,
        () => 'again',
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    expect(stderr()).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'])(
    'withShutdownSignal stops the work on %s and prints the hint',
    async (name) => {
      const { io, stderr, stop } = captureIo();
      const ended = withShutdownSignal(
        io,
        () => 'agents-hybrid-session heal conv_1',
        (signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(new Error('Request was aborted.')));
          }),
      );
      stop(name);
      expect(await ended).toBe(130);
      expect(stderr()).toBe(`Stopped by ${name}.\nTo go on: agents-hybrid-session heal conv_1\n`);
    },
  );

  it('withShutdownSignal keeps the result of work that finished anyway', async () => {
    const { io, stop } = captureIo();
    const ended = withShutdownSignal(
      io,
      () => 'again',
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(0))),
    );
    stop('SIGINT');
    expect(await ended).toBe(0);
  });
});
