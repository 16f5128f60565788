import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { copyJson, NotJsonError } from '../../src/util/copy-json.ts';

test('a copy is what JSON makes of a value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(copyJson(value)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});

test('a copy shares nothing with the original', () => {
  const original = { a: [{ b: 1 }] };
  const copy = copyJson(original);
  original.a[0] = { b: 2 };
  expect(copy).toEqual({ a: [{ b: 1 }] });
});

test('the same object may stand in several places', () => {
  const shared = { a: 1 };
  expect(copyJson([shared, { shared }])).toEqual([{ a: 1 }, { shared: { a: 1 } }]);
});

test('numbers that JSON does not know become null, as in JSON', () => {
  expect(copyJson([Number.NaN, Infinity, -0])).toEqual([null, null, 0]);
});

describe('bytes become a data URL', () => {
  const png = 'data:image/png;base64,AQI=';

  test.each<[string, unknown]>([
    ['an array of bytes', new Uint8Array([1, 2])],
    ['a Buffer', Buffer.from([1, 2])],
    ['a buffer of memory', new Uint8Array([1, 2]).buffer],
    ['a view on part of it', new Uint8Array([0, 1, 2, 3]).subarray(1, 3)],
    ['a view of another kind', new DataView(new Uint8Array([1, 2]).buffer)],
  ])('bytes become a data URL from %s', (_kind, bytes) => {
    expect(copyJson({ data: bytes, mediaType: 'image/png' })).toEqual({ data: png, mediaType: 'image/png' });
  });

  test('bytes become a data URL of the media type beside them, or around them', () => {
    const bytes = new Uint8Array([1, 2]);
    expect(copyJson({ mediaType: 'image/png', image: { data: bytes } })).toEqual({
      mediaType: 'image/png',
      image: { data: png },
    });
    expect(copyJson({ data: bytes })).toEqual({ data: 'data:text/plain;base64,AQI=' });
  });

  test('however many they are', () => {
    const bytes = new Uint8Array(300_000).fill(7);
    const url = String(copyJson(bytes, 'image/png'));
    const copied = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
    expect(copied.equals(bytes)).toBe(true);
  });
});

describe('what JSON cannot hold', () => {
  const cycle: unknown[] = [];
  cycle.push({ cycle });

  test.each<[string, unknown, string]>([
    ['a function', { a: () => 1 }, 'it holds a value of type function'],
    ['a symbol', [Symbol('s')], 'it holds a value of type symbol'],
    ['a big integer', { a: 1n }, 'it holds a value of type bigint'],
    ['a cycle', cycle, 'it refers to itself'],
  ])('a value that JSON cannot hold is refused: %s', (_kind, value, problem) => {
    expect(() => copyJson(value)).toThrow(NotJsonError);
    expect(() => copyJson(value)).toThrow(problem);
  });
});

const nested = (levels: number): unknown => {
  let value: unknown = 'inside';
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { value };
  return value;
};

describe('what is nested deeply', () => {
  test('a nested value is copied down to 500 levels', () => {
    expect(copyJson(nested(500))).toEqual(nested(500));
  });

  test.each([501, 5000, 1_000_000])('a deeper value is refused: %i levels', (levels) => {
    expect(() => copyJson(nested(levels))).toThrow(new NotJsonError('it is nested deeper than 500 levels'));
  });
});

test('what is undefined in a list becomes null, and a field named like a method stays one', () => {
  expect(copyJson([undefined, 1])).toEqual([null, 1]);
  expect(copyJson({ toJSON: 'text', a: { toJSON: 7 } })).toEqual({ toJSON: 'text', a: { toJSON: 7 } });
});

test('a media type that is empty says nothing: the one around it counts', () => {
  const bytes = new Uint8Array([97]);
  expect(
    copyJson({ mediaType: 'image/png', inner: { mediaType: '', bytes }, other: { mediaType: 7, bytes } }),
  ).toEqual({
    mediaType: 'image/png',
    inner: { mediaType: '', bytes: 'data:image/png;base64,YQ==' },
    other: { mediaType: 7, bytes: 'data:image/png;base64,YQ==' },
  });
});
