import { decryptedContent } from '../wire/encrypted-content.ts';
import { isAssistantMessage, textOf, type SimulatorItem } from '../wire/item.ts';
import { isJsonObject } from '../wire/json.ts';
import { letterOf } from '../wire/outline.ts';

/** Of a longer context only this many items are named, the rest is counted. */
const NAMED_FIRST = 4;
const NAMED_LAST = 12;
const MAX_QUOTE_LENGTH = 40;

/**
 * Names the items in the model's context in one sentence, so that a lost turn can be read in the answer:
 * `Answer 3: I see 5 items (3u 2a): u "hi", a1, u "what can you do?", a2, u "thanks"`. The number is the user's turn.
 * An earlier answer is named by its number and never quoted, so answers do not grow with each other.
 */
export function recite(context: readonly SimulatorItem[]): string {
  const turn = context.filter((item) => letterOf(item) === 'u').length;
  const noun = context.length === 1 ? 'item' : 'items';
  return `Answer ${turn}: I see ${context.length} ${noun}${counts(context)}: ${namedItems(context)}`;
}

function counts(context: readonly SimulatorItem[]): string {
  const byLetter = new Map<string, number>();
  for (const item of context) byLetter.set(letterOf(item), (byLetter.get(letterOf(item)) ?? 0) + 1);
  return ` (${Array.from(byLetter, ([letter, count]) => `${count}${letter}`).join(' ')})`;
}

function namedItems(context: readonly SimulatorItem[]): string {
  if (context.length <= NAMED_FIRST + NAMED_LAST) return context.map(named).join(', ');
  const left = context.length - NAMED_FIRST - NAMED_LAST;
  const names = [
    context.slice(0, NAMED_FIRST).map(named),
    `… ${left} more …`,
    context.slice(-NAMED_LAST).map(named),
  ];
  return names.flat().join(', ');
}

function named(item: SimulatorItem): string {
  const letter = letterOf(item);
  const text = textOf(item);
  if (isAssistantMessage(item)) return answerName(text);
  if (letter === 'c') return `c ${typeof item['name'] === 'string' ? item['name'] : item.type}`;
  if (letter === 't') return letter;
  if (letter === 'x') return `x ${quote(decryptedContent(item['encrypted_content']) ?? '')}`;
  return `${letter} ${quote(text)}${attachments(item)}`;
}

function answerName(text: string): string {
  const number = /^Answer (\d+):/.exec(text)?.[1];
  return number === undefined ? `a ${quote(text)}` : `a${number}`;
}

/** Shortens a text to one quoted line. */
export function quote(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return `"${line.length > MAX_QUOTE_LENGTH ? `${line.slice(0, MAX_QUOTE_LENGTH - 1)}…` : line}"`;
}

function attachments(item: SimulatorItem): string {
  const parts: unknown[] = Array.isArray(item['content']) ? item['content'] : [];
  const kinds = parts.map((part) => (isJsonObject(part) ? part['type'] : undefined));
  return kinds
    .map((kind) => (kind === 'input_image' ? ' +image' : kind === 'input_file' ? ' +file' : ''))
    .join('');
}
