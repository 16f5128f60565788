import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { stoppableFetch } from '../../../src/cli/setup/stoppable-fetch.ts';

/** A server that never answers. */
const silent: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => {
    init?.signal?.addEventListener('abort', () => reject(new Error('aborted')));
  });

const never = (): Promise<void> => new Promise(() => undefined);

describe('stoppableFetch', () => {
  it('stoppableFetch ends a read at once', async () => {
    const stop = new AbortController();
    const fetch = stoppableFetch({ fetch: silent, signal: stop.signal, wait: never });
    const reading = fetch('http://127.0.0.1');
    stop.abort();
    await expect(reading).rejects.toThrow('aborted');
  });

  it('stoppableFetch gives a write 10 seconds for its answer', async () => {
    const stop = new AbortController();
    const waits: number[] = [];
    const over = new AbortController();
    const wait = async (milliseconds: number): Promise<void> => {
      waits.push(milliseconds);
      await once(over.signal, 'abort');
    };
    const fetch = stoppableFetch({ fetch: silent, signal: stop.signal, wait });
    let isOver = false;
    const writing = fetch('http://127.0.0.1', { method: 'POST' }).finally(() => {
      isOver = true;
    });
    stop.abort();
    await new Promise(setImmediate);
    expect([isOver, waits]).toEqual([false, [10_000]]);
    over.abort();
    await expect(writing).rejects.toThrow('aborted');
  });

  it('stoppableFetch begins no request after the signal, and ends one with its own', async () => {
    const stop = new AbortController();
    const own = new AbortController();
    const fetch = stoppableFetch({ fetch: silent, signal: stop.signal });
    const reading = fetch('http://127.0.0.1', { signal: own.signal });
    own.abort();
    await expect(reading).rejects.toThrow('aborted');
    stop.abort(new Error('stopped'));
    await expect(fetch('http://127.0.0.1', { method: 'DELETE' })).rejects.toThrow('stopped');
  });
});
