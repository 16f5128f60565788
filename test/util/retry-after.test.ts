import { describe, expect, it, test } from 'vitest';
import { retryAfter, retryAfterOf } from '../../src/util/retry-after.ts';

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

describe('retryAfter', () => {
  test.each([
    ['7', 7000],
    ['0', 0],
    ['0.5', 500],
    [' 3 ', 3000],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thursday, 01-Jan-26 12:00:30 GMT', 30_000],
    ['Thu Jan  1 12:00:30 2026', 30_000],
    ['2026-01-01T12:00:30Z', 30_000],
    ['2026-01-01T13:00:30+01:00', 30_000],
    ['Thu, 01 Jan 2026 11:59:00 GMT', 0],
    ['Fri, 01 Jan 9999 00:00:00 GMT', Date.UTC(9999, 0, 1) - NOW],
    ['999999999999999', 999_999_999_999_999_000],
  ])('retryAfter reads %j', (text, expected) => {
    expect(retryAfter(new Headers({ 'retry-after': text }), NOW)).toBe(expected);
    expect(retryAfter({ 'retry-after': text }, NOW)).toBe(expected);
  });

  test.each([
    '',
    '-5',
    'NaN',
    'Infinity',
    '1e9',
    '0x10',
    'soon',
    '5 minutes',
    '7, 8',
    '9'.repeat(400),
    'Thu, 99 Foo 2026',
  ])('retryAfter takes %j for nothing said', (text) => {
    expect(retryAfter(new Headers({ 'retry-after': text }), NOW)).toBeUndefined();
    expect(retryAfter(new Headers({ 'retry-after': text, 'retry-after-ms': text }), NOW)).toBeUndefined();
  });

  it('retryAfter believes milliseconds first, and falls back where they are none', () => {
    expect(retryAfter(new Headers({ 'retry-after-ms': '250.5', 'retry-after': '7' }), NOW)).toBe(250.5);
    expect(retryAfter(new Headers({ 'retry-after-ms': '-1', 'retry-after': '7' }), NOW)).toBe(7000);
    expect(retryAfter(new Headers({ 'retry-after-ms': 'NaN', 'retry-after': '7' }), NOW)).toBe(7000);
  });

  test.each([undefined, null, 'retry-after: 7', {}, { get: () => 7 }, { 'retry-after': 7 }])(
    'retryAfter finds nothing in %j',
    (headers) => {
      expect(retryAfter(headers, NOW)).toBeUndefined();
    },
  );
});

test('retryAfterOf reads the headers of an error', () => {
  expect(retryAfterOf({ headers: new Headers({ 'retry-after': '7' }) }, NOW)).toBe(7000);
  expect(retryAfterOf(new Error('down'), NOW)).toBeUndefined();
  expect(retryAfterOf(undefined, NOW)).toBeUndefined();
});
