import { hashOf, type Hash } from './hash.ts';
import type { SimulatorItem } from '../wire/item.ts';

/** How many characters count as one token. */
export const CHARACTERS_PER_TOKEN = 4;

/** How many tokens an item takes beyond its text. */
const TOKENS_PER_ITEM = 4;

/** A picture or file sent as a data URL counts as this many characters, however large it is. */
const DATA_URL_LENGTH = 400;

/** The fields that frame the text of an item. */
const FRAME = new Set([
  'id',
  'type',
  'status',
  'role',
  'phase',
  'call_id',
  'logprobs',
  'annotations',
  'detail',
]);

/** The size of a value for the model, and a hash that identifies it. IDs do not count. */
export interface Reading {
  readonly tokens: number;
  readonly hash: Hash;
}

const readings = new WeakMap<object, Reading>();

/** Estimates the tokens of a text; a text that is not empty is at least one. */
export function tokensOfText(text: string): number {
  return tokensForLength(text.length);
}

function tokensForLength(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN);
}

/** Estimates the tokens of an item or any other value that a model reads; nothing is none. */
export function tokensOf(value: unknown): number {
  return readingOf(value).tokens;
}

/** Estimates the tokens of an item that a model writes: of its text alone, and at least a few for thinking. */
export function outputTokensOf(item: SimulatorItem | undefined): number {
  if (!item) return 0;
  return item.type === 'reasoning' ? tokensOf(item) : tokensOf(item) - TOKENS_PER_ITEM;
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
  const length = Array.isArray(value) ? text.length : lengthOf(value);
  const reading = { tokens: tokensForLength(length) + TOKENS_PER_ITEM, hash: hashOf(text) };
  if (Object.isFrozen(value)) readings.set(value, reading);
  return reading;
}

/** How many characters of an item a model reads: the names of its fields and the fields of its frame are none. */
function lengthOf(value: unknown): number {
  if (typeof value === 'string') return isLongDataUrl(value) ? DATA_URL_LENGTH : value.length;
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'object') return JSON.stringify(value).length;
  if (Array.isArray(value)) return value.reduce((sum: number, each: unknown) => sum + lengthOf(each), 0);
  let length = 0;
  for (const [key, field] of Object.entries(value)) if (!FRAME.has(key)) length += lengthOf(field);
  return length;
}

function read(key: string, value: unknown): unknown {
  if (key === 'id' || key === 'logprobs') return undefined;
  return typeof value === 'string' && isLongDataUrl(value)
    ? `${value.slice(0, DATA_URL_LENGTH)}${value.length}`
    : value;
}

function isLongDataUrl(value: string): boolean {
  return value.length > DATA_URL_LENGTH && value.startsWith('data:');
}
