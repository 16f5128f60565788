import { isObject, type JsonObject } from '../../util/json.ts';

/** A text in pieces of at most `size` UTF-16 units, two or more, none of which ends within a surrogate pair. */
export function piecesOf(text: string, size: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + size;
    const isSplit = end < text.length && /[\uD800-\uDBFF]/.test(text.charAt(end - 1));
    const piece = text.slice(at, isSplit ? end - 1 : end);
    pieces.push(piece);
    at += piece.length;
  }
  return pieces;
}

interface PartedRow {
  readonly row: JsonObject;
  readonly pieces: unknown[];
  isWhole: boolean;
}

/** One row for each record; a record of which a part is missing before the last one has no text. */
export function joinParts(rows: readonly unknown[]): JsonObject[] {
  const whole: PartedRow[] = [];
  for (const row of rows.filter(isObject)) {
    const last = whole.at(-1);
    // A session without records has one row, of nulls.
    const part = Number(row['part']);
    if (last !== undefined && last.row['position'] === row['position']) {
      last.isWhole &&= part === last.pieces.length;
      last.pieces.push(row['record']);
    } else whole.push({ row, pieces: [row['record']], isWhole: part === 0 });
  }
  return whole.map(({ row, pieces, isWhole }) => {
    if (isWhole && pieces.length === 1) return row;
    return { ...row, record: isWhole ? pieces.join('') : undefined };
  });
}
