import { piecesOf } from '../shared/parts.ts';

/** A record, or a part of a long one. */
export interface RecordRow {
  readonly position: number;
  readonly part: number;
  readonly record: string;
}

/** The longest text of a row and of a statement, in UTF-16 units: each takes three bytes at most. */
const MAX_TEXT = 300_000;
/** Numbers of rows: each is a statement that the server prepares for a connection. */
const SIZES = [32, 8, 7, 6, 5, 4, 3, 2, 1];

/** The most bytes that a statement takes. */
export const MAX_PACKET = 1_000_000;

/** The rows of these records, in groups that each fit into one statement. */
export function insertGroups(records: readonly string[], first: number): RecordRow[][] {
  const rows = records.flatMap((text, index) => {
    const pieces = text.length > MAX_TEXT ? piecesOf(text, MAX_TEXT) : [text];
    return pieces.map((record, part) => ({ position: first + index, part, record }));
  });
  const groups: RecordRow[][] = [];
  for (let at = 0; at < rows.length;) {
    const group = groupAt(rows, at);
    groups.push(group);
    at += group.length;
  }
  return groups;
}

function groupAt(rows: readonly RecordRow[], at: number): RecordRow[] {
  let length = 0;
  let size = 0;
  for (const { record } of rows.slice(at, at + 32)) {
    size += record.length;
    if (size > MAX_TEXT) break;
    length += 1;
  }
  return rows.slice(at, at + (SIZES.find((known) => known <= length) ?? 1));
}
