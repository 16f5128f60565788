import { fits, schemasFor } from './fits.ts';
import { sampleNumber } from './sample-number.ts';
import { sampleText } from './sample-text.ts';
import {
  itemSchemas,
  merged,
  namedSchemas,
  numberOf,
  requiredOf,
  resolveReference,
  schemasIn,
  toSchema,
  typesOf,
} from './schema.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** How often a schema that refers to itself is entered before the sample takes the way out. */
const MAX_ENTRIES = 2;

/** The most levels of a sample: more would be too much for the stack. */
const MAX_DEPTH = 64;

/** The most values that are made for one sample: a schema may ask for more than there is memory. */
const MAX_VALUES = 20_000;

/** How many values of an item are tried before two of them differ. */
const MAX_VARIANTS = 20;

/** The place of a schema in the whole. */
interface Place {
  readonly root: JsonObject;
  /** The text that is taken where any will do. */
  readonly text: string;
  /** The references that led here. */
  readonly entered: readonly string[];
  readonly depth: number;
  /** The number of values that may still be made. */
  readonly budget: { left: number };
  /** The number of the value among values that have to differ. */
  readonly variant: number;
}

/** A value that fits a JSON schema, the same each time; every free string in it is `text`. */
export function sampleOf(schema: unknown, text: string): unknown {
  const root = toSchema(schema);
  return sample(root, { root, text, entered: [], depth: 0, variant: 0, budget: { left: MAX_VALUES } });
}

function sample(schema: JsonObject, place: Place): unknown {
  place.budget.left -= 1;
  if (place.depth > MAX_DEPTH || place.budget.left < 0) return null;
  if ('const' in schema) return schema['const'];
  const [only, ...others] = schemasIn(schema['allOf']);
  if (only && others.length === 0) {
    const { allOf: _only, ...own } = schema;
    return sample(merged(own, only), within(place));
  }
  const { $ref, ...beside } = schema;
  if (typeof $ref === 'string') {
    const target = toSchema(resolveReference($ref, place.root));
    return sample(merged(target, beside), { ...within(place), entered: [...place.entered, $ref] });
  }
  const values: unknown[] = [];
  for (const candidate of alternatives(schema, place)) {
    const value = sampleFlat(candidate, place);
    if (fits(value, schema, place.root)) return value;
    values.push(value);
  }
  return values[0];
}

/** The ways to fit a schema, without `allOf`, `anyOf`, `oneOf` and `if`, in the order in which they are tried. */
function alternatives(schema: JsonObject, place: Place): JsonObject[] {
  const { allOf, anyOf, oneOf, if: condition, then, else: otherwise, ...own } = schema;
  const whole = schemasIn(allOf).reduce((all, each) => merged(all, flattened(each, place)), own);
  const conditions =
    condition === undefined
      ? [whole]
      : [merged(merged(whole, toSchema(condition)), toSchema(then)), merged(whole, toSchema(otherwise))];
  const choices = [anyOf, oneOf].map((list) => ordered(schemasIn(list), place));
  return choices.reduce(
    (ways, list) =>
      list.length === 0 ? ways : ways.flatMap((way) => list.map((choice) => withChoice(way, choice, place))),
    conditions,
  );
}

/** A schema with one of its choices; a choice that stands alone stays as it is, so that its reference is counted. */
function withChoice(schema: JsonObject, choice: JsonObject, place: Place): JsonObject {
  const rules = Object.keys(schema).filter((key) => !ANNOTATIONS.has(key));
  return rules.length === 0 ? choice : merged(schema, flattened(choice, place));
}

/** The keywords that allow and forbid nothing. */
const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$defs',
  'definitions',
  'title',
  'description',
  'default',
  'examples',
]);

/** A schema with the schema behind its reference. */
function flattened({ $ref, ...own }: JsonObject, place: Place): JsonObject {
  if (typeof $ref !== 'string') return own;
  return merged(flattened(toSchema(resolveReference($ref, place.root)), place), own);
}

/** Choices in the order in which they are tried: those that come to an end first, `null` last. */
function ordered(choices: readonly JsonObject[], place: Place): JsonObject[] {
  const isTight = isRepeated(place);
  const rank = (choice: JsonObject): number =>
    isTight && !comesToAnEnd(choice, place.root, new Set(place.entered))
      ? 2
      : choice['type'] === 'null'
        ? 1
        : 0;
  const sorted = choices.toSorted((one, other) => rank(one) - rank(other));
  const turn = isTight ? 0 : place.variant % Math.max(1, sorted.length);
  return [...sorted.slice(turn), ...sorted.slice(0, turn)];
}

/** Whether a reference has been entered so often that the sample has to take the way out. */
function isRepeated({ entered }: Place): boolean {
  const counts = new Map<string, number>();
  for (const reference of entered) counts.set(reference, (counts.get(reference) ?? 0) + 1);
  return Math.max(0, ...counts.values()) >= MAX_ENTRIES;
}

