import { errors } from '../wire/error-catalogue.ts';
import { isJsonObject, type JsonObject, jsonTypeName } from '../wire/json.ts';

/** Checks one field of a request; `value` is neither missing nor null. */
export type Check = (value: unknown, param: string) => void;

/** @throws ApiError for a field with another name. */
export function checkKeys(value: JsonObject, known: readonly string[], path = ''): void {
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw errors.unknownParameter(path + unknown);
}

export const anything: Check = () => undefined;

export const text: Check = (value, param) => {
  if (typeof value !== 'string') throw errors.invalidType(param, 'a string', jsonTypeName(value));
};

export const flag: Check = (value, param) => {
  if (typeof value !== 'boolean') throw errors.invalidType(param, 'a boolean', jsonTypeName(value));
};

export const shortText =
  (most: number): Check =>
  (value, param) => {
    text(value, param);
    if (typeof value === 'string' && value.length > most)
      throw errors.stringTooLong(param, most, value.length);
  };

export const oneOf =
  (...allowed: readonly string[]): Check =>
  (value, param) => {
    text(value, param);
    if (typeof value === 'string' && !allowed.includes(value))
      throw errors.invalidValue(param, value, allowed);
  };

export const integer =
  (least: number, most = Number.MAX_SAFE_INTEGER): Check =>
  (value, param) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      throw errors.invalidType(param, 'an integer', jsonTypeName(value));
    }
    if (value < least) throw errors.integerTooSmall(param, least, value);
    if (value > most) throw errors.integerTooLarge(param, most, value);
  };

export const decimal =
  (least: number, most: number): Check =>
  (value, param) => {
    if (typeof value !== 'number') throw errors.invalidType(param, 'a decimal', jsonTypeName(value));
    if (value < least) throw errors.numberTooSmall(param, least, value);
    if (value > most) throw errors.numberTooLarge(param, most, value);
  };

export const listOf =
  (check: Check): Check =>
  (value, param) => {
    if (!Array.isArray(value)) throw errors.invalidType(param, 'an array', jsonTypeName(value));
    for (const [index, each] of value.entries()) check(each, `${param}[${index}]`);
  };

export const fields =
  (checks: Readonly<Record<string, Check>>): Check =>
  (value, param) => {
    if (!isJsonObject(value)) throw errors.invalidType(param, 'an object', jsonTypeName(value));
    for (const [key, each] of Object.entries(value)) {
      if (each !== null && Object.hasOwn(checks, key)) checks[key]?.(each, `${param}.${key}`);
    }
  };

export const required =
  (keys: readonly string[], check: Check = fields({})): Check =>
  (value, param) => {
    check(value, param);
    for (const key of keys) {
      if (isJsonObject(value) && value[key] === undefined) throw errors.missingParameter(`${param}.${key}`);
    }
  };
