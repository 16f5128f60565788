import type { AgentInputItem } from '@openai/agents';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import { InvalidLineError } from '../errors/invalid-line-error.ts';
import { parseAgentItems } from '../ledger/agent-item.ts';
import { linesOf, type TextSource } from './lines.ts';

/** Ends of lines to some readers, although not to JSON: escaped, so that one item is one line to all of them. */
const LINE_ENDS: Readonly<Record<string, string>> = {
  '\u0085': String.raw`\u0085`,
  '\u2028': String.raw`\u2028`,
  '\u2029': String.raw`\u2029`,
};

/**
 * Items as JSON Lines: one item a line, each line ended by a line feed, and nothing else in the file.
 *
 * `fromJsonLines` gives back the same items, and of those this makes the same bytes.
 *
 * @throws InvalidItemError for what is not an item.
 */
export function* toJsonLines(items: Iterable<AgentInputItem>): Generator<string, void, undefined> {
  let index = 0;
  for (const item of items) {
    yield `${jsonLine(item, index)}\n`;
    index += 1;
  }
}

/**
 * The items of JSON Lines, one after the other; empty lines are passed over.
 *
 * @param source the whole text, or the bytes of a file in pieces, such as `createReadStream(path)`.
 * @throws InvalidLineError naming the first line that is not an item; it quotes nothing.
 */
export async function* fromJsonLines(source: TextSource): AsyncGenerator<AgentInputItem, void, undefined> {
  for await (const { number, text, ended } of linesOf(source)) {
    if (text.trim() !== '') yield parseLine(number, text, ended);
  }
}

function jsonLine(item: AgentInputItem, index: number): string {
  try {
    const [stored] = parseAgentItems([item]);
    return JSON.stringify(stored).replaceAll(/[\u0085\u2028\u2029]/g, (end) => LINE_ENDS[end] ?? end);
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
    throw new InvalidLineError(
      number,
      ended ? 'it is not JSON' : 'it is not JSON and has no end: the file may have been cut short',
    );
  }
  try {
    const [item] = parseAgentItems([value]);
    if (item !== undefined) return item;
  } catch (error) {
    if (error instanceof InvalidItemError) throw new InvalidLineError(number, error.problem);
    throw error;
  }
  throw new InvalidLineError(number, 'it holds no item');
}
