import { expect, test } from 'vitest';
import { mapLimit } from '../../src/util/map-limit.ts';

/** Calls that end when they are told to. */
class Calls {
  readonly #waiting: { value: number; end: (error?: Error) => void }[] = [];
  most = 0;
  started: number[] = [];

  readonly run = (value: number): Promise<number> => {
    this.started.push(value);
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        value,
        end: (error) => (error === undefined ? resolve(value * 10) : reject(error)),
      });
      this.most = Math.max(this.most, this.#waiting.length);
    });
  };

  /** Ends the newest or the oldest call. */
  async end(which: 'newest' | 'oldest', error?: Error): Promise<void> {
    const call = which === 'newest' ? this.#waiting.pop() : this.#waiting.shift();
    call?.end(error);
    await new Promise((resolve) => setImmediate(resolve));
  }

  get waiting(): number {
    return this.#waiting.length;
  }
}

test('mapLimit gives results in order, whichever call ends first, with a few under way at once', async () => {
  const calls = new Calls();
  const mapped = mapLimit([1, 2, 3, 4, 5], 2, calls.run);
  while (calls.waiting > 0) await calls.end('newest');
  expect(await mapped).toEqual([10, 20, 30, 40, 50]);
  expect(calls.most).toBe(2);
});

test('mapLimit starts no more when one has failed, and tells the first failure', async () => {
  const calls = new Calls();
  const mapped = mapLimit([1, 2, 3, 4, 5], 2, calls.run);
  const outcome = mapped.catch((error: unknown) => error);
  await calls.end('oldest', new Error('first'));
  await calls.end('oldest', new Error('second'));
  expect(await outcome).toEqual(new Error('first'));
  expect(calls.started).toEqual([1, 2]);
});

test('mapLimit returns an empty array for an empty one', async () => {
  expect(await mapLimit([], 4, async () => Promise.reject(new Error('called')))).toEqual([]);
});

test('mapLimit starts no more when one has failed and another ends well', async () => {
  const calls = new Calls();
  const outcome = mapLimit([1, 2, 3, 4, 5], 2, calls.run).catch((error: unknown) => error);
  await calls.end('oldest', new Error('first'));
  await calls.end('oldest');
  expect(await outcome).toEqual(new Error('first'));
  expect(calls.started).toEqual([1, 2]);
});
