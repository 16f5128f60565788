/** A number as people read it: three digits, thousands apart. */
export function number(value) {
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}

/** A ratio: two digits behind the point where they tell something. */
export function ratio(value) {
  return value >= 10 ? number(value) : value.toFixed(2);
}

/** Bytes as kilobytes. */
export function kilobytes(bytes) {
  return number(bytes / 1000);
}

/** A median, and its quartiles in small print. */
export function between({ median, low, high }) {
  return `${number(median)} (${number(low)}–${number(high)})`;
}

/** A Markdown table. The first column is text. */
export function table(head, rows) {
  return [head, ['---', ...head.slice(1).map(() => '---:')], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
