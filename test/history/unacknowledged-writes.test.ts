import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { UnmatchedItems } from '../../src/history/unacknowledged-writes.ts';

test('UnmatchedItems takes the same items as an array, in any order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat({ max: 60 }), { maxLength: 30 }),
      fc.array(
        fc.record({ behind: fc.integer({ min: -1, max: 61 }), add: fc.integer({ min: -2, max: 3 }) }),
        { maxLength: 40 },
      ),
      (places, steps) => {
        const items = places
          .toSorted((a, b) => a - b)
          .map((position) => ({ id: `msg_${position}`, position }));
        const free = new UnmatchedItems(items);
        const left = [...items];
        for (const { behind, add } of steps) {
          const rank = free.rankAfter(behind);
          expect(rank).toBe(left.filter(({ position }) => position <= behind).length);
          const at = rank + add;
          expect(free.take(at)).toEqual(at < 0 ? undefined : left.splice(at, 1)[0]);
          expect(free.size).toBe(left.length);
        }
      },
    ),
  );
});
