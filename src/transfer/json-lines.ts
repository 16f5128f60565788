import type { AgentInputItem } from '@openai/agents';
import { InvalidItemError } from '../errors/session.ts';
import { parseAgentItems } from '../items/parse-item.ts';
import { escapeJson } from '../util/escape-controls.ts';

/**
 * Items as JSON Lines: one item a line, each line ended by a line feed, and nothing else in the file.
 *
 * `fromJsonLines` returns the same items, and writing those makes the same bytes.
 *
 * @throws InvalidItemError for a value that is not an item.
 */
export function* toJsonLines(items: Iterable<AgentInputItem>): Generator<string, void, undefined> {
  let index = 0;
  for (const item of items) {
    yield `${jsonLine(item, index)}\n`;
    index += 1;
  }
}

/**
 * The items of JSON Lines, one after the other. Skips empty lines.
 *
 * @param source the whole text, or the bytes of a file in pieces, such as `createReadStream(path)`.
 * @throws InvalidItemError naming the first line that is not an item; the error quotes nothing.
 */
export async function* fromJsonLines(source: TextSource): AsyncGenerator<AgentInputItem, void, undefined> {
  for await (const { number, text, ended } of linesOf(source)) {
    if (text.trim() !== '') yield parseLine(number, text, ended);
  }
}

function jsonLine(item: AgentInputItem, index: number): string {
  try {
    const [stored] = parseAgentItems([item]);
    // Some readers take U+2028 and U+2029 for ends of lines; JSON does not.
    return escapeJson(JSON.stringify(stored));
  } catch (error) {
    throw error instanceof InvalidItemError ? new InvalidItemError(index, error.problem) : error;
  }
}

function parseLine(number: number, text: string, ended: boolean): AgentInputItem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the line.
    throw lineError(
      number,
      ended ? 'it is not JSON' : 'it is not JSON and has no end: the file may have been cut short',
    );
  }
  try {
    const [item] = parseAgentItems([value]);
    if (item !== undefined) return item;
  } catch (error) {
    if (error instanceof InvalidItemError) throw lineError(number, error.problem);
    throw error;
  }
  throw lineError(number, 'it holds no item');
}

function lineError(line: number, problem: string): InvalidItemError {
  return new InvalidItemError(line - 1, problem, { line });
}

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
 * The lines of a text, with one line in memory at a time. Only a line feed ends a line.
 *
 * @throws InvalidItemError for bytes that are not UTF-8.
 */
async function* linesOf(source: TextSource): AsyncGenerator<Line, void, undefined> {
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
    // Without `fatal`, replacement characters would look like part of the item.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
  } catch {
    throw lineError(number, 'it is not UTF-8');
  }
}
