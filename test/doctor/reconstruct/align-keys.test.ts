import { describe, expect, it } from 'vitest';
import { alignKeys } from '../../../src/doctor/reconstruct/align-keys.ts';

const none = undefined;

describe('the alignment of keys', () => {
  it('keys that occur once are paired, in order', () => {
    expect(alignKeys([1, 2, 3], [1, 2, 3])).toEqual([0, 1, 2]);
    expect(alignKeys([1, 2, 3], [9, 1, 3])).toEqual([1, none, 2]);
    expect(alignKeys([], [1])).toEqual([]);
    expect(alignKeys([1], [])).toEqual([none]);
  });

  it('keys in another order are paired as far as the order allows', () => {
    expect(alignKeys([1, 2, 3], [2, 3, 1])).toEqual([none, 0, 1]);
    expect(alignKeys([3, 1, 2], [1, 2, 3])).toEqual([none, 0, 1]);
  });

  it('repeated keys are paired between the keys that occur once', () => {
    expect(alignKeys([5, 1, 5, 5, 2, 5], [5, 1, 5, 2, 5, 5])).toEqual([0, 1, 2, none, 3, 4]);
    expect(alignKeys([5, 5], [5])).toEqual([0, none]);
    expect(alignKeys([5], [5, 5])).toEqual([0]);
  });

  it('a key that is repeated on one side does not decide', () => {
    expect(alignKeys([5, 6, 5], [6, 5])).toEqual([none, 0, 1]);
    expect(alignKeys([5, 6], [6, 5, 6])).toEqual([0 + 1, 2]);
  });

  it('long runs of repeated keys are paired each with the next equal one', () => {
    const many = Array.from({ length: 2001 }, () => 1);
    expect(alignKeys(many, many)).toEqual(many.map((_, at) => at));
    // A longest common subsequence would pair all the ones.
    const greedy = alignKeys([0, 0, ...many, 0], [...many, 0, 0, 1]);
    expect(greedy.slice(0, 4)).toEqual([2001, 2002, 2003, none]);
    expect(greedy.filter((position) => position !== none)).toHaveLength(3);
    expect(alignKeys([0, 0, 1, 1], [1, 1, 1, 0, 0])).toEqual([3, 4, none, none]);
  });
});
