/** The table of differing values has at most so many cells: 64 MiB. */
const MAX_TABLE_CELLS = 2 ** 24;

/**
 * Longest common subsequence: for each value of `left`, the index of its match in `right`.
 *
 * Time and memory grow with the product of the differing parts; equal beginnings and ends are free. Beyond the maximum, only
 * values that occur once on either side are paired.
 *
 * @param earliest of several longest subsequences, takes the one that pairs the first values of `left`. Equal ends then cost, too.
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
  if ((leftEnd - start + 1) * width > MAX_TABLE_CELLS)
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

/** Pairs values that occur once on either side, as far as they are in the same order. */
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

/** The positions of a longest strictly increasing subsequence: the values that kept their order. */
export function longestIncreasing(values: readonly number[]): Set<number> {
  const tails: number[] = [];
  const before: (number | undefined)[] = [];
  values.forEach((value, position) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((values[tails[middle] ?? 0] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    before.push(low === 0 ? undefined : tails[low - 1]);
    tails[low] = position;
  });
  const kept = new Set<number>();
  for (let at = tails.at(-1); at !== undefined; at = before[at]) kept.add(at);
  return kept;
}
