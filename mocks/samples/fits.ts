import {
  itemSchemas,
  numberOf,
  patternsOf,
  namedSchemas,
  requiredOf,
  resolveReference,
  schemasIn,
  toSchema,
} from './schema.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The most references that are followed to a part of a value. */
const MAX_REFERENCES = 200;

/** Tells whether a value fits a JSON schema. Formats are not checked. */
export function fits(value: unknown, schema: unknown, root: JsonObject, references = 0): boolean {
  if (schema === false || references > MAX_REFERENCES) return false;
  const rules = toSchema(schema);
  const fitsPart = (part: unknown, of: unknown): boolean => fits(part, of, root, references);
  if (typeof rules['$ref'] === 'string') {
    const target = resolveReference(rules['$ref'], root);
    if (target !== undefined && !fits(value, target, root, references + 1)) return false;
  }
  return (
    fitsType(value, rules['type']) &&
    fitsValue(value, rules) &&
    schemasIn(rules['allOf']).every((each) => fitsPart(value, each)) &&
    (!Array.isArray(rules['anyOf']) || schemasIn(rules['anyOf']).some((each) => fitsPart(value, each))) &&
    (!Array.isArray(rules['oneOf']) ||
      schemasIn(rules['oneOf']).filter((each) => fitsPart(value, each)).length === 1) &&
    (rules['not'] === undefined || !fitsPart(value, rules['not'])) &&
    (rules['if'] === undefined ||
      fitsPart(value, rules[fitsPart(value, rules['if']) ? 'then' : 'else'] ?? {})) &&
    fitsOwn(value, rules, fitsPart)
  );
}

type FitsPart = (part: unknown, schema: unknown) => boolean;

function fitsOwn(value: unknown, rules: JsonObject, fitsPart: FitsPart): boolean {
  if (typeof value === 'string') return fitsText(value, rules);
  if (typeof value === 'number') return fitsNumber(value, rules);
  if (Array.isArray(value)) return fitsArray(value, rules, fitsPart);
  return isJsonObject(value) ? fitsObject(value, rules, fitsPart) : true;
}

function fitsType(value: unknown, type: unknown): boolean {
  if (type === undefined) return true;
  const types: unknown[] = Array.isArray(type) ? type : [type];
  const own = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return types.includes(own) || (own === 'number' && types.includes('integer') && Number.isInteger(value));
}

function fitsValue(value: unknown, rules: JsonObject): boolean {
  const allowed = 'const' in rules ? [rules['const']] : rules['enum'];
  return !Array.isArray(allowed) || allowed.some((each) => isSame(each, value));
}

function fitsText(value: string, rules: JsonObject): boolean {
  const { length } = Array.from(value);
  if (length < numberOf(rules, 'minLength', 0) || length > numberOf(rules, 'maxLength', Infinity))
    return false;
  return patternsOf(rules).every((pattern) => matches(value, pattern));
}

/** Tells whether a text matches a pattern; a pattern that cannot be read allows every text. */
function matches(value: string, pattern: string): boolean {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags).test(value);
    } catch {
      continue;
    }
  }
  return true;
}

function fitsNumber(value: number, rules: JsonObject): boolean {
  const step = numberOf(rules, 'multipleOf', 0);
  const steps = step === 0 ? 0 : value / step;
  return (
    value >= numberOf(rules, 'minimum', -Infinity) &&
    value <= numberOf(rules, 'maximum', Infinity) &&
    value > numberOf(rules, 'exclusiveMinimum', -Infinity) &&
    value < numberOf(rules, 'exclusiveMaximum', Infinity) &&
    Math.abs(steps - Math.round(steps)) < 1e-9
  );
}

function fitsArray(value: readonly unknown[], rules: JsonObject, fitsPart: FitsPart): boolean {
  const { first, others } = itemSchemas(rules);
  const found = value.filter((each) => fitsPart(each, rules['contains'] ?? {})).length;
  const fitting = rules['contains'] === undefined ? Infinity : found;
  return (
    value.length >= numberOf(rules, 'minItems', 0) &&
    value.length <= numberOf(rules, 'maxItems', Infinity) &&
    value.every((each, index) => fitsPart(each, first[index] ?? others ?? {})) &&
    fitting >= numberOf(rules, 'minContains', 1) &&
    (fitting === Infinity || fitting <= numberOf(rules, 'maxContains', Infinity)) &&
    (rules['uniqueItems'] !== true ||
      new Set(value.map((each) => JSON.stringify(each))).size === value.length)
  );
}

function fitsObject(value: JsonObject, rules: JsonObject, fitsPart: FitsPart): boolean {
  const names = Object.keys(value);
  return (
    requiredOf(rules).every((name) => Object.hasOwn(value, name)) &&
    names.length >= numberOf(rules, 'minProperties', 0) &&
    names.length <= numberOf(rules, 'maxProperties', Infinity) &&
    names.every(
      (name) =>
        schemasFor(name, rules).every((schema) => fitsPart(value[name], schema)) &&
        fitsPart(name, rules['propertyNames'] ?? {}),
    )
  );
}

/** The schemas that apply to a property of an object. */
export function schemasFor(name: string, rules: JsonObject): unknown[] {
  const own = namedSchemas(rules['properties']).filter(([known]) => known === name);
  const byPattern = namedSchemas(rules['patternProperties']).filter(([pattern]) => matches(name, pattern));
  const known = [...own, ...byPattern].map(([, schema]) => schema);
  return known.length > 0 ? known : [rules['additionalProperties'] ?? {}];
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
