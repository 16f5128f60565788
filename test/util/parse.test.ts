import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parse } from '../../src/util/parse.ts';

const SCHEMAS = {
  text: z.string(),
  'text with a pattern': z.string().regex(/^a/),
  'text of two characters': z.string().min(2).min(1),
  'text of at most one character': z.string().min(1).max(1),
  'text of a format': z.url(),
  'text made of anything': z.coerce.string(),
  number: z.number(),
  'whole number from 0': z.number().int().nonnegative(),
  'number below 10': z.number().lt(10),
  'number above 0': z.number().positive(),
  boolean: z.boolean(),
  literal: z.literal(['a', 1]),
  enumeration: z.enum(['a', 'b']),
  custom: z.custom((value) => value === 'a' || value === 1),
  nullable: z.string().nullable(),
  list: z.array(z.number()).readonly(),
  'list of one': z.array(z.number()).length(1),
  object: z.object({ a: z.string(), b: z.number().optional() }),
  'refined object': z.object({ a: z.unknown() }).refine(({ a }) => a !== 1),
  'open object': z.looseObject({ a: z.string() }),
  'strict object': z.strictObject({ a: z.string() }),
  'object with a default': z.object({ a: z.string().default('none') }),
  'object of numbers': z.record(z.string(), z.number()),
  'object with other numbers': z.object({ a: z.string() }).catchall(z.number()),
  union: z.union([z.string(), z.number()]),
  'union of objects': z.union([z.object({ a: z.string() }), z.object({ a: z.string(), b: z.number() })]),
  'union by a field': z.discriminatedUnion('a', [
    z.object({ a: z.literal('x'), b: z.number() }),
    z.object({ a: z.literal(['y', 'z']), b: z.array(z.object({ a: z.literal('x') })) }),
  ]),
  json: z.json(),
};

const leaf = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'x',
    'y',
    'z',
    'https://a.test',
    0,
    1,
    -1,
    1.5,
    2 ** 60,
    10,
    true,
    null,
    undefined,
  ),
  fc.constantFrom<unknown>(Number.NaN, Number.POSITIVE_INFINITY, new Date(0), 1n),
  fc.string(),
  fc.double(),
);
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('any'), { noNullPrototype: true }),
  ),
})).any;

describe('parse', () => {
  test.each(Object.entries(SCHEMAS))('parse gives what zod gives: %s', (_, schema) => {
    fc.assert(
      fc.property(value, (given) => {
        const ours = parse<z.ZodType>(schema, given);
        const zods = (schema as z.ZodType).safeParse(given);
        expect(ours.success).toBe(zods.success);
        expect(ours.data).toEqual(zods.data);
        expect(ours.error?.issues).toEqual(zods.error?.issues);
      }),
      { numRuns: 500 },
    );
  });

  test('parse returns a value that fits as it is', () => {
    const given = { a: 'y', b: [{ a: 'x' }] };
    expect(parse(SCHEMAS['union by a field'], given).data).toBe(given);
    expect(parse(SCHEMAS.list, [1, 2]).data).toEqual([1, 2]);
  });

  test('parse finds a hole in a list', () => {
    // oxlint-disable-next-line no-sparse-arrays
    expect(parse(SCHEMAS.list, [1, , 2]).success).toBe(false);
  });

  test('parse leaves out a field that the schema does not know', () => {
    expect(parse(SCHEMAS.object, { a: 'a', c: 1 }).data).toEqual({ a: 'a' });
  });
});
