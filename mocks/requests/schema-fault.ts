import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The most levels of objects and arrays that a strict schema may have, and the most properties. */
const MAX_LEVELS = 10;
const MAX_PROPERTIES = 5000;

/** The most steps from the top of a schema to a part: more would be too much for the stack. */
const DEEPEST_PLACE = 1000;

/** The formats of a string that a strict schema may ask for. */
const FORMATS = new Set('date-time time date duration email hostname ipv4 ipv6 uuid'.split(' '));

/** The keywords that a strict schema may not have: the client of the API does not send them either. */
const REFUSED = [
  '$anchor',
  '$dynamicAnchor',
  '$dynamicRef',
  '$recursiveAnchor',
  '$recursiveRef',
  'allOf',
  'contains',
  'contentEncoding',
  'contentMediaType',
  'contentSchema',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'else',
  'if',
  'maxContains',
  'maxProperties',
  'minContains',
  'minProperties',
  'not',
  'oneOf',
  'patternProperties',
  'prefixItems',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
  'uniqueItems',
];

/** The keywords that the parameters of a function may not have at their top. */
const REFUSED_AT_TOP = ['oneOf', 'anyOf', 'allOf', 'enum', 'const', 'not'];

/** The types of JSON Schema. */
const TYPES = new Set<unknown>('string number integer boolean object array null'.split(' '));

/** The keywords that stand for a type. */
const TYPED_BY = ['type', '$ref', 'anyOf'];

/**
 * The first fault that the API finds in the parameters of a function, as a sentence.
 * @param isStrict whether the function asks for arguments that fit exactly.
 */
export function parametersFault(schema: JsonObject, isStrict: boolean): string | undefined {
  const keyword = schema['type'] === 'object' && REFUSED_AT_TOP.some((key) => key in schema);
  if (keyword)
    return "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'const'/'not' at the top level.";
  return isStrict
    ? strictSchemaFault(schema)
    : (rootFault(schema) ??
        firstFault(schema, [], (part, path) => typeFault(part) ?? itemsFault(part, path)));
}

/** The first fault that the API finds in a strict schema, as a sentence. */
export function strictSchemaFault(schema: JsonObject): string | undefined {
  const definitions = new Set(
    ['$defs', 'definitions'].flatMap((key) => namesIn(schema[key]).map((name) => `#/${key}/${name}`)),
  );
  return (
    rootFault(schema) ??
    firstFault(schema, [], (part) => typeFault(part)) ??
    firstFault(schema, [], (part, path) => strictPartFault(part, path, definitions)) ??
    sizeFault(schema)
  );
}

function rootFault({ type }: JsonObject): string | undefined {
  if (type === 'object') return undefined;
  return `schema must be a JSON Schema of 'type: "object"', got 'type: "${typeof type === 'string' ? type : 'None'}"'.`;
}

/** A type that JSON Schema does not have; the API does not say at which place. */
function typeFault({ type }: JsonObject): string | undefined {
  const types: readonly unknown[] = Array.isArray(type) ? type : [type];
  const isKnown = type === undefined || types.every((each) => TYPES.has(each));
  return isKnown ? undefined : `${quoted(type)} is not valid under any of the given schemas.`;
}

type PartCheck = (part: JsonObject, path: readonly string[]) => string | undefined;

