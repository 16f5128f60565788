import { describe, expect, it } from 'vitest';
import { withinProof } from '../../../src/doctor/evidence/within-proof.ts';
import { ReconstructedTimeline } from '../../../src/doctor/reconstruct/reconstructed-timeline.ts';
import { itemIndex, keyOf, wordOf } from '../told-responses.ts';

/**
 * @param base items of the base: `p` before a proven one, `l` before one that was read from a list.
 * @param shown positions of the base, and other items as words; a refuted one begins with `!`.
 */
function within(base: readonly string[], shown: readonly (number | string)[]): string {
  const timeline = new ReconstructedTimeline(itemIndex);
  for (const one of shown) {
    if (typeof one === 'string') timeline.append({ key: keyOf(one) });
    else timeline.append({ key: keyOf(base[one] ?? ''), base: one });
  }
  const items = base.map((word) => ({ id: word, key: keyOf(word), isProven: word.startsWith('p') }));
  const nodes = withinProof(timeline.nodes, items, ({ key }) => wordOf(key).startsWith('!'));
  return nodes.map(({ key }) => wordOf(key)).join(' ');
}

describe('the items that do not contradict a ledger', () => {
  it('an item stays beside an item of a list, and not between two proven ones', () => {
    expect(within(['l1', 'l2'], [0, 'new', 1])).toBe('l1 new l2');
    expect(within(['p1', 'l2'], [0, 'new', 1])).toBe('p1 new l2');
    expect(within(['l1', 'p2'], [0, 'new', 1])).toBe('l1 new p2');
    expect(within(['p1', 'p2'], [0, 'new', 1])).toBe('p1 p2');
  });

  it('an item stays at the front before an item of a list alone, and at the end behind one', () => {
    expect(within(['l1'], ['new', 0])).toBe('new l1');
    expect(within(['p1'], ['new', 0])).toBe('p1');
    expect(within(['l1'], [0, 'new', 'newer'])).toBe('l1 new newer');
    expect(within(['p1'], [0, 'new'])).toBe('p1');
    expect(within([], ['new'])).toBe('new');
  });

  it('an item that the ledger refutes is left out', () => {
    expect(within(['l1', 'l2'], [0, '!no', 'yes', 1])).toBe('l1 yes l2');
  });

  it('proven items keep their order, and other items stay behind the one before them', () => {
    expect(within(['p1', 'l2', 'p3'], [2, 'b', 0, 'a', 1, 'c'])).toBe('p1 a l2 c p3');
    expect(within(['p1', 'l2', 'l3'], [0, 2, 1])).toBe('p1 l3 l2');
    expect(within(['p1', 'p2', 'p3'], [0, 1, 2])).toBe('p1 p2 p3');
    expect(within(['p1', 'p2', 'p3'], [2, 0, 1])).toBe('p1 p2 p3');
    expect(within(['l1', 'p2', 'p3'], [1, 0, 2])).toBe('p2 l1 p3');
  });
});
