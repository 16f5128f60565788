import { describe, expect, test } from 'vitest';
import { clock } from '../../src/util/clock.ts';
import { Backoff, pollUntil, type BackoffOptions } from '../../src/util/poll.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** The pauses until none is left, at most ten. */
async function pausesOf(options: BackoffOptions, asked?: number): Promise<number[]> {
  const backoff = new Backoff(options);
  const pauses: number[] = [];
  for (let before = clock.now(); pauses.length < 10 && (await backoff.pause(asked)); before = clock.now())
    pauses.push(clock.now() - before);
  return pauses;
}

const pausesUntil = (milliseconds: number): Promise<number[]> =>
  pausesOf({ first: 50, deadline: clock.now() + milliseconds });

const counting = (): (() => Promise<number>) => {
  let count = 0;
  return async () => (count += 1);
};

describe('a backoff', () => {
  test.each<[string, BackoffOptions, number[]]>([
    ['doubles its pauses', { first: 50, attempts: 5 }, [50, 100, 200, 400]],
    ['keeps its pauses equal with a factor of 1', { first: 50, factor: 1, attempts: 4 }, [50, 50, 50]],
    ['pauses at most for its longest pause', { first: 50, max: 120, attempts: 5 }, [50, 100, 120, 120]],
    ['never pauses with one attempt', { first: 50, attempts: 1 }, []],
    ['cuts its last pause at the end of its budget', { first: 50, budget: 200 }, [50, 100, 50]],
    ['never pauses without a budget', { first: 50, budget: 0 }, []],
  ])('a backoff %s', async (_title, options, pauses) => {
    expect(await pausesOf(options)).toEqual(pauses);
  });

  test('a backoff begins no pause at its deadline', async () => {
    expect(await pausesUntil(150)).toEqual([50, 100]);
    expect(await pausesUntil(151)).toEqual([50, 100, 200]);
    expect(await pausesUntil(0)).toEqual([]);
  });

  test('a backoff counts the time between its pauses against its budget', async () => {
    const backoff = new Backoff({ first: 50, budget: 200 });
    expect(backoff.next()).toBe(50);
    passTime(120);
    expect(backoff.next()).toBe(80);
    expect(backoff.next()).toBe(70);
    expect(backoff.next()).toBeUndefined();
  });

  test('a backoff waits as long as the server asks, and no longer than its limit', async () => {
    const backoff = new Backoff({ first: 50, max: 400, attempts: 4 });
    expect(backoff.next(400)).toBe(400);
    expect(backoff.next(401)).toBeUndefined();
    expect(backoff.next(0)).toBe(0);
    expect(backoff.next()).toBe(200);
    expect(backoff.next(1)).toBeUndefined();
    expect(await pausesOf({ first: 50, max: 100, maxAsked: 900, attempts: 3 }, 900)).toEqual([900, 900]);
  });

  test('a backoff begins anew after a reset', () => {
    const backoff = new Backoff({ first: 50, attempts: 2 });
    expect([backoff.next(), backoff.next()]).toEqual([50, undefined]);
    backoff.reset();
    expect([backoff.next(), backoff.next()]).toEqual([50, undefined]);
  });
});

describe('pollUntil', () => {
  test('pollUntil returns the first final result', async () => {
    const start = clock.now();
    expect(await pollUntil(counting(), (count) => count === 3, { first: 50, attempts: 5 })).toBe(3);
    expect(clock.now() - start).toBe(150);
  });

  test('pollUntil returns the last result when no attempt is left', async () => {
    expect(await pollUntil(counting(), (count) => count > 9, { first: 50, attempts: 4 })).toBe(4);
  });

  test('pollUntil throws the error of the check, and checks no more', async () => {
    let checks = 0;
    const failing = async (): Promise<never> => {
      checks += 1;
      throw new Error('down');
    };
    await expect(pollUntil(failing, () => true, { first: 50 })).rejects.toThrow('down');
    expect(checks).toBe(1);
  });
});