/** Walks a schema, each part before the parts in it. */
function firstFault(schema: JsonObject, path: readonly string[], check: PartCheck): string | undefined {
  const fault = path.length > DEEPEST_PLACE ? nestingFault(path.length) : check(schema, path);
  if (fault !== undefined) return fault;
  for (const [inner, ...at] of partsOf(schema)) {
    const found = firstFault(inner, [...path, ...at], check);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The schemas in a schema, each with its place. */
function* partsOf(schema: JsonObject): Generator<[JsonObject, ...string[]]> {
  for (const key of ['properties', '$defs', 'definitions']) {
    const named = schema[key];
    if (!isJsonObject(named)) continue;
    for (const [name, part] of Object.entries(named)) if (isJsonObject(part)) yield [part, key, name];
  }
  for (const key of ['items', 'additionalProperties']) {
    const part = schema[key];
    if (isJsonObject(part)) yield [part, key];
  }
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const choices: unknown = schema[key];
    if (!Array.isArray(choices)) continue;
    for (const [index, part] of choices.entries()) if (isJsonObject(part)) yield [part, key, String(index)];
  }
}

function strictPartFault(
  part: JsonObject,
  path: readonly string[],
  definitions: ReadonlySet<string>,
): string | undefined {
  if ('$ref' in part) return referenceFault(part, path, definitions);
  const refused = REFUSED.find((key) => key in part);
  if (refused !== undefined) return `In context=${placed(path)}, '${refused}' is not permitted.`;
  if (path.length === 0 && 'anyOf' in part) return `In context=(), 'anyOf' is not permitted.`;
  if (!TYPED_BY.some((key) => key in part))
    return `In context=${placed(path)}, schema must have a 'type' key.`;
  const types: unknown[] = Array.isArray(part['type']) ? part['type'] : [part['type']];
  for (const [index, type] of types.entries()) {
    const at = types.length === 1 ? path : [...path, 'type', String(index)];
    const fault =
      type === 'object'
        ? objectFault(part, at)
        : type === 'array'
          ? itemsFault({ ...part, type }, at)
          : type === 'string'
            ? formatFault(part, at)
            : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function referenceFault(
  part: JsonObject,
  path: readonly string[],
  definitions: ReadonlySet<string>,
): string | undefined {
  const others = Object.keys(part).filter((key) => key !== '$ref');
  if (others.length > 0 && path.length > 0) {
    const names = others.map((key) => `'${key}'`).join(', ');
    return `context=${placed(path)}, $ref cannot have keywords {${names}}.`;
  }
  const { $ref } = part;
  if ($ref === '#' || definitions.has(String($ref))) return undefined;
  return `In context=${placed(path)}, reference can only point to definitions defined at the top level of the schema.`;
}

function objectFault(part: JsonObject, path: readonly string[]): string | undefined {
  if (part['additionalProperties'] !== false)
    return `In context=${placed(path)}, 'additionalProperties' is required to be supplied and to be false.`;
  const required: unknown = part['required'];
  const listed = new Set(Array.isArray(required) ? required.map(String) : []);
  const known = new Set(knownNames(part['properties']));
  const extra = [...listed].find((name) => !known.has(name));
  if (extra !== undefined) return requiredFault(path, `Extra required key '${extra}' supplied.`);
  const missing = [...known].find((name) => !listed.has(name));
  return missing === undefined ? undefined : requiredFault(path, `Missing '${missing}'.`);
}

function requiredFault(path: readonly string[], fault: string): string {
  return `In context=${placed(path)}, 'required' is required to be supplied and to be an array including every key in properties. ${fault}`;
}

/** The properties that the API reads: it passes over an empty schema, and over an object without `properties`. */
function knownNames(properties: unknown): string[] {
  if (!isJsonObject(properties)) return [];
  return namesIn(properties).filter((name) => {
    const part = properties[name];
    if (!isJsonObject(part)) return true;
    return Object.keys(part).length > 0 && (part['type'] !== 'object' || isJsonObject(part['properties']));
  });
}

function itemsFault({ type, items }: JsonObject, path: readonly string[]): string | undefined {
  const isIncomplete = type === 'array' && !isJsonObject(items);
  return isIncomplete ? `In context=${placed(path)}, array schema missing items.` : undefined;
}

function formatFault({ format }: JsonObject, path: readonly string[]): string | undefined {
  if (typeof format !== 'string' || FORMATS.has(format)) return undefined;
  return `In context=${placed(path)}, '${format}' is not a valid format.`;
}

function sizeFault(schema: JsonObject): string | undefined {
  const levels = levelsOf(schema) - 1;
  if (levels > MAX_LEVELS) return nestingFault(levels);
  const count = countProperties(schema);
  return count > MAX_PROPERTIES ? `${count} parameters exceeds limit of ${MAX_PROPERTIES}.` : undefined;
}

function nestingFault(levels: number): string {
  return `${levels} levels of nesting exceeds limit of ${MAX_LEVELS}.`;
}

/** How deep the parts of a schema lie in its objects and arrays; a definition lies in none. */
function levelsOf(schema: JsonObject): number {
  let deepest = 0;
  for (const [inner, key] of partsOf(schema)) {
    const isNested = key === 'properties' || key === 'items';
    deepest = Math.max(deepest, levelsOf(inner) + (isNested ? 1 : 0));
  }
  return deepest;
}

function countProperties(schema: JsonObject): number {
  let count = namesIn(schema['properties']).length;
  for (const [inner] of partsOf(schema)) count += countProperties(inner);
  return count;
}

function namesIn(value: unknown): string[] {
  return isJsonObject(value) ? Object.keys(value) : [];
}

/** A value as Python prints it. */
function quoted(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  return Array.isArray(value) ? `[${value.map(quoted).join(', ')}]` : (JSON.stringify(value) ?? 'None');
}

/** A place as the API prints it: `('properties', 'city')`. */
function placed(path: readonly string[]): string {
  return `(${path.map((step) => `'${step}'`).join(', ')})`;
}
