import { hashOf, type Hash } from './hash.ts';

/** How many characters count as one token. */
const CHARACTERS_PER_TOKEN = 4;

/** How many tokens an item takes beyond its text. */
const TOKENS_PER_ITEM = 4;

/** A picture or file sent as a data URL counts as this many characters, however large it is. */
const DATA_URL_LENGTH = 400;

/** The size of a value for the model, and a hash that identifies it. IDs do not count. */
export interface Reading {
  readonly tokens: number;
  readonly hash: Hash;
}

const readings = new WeakMap<object, Reading>();

/** Estimates the tokens of a text; a text that is not empty is at least one. */
export function tokensOfText(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** Estimates the tokens of an item or any other value that a model reads; nothing is none. */
export function tokensOf(value: unknown): number {
  return readingOf(value).tokens;
}

/** Reads a value; the reading of a frozen one is remembered. */
export function readingOf(value: unknown): Reading {
  if (value === undefined || value === null) return { tokens: 0, hash: hashOf('') };
  if (typeof value !== 'object') {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return { tokens: tokensOfText(text), hash: hashOf(text) };
  }
  const known = readings.get(value);
  if (known) return known;
  const text = JSON.stringify(value, read);
  const reading = { tokens: tokensOfText(text) + TOKENS_PER_ITEM, hash: hashOf(text) };
  if (Object.isFrozen(value)) readings.set(value, reading);
  return reading;
}

function read(key: string, value: unknown): unknown {
  if (key === 'id' || key === 'logprobs') return undefined;
  const isLong = typeof value === 'string' && value.length > DATA_URL_LENGTH && value.startsWith('data:');
  return isLong ? `${value.slice(0, DATA_URL_LENGTH)}${value.length}` : value;
}
