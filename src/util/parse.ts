import type { z } from 'zod';
import { isObject } from './json.ts';

/** Whether a value fits a schema as it is. False also where only zod can tell. */
type Test = (value: unknown) => boolean;

const never: Test = () => false;

const tests = new WeakMap<z.core.$ZodType, Test>();

/**
 * Parses. A value that fits the schema as it is comes back itself, at a fraction of the time; zod parses all others, and gives
 * the errors. Schemas are not compiled, which takes a process that has just started milliseconds.
 */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.ZodSafeParseResult<z.output<T>> {
  if (testOf(schema)(value)) return { success: true, data: value as z.output<T> };
  return schema.safeParse(value, { jitless: true });
}

function testOf(schema: z.core.$ZodType): Test {
  let test = tests.get(schema);
  if (test === undefined) {
    test = makeTest(defOf(schema));
    tests.set(schema, test);
  }
  return test;
}

type Def = z.core.$ZodTypes['_zod']['def'];

/** What zod says to other libraries about a schema. */
function defOf(schema: z.core.$ZodType): Def {
  // oxlint-disable-next-line no-underscore-dangle -- the name that zod gives it
  return (schema as z.core.$ZodTypes)._zod.def;
}

function makeTest(def: Def): Test {
  if (def.type === 'number') return numberTest(def.checks ?? []);
  if (def.type === 'string') return stringTest(def);
  // A refinement.
  if (def.checks !== undefined && def.checks.length > 0) return never;
  switch (def.type) {
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'literal':
      return oneOf(def.values);
    case 'enum':
      return oneOf(Object.values(def.entries));
    case 'custom':
      return (value) => Boolean(def.fn(value));
    case 'array': {
      const element = testOf(def.element);
      // Zod looks into the holes of an array, too.
      return (value) => Array.isArray(value) && value.findIndex((one) => !element(one)) === -1;
    }
    case 'optional':
    case 'nullable': {
      const inner = testOf(def.innerType);
      const absent = def.type === 'optional' ? undefined : null;
      return (value) => value === absent || inner(value);
    }
    case 'readonly':
      return testOf(def.innerType);
    case 'object':
      return objectTest(def);
    case 'union':
      if ('discriminator' in def) return discriminatedTest(def.options, String(def.discriminator));
      // Zod takes the first option that parses, which may change the value.
      return def.options[0] === undefined ? never : testOf(def.options[0]);
    default:
      return never;
  }
}

function oneOf(allowed: readonly unknown[]): Test {
  const values = new Set(allowed);
  return (value) => values.has(value);
}

/** What zod says about a refinement. */
function checkOf(check: z.core.$ZodCheck): z.core.$ZodChecks['_zod']['def'] {
  // oxlint-disable-next-line no-underscore-dangle -- the name that zod gives it
  return (check as z.core.$ZodChecks)._zod.def;
}

function stringTest(schema: z.core.$ZodStringDef): Test {
  let least = 0;
  if ('format' in schema || schema.coerce === true) return never;
  for (const check of schema.checks ?? []) {
    const def = checkOf(check);
    if (def.check !== 'min_length') return never;
    least = Math.max(least, def.minimum);
  }
  return (value) => typeof value === 'string' && value.length >= least;
}

function numberTest(checks: readonly z.core.$ZodCheck[]): Test {
  let least = Number.NEGATIVE_INFINITY;
  let isWhole = false;
  for (const check of checks) {
    const def = checkOf(check);
    if (def.check === 'number_format' && def.format === 'safeint') isWhole = true;
    else if (def.check === 'greater_than' && def.inclusive && typeof def.value === 'number')
      least = Math.max(least, def.value);
    else return never;
  }
  return (value) =>
    (isWhole ? Number.isSafeInteger(value) : Number.isFinite(value)) && Number(value) >= least;
}

/** Zod leaves fields out that an object schema does not know: only zod parses an object that has one. */
function objectTest({ shape, catchall }: z.core.$ZodObjectDef): Test {
  const isOpen = catchall !== undefined && defOf(catchall).type === 'unknown';
  if (catchall !== undefined && !isOpen) return never;
  const fields = new Map<string, { readonly test: Test; readonly isOptional: boolean }>();
  let required = 0;
  for (const [key, field] of Object.entries(shape)) {
    const isOptional = defOf(field).type === 'optional';
    fields.set(key, { test: testOf(field), isOptional });
    if (!isOptional) required += 1;
  }
  return (value) => {
    if (!isObject(value)) return false;
    let found = 0;
    for (const key in value) {
      const field = fields.get(key);
      if (field === undefined) {
        if (isOpen && key !== '__proto__') continue;
        return false;
      }
      if (!field.test(value[key])) return false;
      if (!field.isOptional) found += 1;
    }
    return found === required;
  };
}

function discriminatedTest(options: readonly z.core.$ZodType[], discriminator: string): Test {
  const byLiteral = new Map<unknown, Test>();
  for (const option of options) {
    const def = defOf(option);
    const field = def.type === 'object' ? def.shape[discriminator] : undefined;
    const literal = field && defOf(field);
    if (literal?.type !== 'literal') return never;
    for (const value of literal.values) byLiteral.set(value, testOf(option));
  }
  return (value) => isObject(value) && byLiteral.get(value[discriminator])?.(value) === true;
}
