import { describe, expect, it } from 'vitest';
import { untilStopped } from '../../src/cli/until-stopped.ts';
import { captureIo } from './captured-io.ts';

describe('untilStopped', () => {
  it('ends as the work ends', async () => {
    const { io, stderr } = captureIo();
    expect(
      await untilStopped(
        io,
        () => 'again',
        async () => 2,
      ),
    ).toBe(2);
    await expect(
      untilStopped(
        io,
        () => 'again',
        () => Promise.reject(new Error('no')),
      ),
    ).rejects.toThrow('no');
    expect(stderr()).toBe('');
  });

  it.each(['SIGINT', 'SIGTERM'])('ends the work on %s and says how to go on', async (name) => {
    const { io, stderr, stop } = captureIo();
    const ended = untilStopped(
      io,
      () => 'hybrid-session heal conv_1',
      (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('Request was aborted.')));
        }),
    );
    stop(name);
    expect(await ended).toBe(130);
    expect(stderr()).toBe(`Stopped by ${name}.\nTo go on: hybrid-session heal conv_1\n`);
  });

  it('lets the work have the last word when it was done anyway', async () => {
    const { io, stop } = captureIo();
    const ended = untilStopped(
      io,
      () => 'again',
      (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(0))),
    );
    stop('SIGINT');
    expect(await ended).toBe(0);
  });
});
