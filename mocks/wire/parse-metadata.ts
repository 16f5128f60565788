import { errors } from './error-catalogue.ts';
import { isJsonObject, type JsonObject } from './json-object.ts';
import { jsonTypeName } from './json-type-name.ts';

const MOST_PAIRS = 16;
const LONGEST_KEY = 64;
const LONGEST_VALUE = 512;

/**
 * Checks `metadata`: at most 16 pairs, keys of 64 and string values of 512 characters. Nothing given is `{}`.
 * @throws ApiError in the API's words.
 */
export function parseMetadata(value: unknown): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw errors.invalidType('metadata', 'an object', jsonTypeName(value));
  const pairs = Object.entries(value);
  if (pairs.length > MOST_PAIRS) throw errors.tooManyProperties('metadata', MOST_PAIRS, pairs.length);
  for (const [key, text] of pairs) {
    if (key.length > LONGEST_KEY) throw errors.stringTooLong('metadata', LONGEST_KEY, key.length);
    if (typeof text !== 'string') throw errors.invalidType(`metadata.${key}`, 'a string', jsonTypeName(text));
    if (text.length > LONGEST_VALUE)
      throw errors.stringTooLong(`metadata.${key}`, LONGEST_VALUE, text.length);
  }
  return { ...value };
}
