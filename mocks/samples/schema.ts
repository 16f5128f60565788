import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The schema behind a local reference, such as `#/$defs/node`; `undefined` if there is none. */
export function resolveReference(reference: string, root: JsonObject): unknown {
  let at: unknown = root;
  for (const step of reference.split('/').slice(1)) {
    const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    at = Array.isArray(at) ? at[Number(key)] : isJsonObject(at) ? at[key] : undefined;
  }
  return at;
}

/** The schemas in a list; a schema that is `true` allows everything. */
export function schemasIn(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(toSchema) : [];
}

/** A schema as an object: `true` allows everything, `false` nothing. */
export function toSchema(value: unknown): JsonObject {
  if (isJsonObject(value)) return value;
  return value === false ? { not: {} } : {};
}

/** The schemas by name of a keyword such as `properties`. */
export function namedSchemas(value: unknown): [string, JsonObject][] {
  return isJsonObject(value) ? Object.entries(value).map(([name, part]) => [name, toSchema(part)]) : [];
}

/** The names that an object must have. */
export function requiredOf({ required }: JsonObject): string[] {
  return Array.isArray(required) ? required.map(String) : [];
}

/** A keyword that is a number, or the default. */
export function numberOf(schema: JsonObject, keyword: string, otherwise: number): number {
  const value = schema[keyword];
  return typeof value === 'number' ? value : otherwise;
}

/** The types that a schema allows: those it names, or those that its keywords are about. */
export function typesOf(schema: JsonObject): string[] {
  const { type } = schema;
  if (Array.isArray(type)) return type.map(String);
  if (typeof type === 'string') return [type];
  const meant = Object.entries(TYPE_OF_KEYWORD).find(([keyword]) => keyword in schema);
  return meant ? [meant[1]] : [];
}

const TYPE_OF_KEYWORD: Readonly<Record<string, string>> = {
  properties: 'object',
  required: 'object',
  additionalProperties: 'object',
  patternProperties: 'object',
  propertyNames: 'object',
  minProperties: 'object',
  items: 'array',
  prefixItems: 'array',
  contains: 'array',
  minItems: 'array',
  pattern: 'string',
  format: 'string',
  minLength: 'string',
  maxLength: 'string',
  minimum: 'number',
  maximum: 'number',
  exclusiveMinimum: 'number',
  exclusiveMaximum: 'number',
  multipleOf: 'number',
};

/** One schema in the place of two: a value that fits it fits both, as far as that can be told. */
export function merged(one: JsonObject, other: JsonObject): JsonObject {
  const result: JsonObject = { ...one };
  for (const [key, value] of Object.entries(other)) result[key] = mergedKeyword(key, one[key], value);
  const patterns = [...patternsOf(one), ...patternsOf(other)];
  return patterns.length > 1 ? { ...result, patterns } : result;
}

/** The patterns of a text: a merged schema has them all in a keyword of its own. */
export function patternsOf({ pattern, patterns }: JsonObject): string[] {
  if (Array.isArray(patterns)) return patterns.map(String);
  return typeof pattern === 'string' ? [pattern] : [];
}

/** The schemas of an array: those of its first items, one each, and that of the others. */
export function itemSchemas(schema: JsonObject): { first: JsonObject[]; others: unknown } {
  const { prefixItems, items, additionalItems } = schema;
  if (Array.isArray(items)) return { first: schemasIn(items), others: additionalItems };
  return { first: schemasIn(prefixItems), others: items };
}

function mergedKeyword(key: string, one: unknown, other: unknown): unknown {
  if (one === undefined) return other;
  if (key === 'properties' || key === 'patternProperties') return mergedParts(one, other);
  if (key === 'items' || key === 'additionalProperties') return merged(toSchema(one), toSchema(other));
  if (key === 'required') return [...new Set([...listIn(one), ...listIn(other)])];
  if (key === 'type' || key === 'enum') {
    const both = listIn(one).filter((each) => listIn(other).includes(each) || isNarrower(each, other));
    const narrower = both.length > 0 ? both : listIn(other);
    return key === 'type' && narrower.length === 1 ? narrower[0] : narrower;
  }
  if (key === 'allOf' || key === 'anyOf' || key === 'oneOf') return [...listIn(one), ...listIn(other)];
  if (typeof one === 'number' && typeof other === 'number')
    return /^(?:m|exclusiveM)in/.test(key) ? Math.max(one, other) : Math.min(one, other);
  return other;
}

function mergedParts(one: unknown, other: unknown): JsonObject {
  const parts: JsonObject = Object.fromEntries(namedSchemas(one));
  for (const [name, part] of namedSchemas(other)) parts[name] = merged(toSchema(parts[name]), part);
  return parts;
}

function isNarrower(type: unknown, other: unknown): boolean {
  return type === 'integer' && listIn(other).includes('number');
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}
