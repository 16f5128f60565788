import * as fc from 'fast-check';
import { afterEach, beforeEach, expect } from 'vitest';
import { FULL } from '../../support/runs.ts';

/** How much longer to look with TEST_FULL=1, and where to begin: a failure prints the seed and the path to it. */
const FACTOR = FULL ? 25 : 1;

/** Holds a property to be true of many cases: the same ones at every run, more of them when there is time. */
export async function holds<T>(
  runs: number,
  cases: fc.Arbitrary<T>,
  claim: (one: T) => Promise<void> | void,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(cases, async (one) => claim(one)),
    { seed: 20, numRuns: runs * FACTOR, verbose: fc.VerbosityLevel.Verbose, endOnFailure: true },
  );
}

/** Fails a test that leaves a promise unheard, or a property on every object of the process. */
export function guardProcess(): void {
  const rejected: unknown[] = [];
  const note = (reason: unknown): void => void rejected.push(reason);
  const names = Reflect.ownKeys(Object.prototype);
  beforeEach(() => {
    rejected.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(rejected).toEqual([]);
    expect(Reflect.ownKeys(Object.prototype)).toEqual(names);
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
}

/** The error of a call, or undefined. */
export async function failureOf(work: () => unknown): Promise<Error | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error('what was thrown is no error');
  }
}

/** Texts that have broken something somewhere: paths, patterns, markup, endings, foreign and halved characters. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '.',
    '..',
    '../../responses/x',
    '..%2f..%2fresponses%2fx',
    '%2e%2e',
    '%2e%2e/%2e%2e/x',
    '%',
    '%00',
    '/',
    '//evil.example/x',
    '\\..\\..\\x',
    '?limit=1',
    '#fragment',
    'x\r\nx-injected: 1',
    'x\0y',
    '\n',
    ' ',
    '*',
    'x*',
    '[a-z]',
    '{x}',
    '}:head',
    'x}:records',
    '~x',
    "'; DROP TABLE hybrid_session_ledger; --",
    '"; DELETE FROM hybrid_session_ledger; --',
    '$1',
    ':session',
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '\u202Egnp.exe',
    '\uD800',
    '\uDC00x',
    'e\u0301',
    '\u00E9',
    '𝔘𝔫𝔦𝔠𝔬𝔡𝔢',
    'x'.repeat(10_000),
    '../'.repeat(3000),
  ),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({ minLength: 1, maxLength: 20 }),
);

/** JSON of any shape, with the names that pollute prototypes among its keys. */
export const hostileJson: fc.Arbitrary<unknown> = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, false, 0, -1, 1e308, Number.MAX_SAFE_INTEGER, '', 'x'.repeat(5000)),
    hostileText,
    fc.array(tie('json'), { maxLength: 4 }),
    fc
      .array(
        fc.tuple(
          fc.constantFrom(
            '__proto__',
            'constructor',
            'polluted',
            'id',
            'type',
            'data',
            'error',
            'role',
            'content',
          ),
          tie('json'),
        ),
        { maxLength: 5 },
      )
      .map((entries) => Object.fromEntries(entries) as unknown),
  ),
})).json;
