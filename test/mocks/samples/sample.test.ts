import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sampleOf } from '../../../mocks/samples/sample.ts';
import { ZOD_CONSTRUCTS } from './zod-constructs.ts';

/** A schema whose `then` is read as JSON, since an object with it looks like a promise. */
const CONDITION = `{
  "type": "object",
  "properties": { "kind": { "enum": ["a", "b"] }, "size": { "type": "integer" } },
  "required": ["kind"],
  "if": { "properties": { "kind": { "const": "a" } } },
  "then": { "required": ["size"], "properties": { "size": { "minimum": 9 } } }
}`;

const SENTENCE = 'Answer 1: I see 1 item (1u): u "hi"';

const ajv = new Ajv2020({ strict: false, logger: false });
ajvFormats.default(ajv);

/** The faults of a sample against its own schema, a line each. */
function faults(schema: object): string[] {
  const sample = sampleOf(schema, SENTENCE);
  const validate = ajv.compile(schema);
  if (validate(sample)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${instancePath} ${message ?? ''} in ${JSON.stringify(sample)}`,
  );
}

describe('a sample of a schema', () => {
  it.each(Object.entries(ZOD_CONSTRUCTS))('a sample of a zod schema parses: %s', (_, schema) => {
    for (const target of ['draft-2020-12', 'draft-7'] as const) {
      const sample = sampleOf(z.toJSONSchema(schema, { target }), SENTENCE);
      const parsed = schema.safeParse(JSON.parse(JSON.stringify(sample)));
      expect([sample, parsed.error?.issues]).toEqual([sample, undefined]);
    }
  });

  it.each<[string, object]>([
    [
      'items that differ',
      { type: 'array', items: { enum: ['a', 'b', 'c'] }, uniqueItems: true, minItems: 3 },
    ],
    ['texts that differ', { type: 'array', items: { type: 'string' }, uniqueItems: true, minItems: 4 }],
    ['an item that is contained', { type: 'array', contains: { const: 7 }, minContains: 2, minItems: 3 }],
    ['a choice that fits once', { oneOf: [{ type: 'number' }, { type: 'integer' }, { type: 'string' }] }],
    ['a forbidden value', { type: 'integer', minimum: 1, not: { const: 1 } }],
    ['a condition', JSON.parse(CONDITION)],
    [
      'a choice beside properties',
      {
        type: 'object',
        properties: { a: { type: 'string' }, b: { type: 'string' } },
        anyOf: [{ required: ['a'] }],
      },
    ],
    [
      'names by a pattern',
      { type: 'object', patternProperties: { '^x\\d$': { type: 'null' } }, minProperties: 2 },
    ],
    ['few properties', { type: 'object', properties: { a: {}, b: {}, c: {} }, maxProperties: 1 }],
    ['parts of several schemas', { allOf: [{ type: 'integer', minimum: 4 }, { maximum: 4 }] }],
    [
      'a reference beside keywords',
      { $ref: '#/$defs/a', minimum: 5, $defs: { a: { type: 'integer', maximum: 5 } } },
    ],
    [
      'a reference to the whole',
      {
        type: 'object',
        properties: { self: { anyOf: [{ $ref: '#' }, { type: 'null' }] } },
        required: ['self'],
      },
    ],
    ['a name with a slash', { $ref: '#/$defs/a~1b', $defs: { 'a/b': { const: 'x' } } }],
    ['a class of characters', { type: 'string', pattern: '^[^a-z\\s]{3}\\p{Lu}\\x41\\u{42}[\\]-]$' }],
    ['groups', { type: 'string', pattern: '^(?<x>ab|c)\\1(?:d(?:e|f)+){2,}?$' }],
    ['a pattern and a length', { type: 'string', pattern: '^[ab]+$', minLength: 30, maxLength: 31 }],
    ['a negative multiple', { type: 'number', multipleOf: 0.1, exclusiveMaximum: -0.15, minimum: -0.2 }],
    ['a wide type', { type: ['null', 'integer'], minimum: 3 }],
    ['everything', {}],
  ])('a sample fits a schema with %s', (_, schema) => {
    expect(faults(schema)).toEqual([]);
  });

  it('a sample of a schema without end is made, too', () => {
    const schema = {
      $ref: '#/$defs/a',
      $defs: { a: { type: 'object', properties: { a: { $ref: '#/$defs/a' } }, required: ['a'] } },
    };
    expect(JSON.stringify(sampleOf(schema, SENTENCE)).length).toBeLessThan(2000);
  });

  it('a sample of a schema that refers to itself in every branch stays small', () => {
    const branches = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`p${index}`, { $ref: '#' }]),
    );
    const schema = { type: 'object', properties: branches };
    expect(JSON.stringify(sampleOf(schema, SENTENCE)).length).toBeLessThan(20_000);
  });

  it('a sample has the sentence in each free text, and is the same each time', () => {
    const schema = { type: 'object', properties: { a: { type: 'string' }, b: { type: ['string', 'null'] } } };
    expect(sampleOf(schema, SENTENCE)).toEqual({ a: SENTENCE, b: SENTENCE });
    expect(sampleOf(schema, SENTENCE)).toEqual(sampleOf(schema, SENTENCE));
  });

  it('a sample fits any strict schema', () => {
    fc.assert(
      fc.property(strictSchemas(), (schema) => {
        expect(faults(schema)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** Strict schemas with objects, arrays, choices and references to each other. */
function strictSchemas(): fc.Arbitrary<object> {
  const words = fc.constantFrom('a', 'b', 'c');
  const least = fc.integer({ min: -5, max: 5 });
  const plain = fc.oneof(
    fc.record({ minLength: fc.nat(9), extra: fc.nat(50) }).map(({ minLength, extra }) => ({
      type: 'string',
      minLength,
      maxLength: minLength + extra,
    })),
    fc
      .constantFrom('date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid')
      .map((format) => ({ type: 'string', format })),
    fc.constantFrom('^a{2,3}$', '^(x|yz)+$', '^\\w{4}-\\d$').map((pattern) => ({ type: 'string', pattern })),
    fc.record({ minimum: least, extra: fc.nat(9) }).map(({ minimum, extra }) => ({
      type: 'integer',
      minimum,
      maximum: minimum + extra,
    })),
    fc.record({ exclusiveMinimum: least }).map((rules) => ({ type: 'number', ...rules, multipleOf: 0.25 })),
    fc.constant({ type: ['boolean', 'null'] }),
    fc.uniqueArray(words, { minLength: 1 }).map((values) => ({ type: 'string', enum: values })),
    fc.constant({ $ref: '#/$defs/a' }),
    fc.constant({ anyOf: [{ $ref: '#' }, { type: 'null' }] }),
  );
  const { part } = fc.letrec<{ part: object }>((tie) => ({
    part: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      plain,
      objectOf(fc.dictionary(words, tie('part'), { noNullPrototype: true })),
      fc.record({ items: tie('part'), minItems: fc.nat(2) }).map((rules) => ({ type: 'array', ...rules })),
      fc.array(tie('part'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    ),
  }));
  return fc
    .record({ properties: fc.dictionary(words, part, { noNullPrototype: true }), a: plain })
    .map(({ properties, a }) => ({
      ...closed(properties),
      $defs: { a: '$ref' in a ? { type: 'null' } : a },
    }));
}

function closed(properties: object): object {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

function objectOf(properties: fc.Arbitrary<object>): fc.Arbitrary<object> {
  return properties.map(closed);
}
