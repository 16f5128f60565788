import { errors } from './error-catalogue.ts';
import { isJsonObject, type JsonObject, jsonTypeName } from './json.ts';

const MAX_PAIRS = 16;
const MAX_KEY_LENGTH = 64;
const MAX_VALUE_LENGTH = 512;

/**
 * Checks `metadata`: at most 16 pairs, keys of 64 and string values of 512 characters. Nothing given is `{}`.
 * @throws ApiError in the API's words.
 */
export function parseMetadata(value: unknown): JsonObject {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw errors.invalidType('metadata', 'an object', jsonTypeName(value));
  const pairs = Object.entries(value);
  if (pairs.length > MAX_PAIRS) throw errors.tooManyProperties('metadata', MAX_PAIRS, pairs.length);
  for (const [key, text] of pairs) {
    if (key.length > MAX_KEY_LENGTH) throw errors.stringTooLong('metadata', MAX_KEY_LENGTH, key.length);
    if (typeof text !== 'string') throw errors.invalidType(`metadata.${key}`, 'a string', jsonTypeName(text));
    if (text.length > MAX_VALUE_LENGTH)
      throw errors.stringTooLong(`metadata.${key}`, MAX_VALUE_LENGTH, text.length);
  }
  return { ...value };
}
