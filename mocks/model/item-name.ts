import { isAssistantMessage, textOf, type SimulatorItem } from '../wire/item.ts';
import { isJsonObject } from '../wire/json.ts';
import { letterOf } from '../wire/outline.ts';

const MAX_QUOTE_LENGTH = 40;

/** Of a longer list of items, only the first and the last ones are named. */
export const NAMED_FIRST = 4;
export const NAMED_LAST = 12;

/** A short name for an item, which begins with its letter: `u "hi"`, `a1`, `c get_weather`, `r "rain"`. */
export function nameOf(item: SimulatorItem): string {
  const letter = letterOf(item);
  const text = textOf(item);
  if (isAssistantMessage(item)) return answerName(text);
  if (letter === 'c') return `c ${typeof item['name'] === 'string' ? item['name'] : item.type}`;
  if (letter === 't' || letter === 'x') return letter;
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
