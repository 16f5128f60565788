import { longestIncreasing } from './longest-increasing.ts';

/** Cells of the table for what differs: 64 MiB. */
const LARGEST_TABLE = 2 ** 24;

/**
 * For each of `left` the position in `right` at which the same stands, so that as many as possible are paired in order.
 *
 * A longest common subsequence; time and memory grow with the product of what differs, not with what is equal at both ends.
 * Where that would be too much, only what stands once on either side is paired.
 *
 * @param earliest of several ways takes the one that pairs what stands first in `left`; it costs what is equal at the end, too.
 */
export function align<T extends string | number>(
  left: readonly T[],
  right: readonly T[],
  earliest = false,
): (number | undefined)[] {
  const pairs: (number | undefined)[] = Array.from({ length: left.length }, () => undefined);
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) {
    pairs[start] = start;
    start += 1;
  }
  let [leftEnd, rightEnd] = [left.length, right.length];
  const end = earliest ? leftEnd : start;
  while (leftEnd > end && rightEnd > start && left[leftEnd - 1] === right[rightEnd - 1]) {
    leftEnd -= 1;
    rightEnd -= 1;
    pairs[leftEnd] = rightEnd;
  }
  const width = rightEnd - start + 1;
  if ((leftEnd - start + 1) * width > LARGEST_TABLE)
    return alignUnique(left, right, pairs, [start, leftEnd, rightEnd]);
  const lengths = new Uint32Array((leftEnd - start + 1) * width);
  const at = (i: number, j: number): number => lengths[(i - start) * width + (j - start)] ?? 0;
  for (let i = leftEnd - 1; i >= start; i -= 1) {
    for (let j = rightEnd - 1; j >= start; j -= 1) {
      const longest = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      lengths[(i - start) * width + (j - start)] = longest;
    }
  }
  for (let i = start, j = start; i < leftEnd && j < rightEnd;) {
    if (left[i] === right[j]) {
      pairs[i] = j;
      i += 1;
      j += 1;
    } else if (at(i + 1, j) > at(i, j + 1) || (!earliest && at(i + 1, j) === at(i, j + 1))) i += 1;
    else j += 1;
  }
  return pairs;
}

/** Pairs what stands once on either side, as long as the order stays. */
function alignUnique<T extends string | number>(
  left: readonly T[],
  right: readonly T[],
  pairs: (number | undefined)[],
  [start, leftEnd, rightEnd]: readonly [number, number, number],
): (number | undefined)[] {
  const there = positionsOnce(right, start, rightEnd);
  const common = [...positionsOnce(left, start, leftEnd)].flatMap(([value, at]) => {
    const position = there.get(value);
    return position === undefined ? [] : [{ at, position }];
  });
  const kept = longestIncreasing(common.map(({ position }) => position));
  for (const [index, { at, position }] of common.entries()) if (kept.has(index)) pairs[at] = position;
  return pairs;
}

function positionsOnce<T>(values: readonly T[], start: number, end: number): Map<T, number> {
  const positions = new Map<T, number>();
  const repeated = new Set<T>();
  for (let at = start; at < end; at += 1) {
    const value = values[at];
    if (value === undefined) continue;
    if (positions.has(value)) repeated.add(value);
    else positions.set(value, at);
  }
  for (const value of repeated) positions.delete(value);
  return positions;
}
