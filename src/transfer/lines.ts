import { InvalidLineError } from '../errors/invalid-line-error.ts';

/** A whole text, or the bytes of one in pieces. */
export type TextSource = string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** One line of a text, without its end. */
export interface Line {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** Whether a line feed follows: the last line of a file may lack it. */
  readonly ended: boolean;
}

const LINE_FEED = 0x0a;
const BYTE_ORDER_MARK = /^\uFEFF/;

/**
 * The lines of a text, of which no more than one is held at a time. Only a line feed ends a line.
 *
 * @throws InvalidLineError for bytes that are not UTF-8.
 */
export async function* linesOf(source: TextSource): AsyncGenerator<Line, void, undefined> {
  if (typeof source === 'string') yield* linesOfText(source);
  else yield* linesOfBytes(source);
}

function* linesOfText(source: string): Generator<Line, void, undefined> {
  const lines = source.replace(BYTE_ORDER_MARK, '').split('\n');
  for (const [index, text] of lines.entries()) {
    const ended = index < lines.length - 1;
    if (ended || text !== '') yield { number: index + 1, text, ended };
  }
}

async function* linesOfBytes(source: Exclude<TextSource, string>): AsyncGenerator<Line, void, undefined> {
  let number = 0;
  let pieces: Uint8Array[] = [];
  const line = (ended: boolean): Line => {
    number += 1;
    const text = decoded(pieces, number);
    pieces = [];
    return { number, text: number === 1 ? text.replace(BYTE_ORDER_MARK, '') : text, ended };
  };
  for await (const bytes of source) {
    let from = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, from)) {
      pieces.push(bytes.subarray(from, at));
      from = at + 1;
      yield line(true);
    }
    if (from < bytes.length) pieces.push(bytes.subarray(from));
  }
  if (pieces.length > 0) yield line(false);
}

function decoded(pieces: readonly Uint8Array[], number: number): string {
  try {
    // Lossless or not at all: a replacement character would be taken for what somebody wrote.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
  } catch {
    throw new InvalidLineError(number, 'it is not UTF-8');
  }
}
