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
