import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { align } from '../../src/util/align.ts';

function longest(left: readonly string[], right: readonly string[]): number {
  const [first, ...rest] = left;
  if (first === undefined) return 0;
  const skipped = longest(rest, right);
  const at = right.indexOf(first);
  return at === -1 ? skipped : Math.max(skipped, 1 + longest(rest, right.slice(at + 1)));
}

it.each([false, true])('align pairs equal things in order, as many as can be (earliest: %s)', (earliest) => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 7 });
  fc.assert(
    fc.property(letters, letters, (left, right) => {
      const pairs = align(left, right, earliest);
      const found = pairs.flatMap((position, index) => (position === undefined ? [] : [{ position, index }]));
      for (const { position, index } of found) expect(right[position]).toBe(left[index]);
      expect(found.map(({ position }) => position)).toEqual(
        found.map(({ position }) => position).toSorted((a, b) => a - b),
      );
      expect(new Set(found.map(({ position }) => position)).size).toBe(found.length);
      expect(found).toHaveLength(longest(left, right));
    }),
    { seed: 20261129, numRuns: 500 },
  );
});

/** The positions in `left` of every longest way to pair, the earliest ones first. */
function firstWay(left: readonly string[], right: readonly string[]): number[] {
  const most = longest(left, right);
  let best: number[] | undefined;
  for (let choice = 0; choice < 2 ** left.length; choice += 1) {
    const at = left.map((_, index) => index).filter((index) => (choice & (1 << index)) !== 0);
    if (
      at.length !== most ||
      longest(
        at.map((index) => left[index] ?? ''),
        right,
      ) !== most
    )
      continue;
    if (best === undefined || at.join().localeCompare(best.join()) < 0) best = at;
  }
  return best ?? [];
}

it('align pairs what stands first, where that is asked for', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 6 });
  fc.assert(
    fc.property(letters, letters, (left, right) => {
      const pairs = align(left, right, true);
      expect(pairs.flatMap((position, index) => (position === undefined ? [] : [index]))).toEqual(
        firstWay(left, right),
      );
    }),
    { seed: 20261129, numRuns: 300 },
  );
});

it('align pairs what is equal at both ends as it stands there', () => {
  expect(align(['a', 'x', 'b', 'b'], ['a', 'b'])).toEqual([0, undefined, undefined, 1]);
  expect(align(['a', 'x', 'b', 'b'], ['a', 'b'], true)).toEqual([0, undefined, 1, undefined]);
  expect(align(['b', 'b', 'a'], ['b', 'a'])).toEqual([0, undefined, 1]);
  expect(align(['x', 'a'], ['a', 'a'])).toEqual([undefined, 1]);
});

it('align pairs what stands once where a table of everything would not fit', () => {
  const count = 5000;
  const left = [
    'first',
    ...Array.from({ length: count }, (_, index) => `left ${index}`),
    'b',
    'k',
    'twice',
    'twice',
    'c',
    'd',
  ];
  const right = [
    'first',
    'c',
    'e',
    'b',
    'k',
    ...Array.from({ length: count }, (_, index) => `right ${index}`),
    'twice',
    'd',
    'f',
  ];
  const pairs = align(left, right);
  const found = pairs.flatMap((position, index) =>
    position === undefined ? [] : [[left[index], right[position]]],
  );
  expect(found).toEqual([
    ['first', 'first'],
    ['b', 'b'],
    ['k', 'k'],
    ['d', 'd'],
  ]);
});
