import { describe, expect, it } from 'vitest';
import { mapStream } from '../../src/many/map-stream.ts';
import { deferred } from '../support/deferred.ts';

async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const value of values) found.push(value);
  return found;
}

describe('mapStream()', () => {
  it('results come as they are ready', async () => {
    const slow = deferred<string>();
    const results = mapStream(['slow', 'fast'], 2, async (name) => (name === 'slow' ? slow.promise : name));
    expect((await results.next()).value).toBe('fast');
    slow.resolve('slow');
    expect((await results.next()).value).toBe('slow');
    expect((await results.next()).done).toBe(true);
  });

  it('values are taken only as results are taken', async () => {
    const taken: number[] = [];
    function* values(): Generator<number> {
      for (let at = 0; at < 1000; at += 1) {
        taken.push(at);
        yield at;
      }
    }
    const results = mapStream(values(), 3, async (value) => value);
    for (let at = 0; at < 10; at += 1) await results.next();
    expect(taken.length).toBeLessThanOrEqual(13);
    await results.return();
  });

  it('a stopped stream awaits the calls under way, and takes no more values', async () => {
    let isStopped = false;
    const results = mapStream(
      [1, 2, 3, 4],
      2,
      async (value) => {
        isStopped = value === 2;
        return value;
      },
      () => isStopped,
    );
    expect(await collected(results)).toEqual([1, 2]);
    expect(await collected(mapStream([], 2, async (value) => value))).toEqual([]);
  });
});
