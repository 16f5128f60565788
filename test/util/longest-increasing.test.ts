import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestIncreasing } from '../../src/util/align.ts';

/** By trying all subsequences. */
function longest(values: readonly number[]): number {
  let best = 0;
  for (let chosen = 0; chosen < 2 ** values.length; chosen += 1) {
    const picked = values.filter((_, at) => (chosen >> at) % 2 === 1);
    if (isIncreasing(picked)) best = Math.max(best, picked.length);
  }
  return best;
}

function isIncreasing(values: readonly number[]): boolean {
  return values.every((value, at) => at === 0 || value > (values[at - 1] ?? Infinity));
}

test('longestIncreasing keeps an increasing subsequence that no other one outgrows', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 9 }), (values) => {
      const kept = longestIncreasing(values);
      expect(isIncreasing(values.filter((_, at) => kept.has(at)))).toBe(true);
      expect(kept.size).toBe(longest(values));
    }),
    { seed: 20261129, numRuns: 500 },
  );
});

test('longestIncreasing keeps all of what is in order, and one of what is reversed', () => {
  const values = Array.from({ length: 1000 }, (_, at) => at);
  expect(longestIncreasing(values).size).toBe(1000);
  expect(longestIncreasing(values.toReversed()).size).toBe(1);
  expect(longestIncreasing([]).size).toBe(0);
});

test('longestIncreasing gives up the one item that moved', () => {
  expect([...longestIncreasing([0, 4, 1, 2, 3])].toSorted((a, b) => a - b)).toEqual([0, 2, 3, 4]);
});
