import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LedgerRecordError } from '../../src/errors/ledger-record-error.ts';
import { ledgerItem } from '../../src/ledger/agent-item.ts';
import { parseHead, parseRecord } from '../../src/ledger/ledger-record.ts';
import { emptyState, headOf } from '../../src/ledger/ledger-state.ts';
import { anyItem } from '../support/items.ts';
import { ledgerRecord } from '../support/records.ts';

const SECRET = 'sk-secret and what the user said';
const common = { v: 1, commit: 'c', time: 5 };

function errorOf(run: () => unknown): LedgerRecordError {
  try {
    run();
  } catch (error) {
    if (error instanceof LedgerRecordError) return error;
  }
  throw new Error('nothing was refused');
}

test('every record comes back from JSON as it went in', () => {
  fc.assert(
    fc.property(ledgerRecord, (record) => {
      expect(parseRecord(JSON.parse(JSON.stringify(record)), 'conv_1', 0)).toEqual(record);
    }),
    { numRuns: 300 },
  );
});

test('every item comes back from JSON with its content', () => {
  fc.assert(
    fc.property(anyItem, (item) => {
      const stored = JSON.stringify({ ...common, type: 'items', items: [ledgerItem(item, true)] });
      expect(parseRecord(JSON.parse(stored), 'conv_1', 0)).toEqual(JSON.parse(stored));
    }),
    { numRuns: 200 },
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
    ['no time', { v: 1, commit: 'c', type: 'pop' }],
    ['an older format than there ever was', { ...common, v: 0, type: 'pop' }],
  ])('%s', (_damage, value) => {
    const error = errorOf(() => parseRecord(value, 'conv_1', 7));
    expect(error).toMatchObject({
      code: 'ledger_record',
      sessionId: 'conv_1',
      position: 7,
      reason: 'damaged',
    });
    expect(error.message).toContain("Cannot read record 7 of the ledger of 'conv_1': it is damaged at");
    expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
  });
});

test('a record of a later format asks for an update', () => {
  const error = errorOf(() => parseRecord({ ...common, v: 3, type: 'telepathy', what: SECRET }, 'conv_1', 3));
  expect(error).toMatchObject({ reason: 'newer-format', position: 3 });
  expect(error.message).toBe(
    "Cannot read record 3 of the ledger of 'conv_1': it has format 3, this version reads up to 2; " +
      'update agents-hybrid-session',
  );
});

describe('a head', () => {
  test('comes back as it went in', () => {
    const head = {
      ...headOf(emptyState()),
      response: { id: 'resp_1', time: 1, store: true, context: { length: 2, digest: 'd' } },
    };
    expect(parseHead(JSON.parse(JSON.stringify(head)), 'conv_1')).toEqual(head);
  });

  test('that is damaged is refused, by name of the session alone', () => {
    const error = errorOf(() => parseHead({ ...headOf(emptyState()), digest: 7, note: SECRET }, 'conv_1'));
    expect(error).toMatchObject({ position: undefined, reason: 'damaged' });
    expect(error.message).toBe(
      "Cannot read the head of the ledger of 'conv_1': it is damaged at 'digest' (invalid_type)",
    );
  });

  test('of a later format asks for an update', () => {
    expect(errorOf(() => parseHead({ format: 9 }, 'conv_1'))).toMatchObject({ reason: 'newer-format' });
  });
});
