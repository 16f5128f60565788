import { align } from '../history/align.ts';
import { longestIncreasing } from '../history/longest-increasing.ts';

/** What a longest common subsequence may cost: the product of the lengths of what differs. */
const LARGEST = 4_000_000;

/**
 * For each of `left` the position in `right` at which the same stands, so that they are paired in order. Pure.
 *
 * First what stands once on both sides: those are anchors. Between two anchors a longest common subsequence is found, the
 * one that stands first, because what is new stands last; where that would take too long each is paired with the next that
 * is the same.
 */
export function alignViews(left: readonly number[], right: readonly number[]): (number | undefined)[] {
  const pairs: (number | undefined)[] = Array.from({ length: left.length }, () => undefined);
  const anchors = anchorsOf(left, right);
  let [l, r] = [0, 0];
  for (const anchor of [...anchors, { left: left.length, right: right.length }]) {
    between(left.slice(l, anchor.left), right.slice(r, anchor.right)).forEach((position, index) => {
      if (position !== undefined) pairs[l + index] = r + position;
    });
    if (anchor.left < left.length) pairs[anchor.left] = anchor.right;
    l = anchor.left + 1;
    r = anchor.right + 1;
  }
  return pairs;
}

interface Anchor {
  readonly left: number;
  readonly right: number;
}

function anchorsOf(left: readonly number[], right: readonly number[]): Anchor[] {
  const [inLeft, inRight] = [single(left), single(right)];
  const both: Anchor[] = [];
  for (const [key, position] of inLeft) {
    const other = inRight.get(key);
    if (position !== undefined && other !== undefined) both.push({ left: position, right: other });
  }
  const kept = longestIncreasing(both.map((anchor) => anchor.right));
  return both.filter((_, index) => kept.has(index));
}

/** Where each key stands, in order; undefined for one that stands more than once. */
function single(keys: readonly number[]): Map<number, number | undefined> {
  const positions = new Map<number, number | undefined>();
  keys.forEach((key, position) => positions.set(key, positions.has(key) ? undefined : position));
  return positions;
}

function between(left: readonly number[], right: readonly number[]): (number | undefined)[] {
  if (left.length === 0 || right.length === 0) return [];
  if (left.length * right.length <= LARGEST) return align(left, right, true);
  let next = 0;
  return left.map((key) => {
    const position = right.indexOf(key, next);
    if (position === -1) return undefined;
    next = position + 1;
    return position;
  });
}
