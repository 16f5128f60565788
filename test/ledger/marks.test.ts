import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/apply-records.ts';
import { MARK_LENGTH, markOf } from '../../src/ledger/digest.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerItem, LedgerStep } from '../../src/ledger/ledger-record.ts';
import { emptyState, headOf, marksOf, type LedgerState } from '../../src/ledger/ledger-state.ts';
import type { LedgerStore } from '../../src/ledger/ledger-store.ts';
import { marksAfter } from '../../src/ledger/marks-after.ts';
import { resolveBase, stateFrom } from '../../src/ledger/state-from-head.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { ledgerRecords } from '../support/records.ts';
import { recordsOf, stateOf } from '../support/steps.ts';

const message = (digest: string, mirrorId?: string): LedgerItem => ({
  digest,
  kind: 'message:user',
  ...(mirrorId === undefined ? {} : { mirrorId }),
});
const items = (...all: LedgerItem[]): LedgerStep => ({ type: 'items', items: all });

describe('a mark', () => {
  test('is short, and knows a name again', () => {
    expect(markOf('msg_1')).toHaveLength(MARK_LENGTH);
    expect(markOf('msg_1')).toBe(markOf('msg_1'));
    expect(markOf('msg_1')).not.toBe(markOf('msg_2'));
  });
});

describe('a head', () => {
  test('has no marks where the conversation holds nothing that has to leave', () => {
    const state = stateOf(items(message('a', 'msg_a'), message('b')));
    expect(marksOf(state)).toEqual([]);
    expect(Object.keys(headOf(state))).not.toContain('leaving');
  });

  test('has the marks of what has to leave, by its ID, and of what may have been written unseen, by its digest', () => {
    const state = stateOf(
      items(message('a', 'msg_a'), message('b', 'msg_b'), message('c')),
      { type: 'pop' },
      { type: 'pop' },
    );
    expect(headOf(state).leaving).toEqual([markOf('msg_b'), markOf('c')]);
    applyRecords(state, recordsOf({ type: 'mirror', added: [], removed: ['msg_b'] }));
    expect(headOf(state).leaving).toEqual([markOf('c')]);
    applyRecords(state, recordsOf({ type: 'mirror', added: [], removed: [], settled: true }));
    expect(headOf(state)).not.toHaveProperty('leaving');
  });

  test('has no more marks than it has room for: the newest ones', () => {
    const many = Array.from({ length: 60 }, (_, at) => message(`${at}`, `msg_${at}`));
    const state = stateOf(items(...many), { type: 'replace', keep: 0, items: [] });
    expect(marksOf(state)).toEqual(many.slice(20).map(({ mirrorId = '' }) => markOf(mirrorId)));
  });

  test('keeps the marks of what lies before it', () => {
    const before = stateOf(items(message('a', 'msg_a')), { type: 'pop' });
    const state = stateFrom(headOf(before));
    expect(marksOf(state)).toEqual([markOf('msg_a')]);
    applyRecords(state, recordsOf(items(message('b', 'msg_b')), { type: 'pop' }));
    expect(marksOf(state)).toEqual([markOf('msg_a'), markOf('msg_b')]);
  });

  test('has the marks that were foretold, whatever comes', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, ledgerRecords, (beginning, before, batch) => {
        for (const state of [stateOf(), stateFrom(headOf(applied(beginning)))]) {
          applyRecords(state, before);
          const marks = marksAfter(state, batch);
          applyRecords(state, batch);
          expect(marks).toEqual(marksOf(state));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

function applied(all: Parameters<typeof applyRecords>[1]): LedgerState {
  const state = emptyState();
  applyRecords(state, all);
  return state;
}

test('what is read back says what has to leave', () => {
  const state = stateFrom(
    headOf(stateOf(items(message('a', 'msg_a'), message('b', 'msg_b')), { type: 'pop' })),
  );
  const base = [{ item: message('a'), mirrorId: 'msg_a' }];
  resolveBase(state, { items: base, proven: true, leaving: ['msg_b'] });
  expect([...state.removed]).toEqual([['msg_b', true]]);
  expect(state.leaving).toBe(1);
  expect(marksOf(state)).toEqual([markOf('msg_b')]);
});

const ledgerOn = (store: LedgerStore, isMirrored = true): Ledger =>
  new Ledger({ store, sessionId: 'conv_1', now: () => 0, isMirrored });

describe('a ledger', () => {
  test('writes marks into its head where there is a conversation', async () => {
    for (const isMirrored of [true, false]) {
      const store = memoryLedger();
      const ledger = ledgerOn(store, isMirrored);
      await ledger.commit(() => [items(message('a', 'msg_a'))]);
      await ledger.commit(() => [{ type: 'pop' }]);
      expect((await store.head('conv_1'))?.leaving).toEqual(isMirrored ? [markOf('msg_a')] : undefined);
    }
  });

  test('can be cleared and looked at although what lies before cannot be read back', async () => {
    const memory = memoryLedger();
    await ledgerOn(memory).commit(() => [items(message('a', 'msg_a'))]);
    const base = await memory.head('conv_1');
    if (base === undefined) throw new Error('no head');
    const store: LedgerStore = {
      ...memory,
      read: async (sessionId) => ({ base, records: (await memory.read(sessionId, 1)).records }),
    };
    const ledger = new Ledger({
      store,
      sessionId: 'conv_1',
      now: () => 0,
      readBase: () => Promise.reject(new Error('gone')),
    });
    expect(await ledger.outline()).toMatchObject({ version: 1, entries: [], base });
    expect(await ledger.clear()).toMatchObject({ version: 2, cleared: true, entries: [] });
    expect((await memory.read('conv_1')).records.map(({ type }) => type)).toEqual(['items', 'clear']);
  });
});
