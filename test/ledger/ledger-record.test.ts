import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LedgerUnreadableError } from '../../src/errors/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { parseCheckpoint, parseRecord } from '../../src/ledger/record.ts';
import { emptyState } from '../../src/ledger/state.ts';
import { checkpointOf } from '../../src/ledger/checkpoint.ts';
import { anyItem } from '../support/items.ts';
import { ledgerRecord } from '../support/records.ts';

const SECRET = 'sk-secret and what the user said';
const common = { v: 3, commit: 'c', time: 5 };

function errorOf(run: () => unknown): LedgerUnreadableError {
  try {
    run();
  } catch (error) {
    if (error instanceof LedgerUnreadableError) return error;
  }
  throw new Error('nothing was refused');
}

test('every record comes back from JSON as it went in', () => {
  fc.assert(
    fc.property(ledgerRecord, (record) => {
      expect(parseRecord(JSON.parse(JSON.stringify(record)), 'conv_1', 0)).toEqual(record);
    }),
    { seed: 20261129, numRuns: 300 },
  );
});

test('every item comes back from JSON with its content', () => {
  fc.assert(
    fc.property(anyItem, (item) => {
      const stored = JSON.stringify({ ...common, type: 'items', items: [ledgerItem(item, true)] });
      expect(parseRecord(JSON.parse(stored), 'conv_1', 0)).toEqual(JSON.parse(stored));
    }),
    { seed: 20261129, numRuns: 200 },
  );
});

test('what a later release adds to a record does no harm', () => {
  const record = parseRecord({ ...common, type: 'pop', mood: 'good' }, 'conv_1', 0);
  expect(record).toEqual({ ...common, type: 'pop' });
});

describe('a damaged record is refused with its place and without its content', () => {
  test.each([
    ['nothing', undefined],
    ['text', SECRET],
    ['no type', common],
    ['a type nobody knows', { ...common, type: SECRET }],
    ['no items', { ...common, type: 'items' }],
    ['items that are none', { ...common, type: 'items', items: [SECRET] }],
    ['a digest that is none', { ...common, type: 'items', items: [{ digest: 5, kind: SECRET }] }],
    [
      'content that is none',
      { ...common, type: 'items', items: [{ digest: null, kind: 'k', item: SECRET }] },
    ],
    ['a place below zero', { ...common, type: 'replace', keep: -1, items: [] }],
    ['a reference that is none', { ...common, type: 'replace', keep: 0, items: [{ seq: SECRET }] }],
    ['no time', { v: 3, commit: 'c', type: 'pop' }],
    ['a format that is no number', { ...common, v: '2', type: 'pop' }],
  ])('%s', (_damage, value) => {
    const error = errorOf(() => parseRecord(value, 'conv_1', 7));
    expect(error).toMatchObject({
      code: 'ledger_unreadable',
      sessionId: 'conv_1',
      position: 7,
      reason: 'damaged',
    });
    expect(error.message).toContain("Cannot read record 7 of the ledger of 'conv_1': it is damaged at");
    expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
  });
});

test.each([
  ['a later', 4, 'newer_format', 'update agents-hybrid-session'],
  ['the last', 2, 'older_format', 'begin with an empty ledger'],
  ['the first', 1, 'older_format', 'begin with an empty ledger'],
] as const)('a record of %s format is refused with a remedy', (_which, v, reason, remedy) => {
  const error = errorOf(() => parseRecord({ ...common, v, type: 'telepathy', what: SECRET }, 'conv_1', 3));
  expect(error).toMatchObject({ code: 'ledger_unreadable', sessionId: 'conv_1', position: 3, reason });
  expect(error.message).toBe(
    `Cannot read record 3 of the ledger of 'conv_1': it has format ${v}, and this version reads format 3; ${remedy}`,
  );
});

describe('a checkpoint', () => {
  test('a checkpoint comes back as it went in', () => {
    const checkpoint = {
      ...checkpointOf(emptyState()),
      response: { id: 'resp_1', time: 1, store: true, context: { length: 2, digest: 'd' } },
    };
    expect(parseCheckpoint(JSON.parse(JSON.stringify(checkpoint)), 'conv_1')).toEqual(checkpoint);
  });

  test('a damaged checkpoint is refused, by the name of the session alone', () => {
    const error = errorOf(() =>
      parseCheckpoint({ ...checkpointOf(emptyState()), digest: 7, note: SECRET }, 'conv_1'),
    );
    expect(error).toMatchObject({ position: undefined, reason: 'damaged' });
    expect(error.message).toBe(
      "Cannot read the checkpoint of the ledger of 'conv_1': it is damaged at 'digest' (invalid_type)",
    );
  });

  test.each([
    ['a later', 9, 'newer_format', 'update agents-hybrid-session'],
    ['the last', 2, 'older_format', 'begin with an empty ledger'],
    ['the first', 1, 'older_format', 'begin with an empty ledger'],
  ] as const)('a checkpoint of %s format is refused with a remedy', (_which, format, reason, remedy) => {
    const error = errorOf(() => parseCheckpoint({ ...checkpointOf(emptyState()), format }, 'conv_1'));
    expect(error).toMatchObject({ reason, position: undefined });
    expect(error.message).toContain(`it has format ${format}, and this version reads format 3; ${remedy}`);
  });
});
