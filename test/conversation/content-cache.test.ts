import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  maxBytesOf,
  contentCache,
  DEFAULT_CACHE_BYTES,
  scopedCache,
} from '../../src/conversation/content-cache.ts';

const sizeOf = (value: unknown): number => 2 * JSON.stringify(value).length;

describe('a cache', () => {
  test('a cache returns a stored value', () => {
    const cache = contentCache();
    const item = { text: 'hi' };
    cache.set('a', item);
    expect(cache.get('a')).toBe(item);
    expect(cache.get('b')).toBeUndefined();
  });

  test('a cache stays within its bytes, and evicts the oldest value first', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.array(fc.string({ maxLength: 30 })),
        (maxBytes, texts) => {
          const cache = contentCache(maxBytes);
          texts.forEach((text, at) => cache.set(`${at}`, { text }));
          const held = texts.map((_, at) => cache.get(`${at}`)).filter((value) => value !== undefined);
          expect(held.reduce<number>((sum, value) => sum + sizeOf(value), 0)).toBeLessThanOrEqual(maxBytes);
          const newest = texts.at(-1);
          const fits = newest !== undefined && sizeOf({ text: newest }) <= maxBytes;
          expect(cache.get(`${texts.length - 1}`) !== undefined).toBe(fits);
        },
      ),
    );
  });

  test('a cache keeps the value that was read last', () => {
    const value = { text: 'x' };
    const cache = contentCache(2 * sizeOf(value));
    cache.set('a', value);
    cache.set('b', value);
    cache.get('a');
    cache.set('c', value);
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true]);
  });

  test('a cache drops a value larger than itself, and the old value of that key', () => {
    const cache = contentCache(40);
    cache.set('a', { text: 'x' });
    cache.set('a', { text: 'x'.repeat(100) });
    expect(cache.get('a')).toBeUndefined();
  });

  test('a cache keeps no primitive values', () => {
    const cache = contentCache();
    for (const value of [undefined, null, 'text', 7]) cache.set('a', value);
    expect(cache.get('a')).toBeUndefined();
  });

  test('a cache holds 32 MiB by default', () => {
    expect(DEFAULT_CACHE_BYTES).toBe(33_554_432);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity])('a cache of %s bytes is refused', (maxBytes) => {
    expect(() => contentCache(maxBytes)).toThrow(
      expect.objectContaining({
        code: 'invalid_options',
        option: 'maxBytes',
        message: `Cannot create the cache: option 'maxBytes' must be a positive integer, received ${maxBytes}`,
      }),
    );
  });
});

describe('a cache that sessions share', () => {
  test('a shared cache shows each account only its own content', () => {
    const shared = contentCache();
    const [mine, yours] = [{}, {}];
    scopedCache(shared, mine).set('response resp_1', { text: 'mine' });
    expect(scopedCache(shared, yours).get('response resp_1')).toBeUndefined();
    expect(scopedCache(shared, mine).get('response resp_1')).toEqual({ text: 'mine' });
  });

  test('a shared cache has one limit for all accounts', () => {
    const value = { text: 'x' };
    const shared = contentCache(sizeOf(value));
    const [mine, yours] = [scopedCache(shared, {}), scopedCache(shared, {})];
    mine.set('a', value);
    yours.set('a', value);
    expect([mine.get('a'), yours.get('a')]).toEqual([undefined, value]);
  });
});

describe('a cache of the caller’s own that fails', () => {
  const failing: [string, () => unknown][] = [
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
    ['answers later', () => Promise.resolve({ text: 'late' })],
  ];

  test.each(failing)("the app's cache counts as empty when it %s", (_how, fail) => {
    const scoped = scopedCache({ get: fail, set: fail }, {});
    expect(() => scoped.set('a', { text: 'x' })).not.toThrow();
    expect(scoped.get('a')).toBeUndefined();
  });
});

test("the limit of a cache is its option, or the default for the app's own cache", () => {
  expect(maxBytesOf(contentCache(77))).toBe(77);
  expect(maxBytesOf({ get: () => undefined, set: () => undefined })).toBe(DEFAULT_CACHE_BYTES);
});
