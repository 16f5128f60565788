/** The value that so many of the sorted values are below; between two of them in proportion. */
export function quantile(sorted, part) {
  const at = (sorted.length - 1) * part;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  return low + (high - low) * (at - Math.floor(at));
}

/** Median and quartiles of some numbers. */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: rounded(quantile(sorted, 0.5)),
    low: rounded(quantile(sorted, 0.25)),
    high: rounded(quantile(sorted, 0.75)),
    count: sorted.length,
  };
}

/** The middle one of some numbers. */
export function median(values) {
  return spread(values).median;
}

/** Four digits: more is noise. */
export function rounded(value) {
  return Number(value.toPrecision(4));
}
