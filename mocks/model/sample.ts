import { isJsonObject, type JsonObject, ownEntry } from '../wire/json.ts';

/** A schema that refers to itself is followed only this deep. */
const MAX_DEPTH = 8;

/** A value that fits a JSON schema, the same each time; every free string in it is `text`. */
export function sampleOf(schema: unknown, text: string): unknown {
  const root = isJsonObject(schema) ? schema : {};
  return sample(root, root, text, 0);
}

function sample(schema: JsonObject, root: JsonObject, text: string, depth: number): unknown {
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  const inner = subschema(schema, root);
  if (inner) return depth < MAX_DEPTH ? sample(inner, root, text, depth + 1) : null;
  switch (typeNameOf(schema)) {
    case 'object':
      return sampleObject(schema, root, text, depth);
    case 'array':
      return sampleArray(schema, root, text, depth);
    case 'string':
      return sampleString(schema, text);
    case 'number':
    case 'integer':
      return sampleNumber(schema);
    case 'boolean':
      return true;
    default:
      return null;
  }
}

/** The schema behind a reference, or the first of several choices. */
function subschema(schema: JsonObject, root: JsonObject): JsonObject | undefined {
  const { $ref } = schema;
  if (typeof $ref === 'string') return resolve($ref, root);
  const choices = schema['anyOf'] ?? schema['oneOf'] ?? schema['allOf'];
  if (!Array.isArray(choices)) return undefined;
  return choices.find((choice) => isJsonObject(choice) && choice['type'] !== 'null');
}

function resolve(reference: string, root: JsonObject): JsonObject {
  let at: unknown = root;
  for (const step of reference.split('/').slice(1)) at = isJsonObject(at) ? at[step] : undefined;
  return isJsonObject(at) ? at : {};
}

function typeNameOf(schema: JsonObject): unknown {
  const { type } = schema;
  if (Array.isArray(type)) return type.find((each) => each !== 'null');
  return type ?? ('properties' in schema ? 'object' : 'items' in schema ? 'array' : undefined);
}

function sampleObject(schema: JsonObject, root: JsonObject, text: string, depth: number): JsonObject {
  const properties = isJsonObject(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : Object.keys(properties);
  const names = depth < MAX_DEPTH ? Object.keys(properties) : required.map(String);
  return Object.fromEntries(
    names.map((name) => {
      const property = properties[name];
      return [name, sample(isJsonObject(property) ? property : {}, root, text, depth + 1)];
    }),
  );
}

function sampleArray(schema: JsonObject, root: JsonObject, text: string, depth: number): unknown[] {
  const { items, minItems } = schema;
  const least = typeof minItems === 'number' ? minItems : 0;
  const length = Math.max(least, depth < MAX_DEPTH ? 1 : 0);
  return Array.from({ length }, () => sample(isJsonObject(items) ? items : {}, root, text, depth + 1));
}

function sampleString(schema: JsonObject, text: string): string {
  const formats: Readonly<Record<string, string>> = {
    'date-time': '2026-01-01T00:00:00Z',
    date: '2026-01-01',
    time: '00:00:00Z',
    email: 'someone@example.com',
    uri: 'https://example.com/',
    uuid: '00000000-0000-4000-8000-000000000000',
  };
  const { format, maxLength, minLength } = schema;
  const value = (typeof format === 'string' ? ownEntry(formats, format) : undefined) ?? text;
  const padded = typeof minLength === 'number' ? value.padEnd(minLength, '.') : value;
  return typeof maxLength === 'number' ? padded.slice(0, maxLength) : padded;
}

function sampleNumber(schema: JsonObject): number {
  const { minimum, maximum, exclusiveMinimum, multipleOf } = schema;
  const step = typeof multipleOf === 'number' ? multipleOf : 1;
  if (typeof exclusiveMinimum === 'number') return exclusiveMinimum + step;
  if (typeof minimum === 'number') return Math.ceil(minimum / step) * step;
  return typeof maximum === 'number' && maximum < step ? maximum : step;
}
