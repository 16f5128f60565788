import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  entriesOf,
  exactJson,
  isDeeper,
  isObject,
  jsonBytes,
  stableJson,
  textOf,
} from '../../src/util/json.ts';

describe('stable JSON', () => {
  test('stable JSON is the same for fields in any order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(stableJson(turned)).toBe(stableJson(value));
        expect(exactJson(turned)).toBe(exactJson(value));
      }),
    );
  });

  test('stable JSON leaves out what says nothing, at any depth, and keeps the places of a list', () => {
    expect(stableJson({ b: undefined, a: { d: null, c: [null, { e: null }] } })).toBe(
      '{"a":{"c":[null,{}]}}',
    );
  });

  test('stable JSON of undefined is null', () => {
    expect([stableJson(undefined), stableJson(null), exactJson(undefined)]).toEqual(['null', 'null', 'null']);
  });

  test('stable JSON keeps fields that are named like parts of prototypes', () => {
    const value: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
    expect(stableJson(value)).toBe('{"__proto__":{"a":1},"constructor":2}');
  });
});

test('exact JSON tells null from nothing, and says all that JSON says', () => {
  expect(exactJson({ a: null })).not.toBe(exactJson({}));
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(exactJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('an object is neither null nor a list', () => {
  expect([{}, [], null, undefined, 'a', 1].map((value) => isObject(value))).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test('a field that is absent has the text of an empty one', () => {
  expect([textOf('a'), textOf(''), textOf(undefined), textOf(null), textOf(7)]).toEqual([
    'a',
    '',
    '',
    '',
    '',
  ]);
});

test('the entries of an object are the fields that say something', () => {
  expect(entriesOf({ a: 0, b: '', c: false, d: null, e: undefined })).toEqual([
    ['a', 0],
    ['b', ''],
    ['c', false],
  ]);
});

test('a value is as deep as the objects and lists within each other', () => {
  const nested: unknown = { a: 1, b: [{ c: null }] };
  expect([0, 1, 2, 3, 4].map((levels) => isDeeper(nested, levels))).toEqual([true, true, true, false, false]);
  expect([1, 'text', null, undefined].map((value) => isDeeper(value, 0))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  expect(isDeeper([], 0)).toBe(true);
  expect(isDeeper({ a: 'flat', b: 'flat' }, 1)).toBe(false);
});

test('the size of a value is that of its JSON in UTF-8', () => {
  expect([{ a: 'é' }, 'a', null, undefined].map((value) => jsonBytes(value))).toEqual([10, 3, 4, 0]);
});
