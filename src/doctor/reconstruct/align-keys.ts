import { align, longestIncreasing } from '../../util/align.ts';

/** Highest cost of a longest common subsequence: the product of the two lengths. */
const MAX_COST = 4_000_000;

/**
 * For each key of `left` the position of its match in `right`, in order. Pure.
 *
 * Keys that occur once on both sides are paired first. Between two such pairs it takes a longest common subsequence, the
 * earliest one, because new items come last; above `MAX_COST` it pairs each key with the next equal one.
 */
export function alignKeys(left: readonly number[], right: readonly number[]): (number | undefined)[] {
  const pairs: (number | undefined)[] = Array.from({ length: left.length }, () => undefined);
  const pairsOnce = uniquePairs(left, right);
  let [l, r] = [0, 0];
  for (const pair of [...pairsOnce, { left: left.length, right: right.length }]) {
    between(left.slice(l, pair.left), right.slice(r, pair.right)).forEach((position, index) => {
      if (position !== undefined) pairs[l + index] = r + position;
    });
    if (pair.left < left.length) pairs[pair.left] = pair.right;
    l = pair.left + 1;
    r = pair.right + 1;
  }
  return pairs;
}

interface Pair {
  readonly left: number;
  readonly right: number;
}

function uniquePairs(left: readonly number[], right: readonly number[]): Pair[] {
  const [inLeft, inRight] = [single(left), single(right)];
  const both: Pair[] = [];
  for (const [key, position] of inLeft) {
    const other = inRight.get(key);
    if (position !== undefined && other !== undefined) both.push({ left: position, right: other });
  }
  const kept = longestIncreasing(both.map((pair) => pair.right));
  return both.filter((_, index) => kept.has(index));
}

/** The position of each key, in order; undefined for a repeated key. */
function single(keys: readonly number[]): Map<number, number | undefined> {
  const positions = new Map<number, number | undefined>();
  keys.forEach((key, position) => positions.set(key, positions.has(key) ? undefined : position));
  return positions;
}

function between(left: readonly number[], right: readonly number[]): (number | undefined)[] {
  if (left.length === 0 || right.length === 0) return [];
  if (left.length * right.length <= MAX_COST) return align(left, right, true);
  let next = 0;
  return left.map((key) => {
    const position = right.indexOf(key, next);
    if (position === -1) return undefined;
    next = position + 1;
    return position;
  });
}