/** Tells whether a schema has a value that needs none of the references. */
function comesToAnEnd(schema: JsonObject, root: JsonObject, without: ReadonlySet<string>): boolean {
  const { $ref } = schema;
  const ends = (part: JsonObject): boolean => comesToAnEnd(part, root, without);
  if (typeof $ref === 'string') {
    if (without.has($ref)) return false;
    return comesToAnEnd(toSchema(resolveReference($ref, root)), root, new Set([...without, $ref]));
  }
  const needed = requiredOf(schema).flatMap((name) => schemasFor(name, schema).map(toSchema));
  const { first, others } = itemSchemas(schema);
  const items = numberOf(schema, 'minItems', 0) > first.length ? [toSchema(others)] : [];
  const choices = [schema['anyOf'], schema['oneOf']].map(schemasIn).filter((list) => list.length > 0);
  return (
    [...needed, ...items, ...first, ...schemasIn(schema['allOf'])].every(ends) &&
    choices.every((list) => list.some(ends))
  );
}

const within = (place: Place): Place => ({ ...place, depth: place.depth + 1 });

/** A value of a schema without choices. */
function sampleFlat(schema: JsonObject, place: Place): unknown {
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][place.variant % schema['enum'].length];
  if ('$ref' in schema || ['allOf', 'anyOf', 'oneOf'].some((key) => key in schema))
    return sample(schema, within(place));
  const types = typesOf(schema);
  switch (types.find((type) => type !== 'null') ?? types[0]) {
    case 'object':
      return sampleObject(schema, place);
    case 'array':
      return sampleArray(schema, place);
    case 'string':
      return sampleText(schema, place.text, place.variant);
    case 'number':
    case 'integer':
      return sampleNumber(
        { ...schema, type: types.includes('integer') ? 'integer' : 'number' },
        place.variant,
      );
    case 'boolean':
      return place.variant % 2 === 0;
    default:
      return null;
  }
}

function sampleObject(schema: JsonObject, place: Place): JsonObject {
  const value: JsonObject = {};
  const required = new Set(requiredOf(schema));
  const optional = namedSchemas(schema['properties']).filter(([name]) => !required.has(name));
  for (const name of namesInOrder(schema, required)) value[name] = sampleProperty(name, schema, place);
  for (const [name] of isRepeated(place) ? [] : optional) {
    const property = sampleProperty(name, schema, place);
    const isFitting = schemasFor(name, schema).every((each) => fits(property, each, place.root));
    if (isFitting && Object.keys(value).length < numberOf(schema, 'maxProperties', Infinity))
      value[name] = property;
  }
  const least = numberOf(schema, 'minProperties', 0);
  for (let variant = 0; variant < MAX_VARIANTS + least && Object.keys(value).length < least; variant += 1) {
    const name = String(sample(nameSchema(schema), { ...within(place), text: 'name', variant }));
    value[name] ??= sampleProperty(name, schema, place);
  }
  return value;
}

/** The required names, those among the properties in the order of these. */
function namesInOrder(schema: JsonObject, required: ReadonlySet<string>): string[] {
  const known = namedSchemas(schema['properties']).map(([name]) => name);
  return [
    ...known.filter((name) => required.has(name)),
    ...[...required].filter((name) => !known.includes(name)),
  ];
}

function nameSchema(schema: JsonObject): JsonObject {
  const [pattern] = namedSchemas(schema['patternProperties'])[0] ?? [];
  return {
    type: 'string',
    ...(pattern === undefined ? {} : { pattern }),
    ...toSchema(schema['propertyNames']),
  };
}

function sampleProperty(name: string, schema: JsonObject, place: Place): unknown {
  const rules = schemasFor(name, schema).map(toSchema);
  return sample(
    rules.reduce(
      (all, each) => merged(all, flattened(each, place)),
      rules.length > 1 ? {} : (rules.pop() ?? {}),
    ),
    {
      ...within(place),
      variant: 0,
    },
  );
}

function sampleArray(schema: JsonObject, place: Place): unknown[] {
  const { first, others } = itemSchemas(schema);
  const { contains } = schema;
  const isOpen = others !== false && (isJsonObject(others) || first.length === 0);
  const wanted = isOpen && !isRepeated(place) ? Math.max(first.length, 1) : first.length;
  const least = Math.max(numberOf(schema, 'minItems', 0), wanted);
  const length = Math.min(least, numberOf(schema, 'maxItems', Infinity));
  const values: unknown[] = [];
  for (let index = 0; index < length; index += 1) {
    const rules = first[index] ?? toSchema(others);
    const found = index - first.length < numberOf(schema, 'minContains', 1);
    values.push(
      nextItem(
        contains !== undefined && found ? merged(rules, toSchema(contains)) : rules,
        schema,
        values,
        place,
      ),
    );
  }
  return values;
}

/** An item, another than those before it where each has to differ. */
function nextItem(
  rules: JsonObject,
  { uniqueItems }: JsonObject,
  before: readonly unknown[],
  place: Place,
): unknown {
  const known = new Set(before.map((each) => JSON.stringify(each)));
  const first = sample(rules, { ...within(place), variant: 0 });
  if (uniqueItems !== true || !known.has(JSON.stringify(first))) return first;
  for (let variant = 1; variant <= MAX_VARIANTS + before.length; variant += 1) {
    const value = sample(rules, { ...within(place), variant });
    if (!known.has(JSON.stringify(value))) return value;
  }
  return first;
}
