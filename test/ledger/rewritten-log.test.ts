import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { parseRecord, type LedgerRecord } from '../../src/ledger/record.ts';
import { skipTo } from '../../src/ledger/mutable-state.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { checkpointOf, nextCheckpoint, tailState } from '../../src/ledger/checkpoint.ts';
import { plannedWrite, type PlannedWrite } from '../../src/ledger/rewrite.ts';
import { user } from '../support/conversation.ts';
import { ledgerRecords } from '../support/records.ts';
import { recordsOf, stateOf } from '../support/steps.ts';

/**
 * Everything a state says, with maps and sets in their order, and without where its log begins. What is to be written is in the
 * order of the history; records that no session writes, which change that order, may have left it in another one.
 */
function told(state: LedgerState): unknown {
  const { version: _version, start: _start, unmirrored, ...rest } = state;
  const toWrite = state.entries.filter((entry) => unmirrored.get(entry.seq) === entry);
  expect(toWrite).toHaveLength(unmirrored.size);
  const plain = Object.entries(rest).map(([name, value]): [string, unknown] => [
    name,
    value instanceof Map || value instanceof Set ? [...value] : value,
  ]);
  return { ...Object.fromEntries(plain), toWrite };
}

/** The state that a rewritten log leads to, read back from its text. */
function readBack(records: readonly LedgerRecord[], start: number): LedgerState {
  const state = { ...emptyState(), version: start };
  const texts: unknown[] = JSON.parse(JSON.stringify(records));
  applyRecords(
    state,
    texts.map((record, index) => parseRecord(record, 'conv_1', start + index)),
  );
  return state;
}

function rewrittenLog(state: LedgerState, records: readonly LedgerRecord[]): PlannedWrite | undefined {
  const planned = plannedWrite(state, records);
  if (planned.isRewrite) return planned;
  expect(planned).toEqual({ isRewrite: false, records, checkpoint: nextCheckpoint(state, records) });
  return undefined;
}

const said = (...words: string[]): Parameters<typeof recordsOf>[0] => ({
  type: 'items',
  items: words.map((word) => ledgerItem(user(word), true)),
});

describe('a rewritten log', () => {
  test('a rewritten log leads to the state that the appended records would have led to, whatever came before', () => {
    let rewritten = 0;
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
        const state = emptyState();
        applyRecords(state, before);
        const steps = batch.map((record) => ({ ...record, commit: 'this', time: 7 }));
        const as = told(state);
        const log = rewrittenLog(state, steps);
        expect(told(state)).toEqual(as);
        if (log === undefined) return;
        rewritten += 1;
        const start = state.version + 1;
        const after = readBack(log.records, start);
        applyRecords(state, steps);
        skipTo(state, after.version);
        expect(told(after)).toEqual(told(state));
        expect(after.version).toBe(start + log.records.length);
        expect(log.checkpoint.version).toBe(after.version);
        const { resumePoint, ...checkpoint } = log.checkpoint;
        expect(checkpointOf(after)).toEqual(checkpoint);
        expect(resumePoint === undefined || resumePoint.commit === after.newest).toBe(true);
      }),
      { seed: 20261129, numRuns: 3_000 },
    );
    expect(rewritten).toBeGreaterThan(1_000);
  });

  test('a rewritten log can be continued by its checkpoint as by its records', () => {
    const state = stateOf(said('one', 'two', 'three'));
    const log = rewrittenLog(state, recordsOf({ type: 'pop' }));
    if (log === undefined) throw new Error('It was not rewritten');
    const after = readBack(log.records, state.version + 1);
    const tail = tailState(log.checkpoint);
    if (tail === undefined) throw new Error('There is no tail');
    const more = recordsOf(said('four'));
    const { resumePoint: _resumePoint, ...whole } = nextCheckpoint(after, more);
    expect(nextCheckpoint(tail, more)).toMatchObject(whole);
  });

  test('a rewritten log holds no content of what was taken out, and the content of everything else', () => {
    const state = stateOf(said('one', 'two'), { type: 'pop' }, said('three', 'four'));
    const log = rewrittenLog(
      state,
      recordsOf({ type: 'replace', keep: 1, items: [ledgerItem(user('five'), true)] }),
    );
    const text = JSON.stringify(log);
    for (const word of ['one', 'five']) expect(text).toContain(word);
    for (const word of ['two', 'three', 'four']) expect(text).not.toContain(word);
  });

  test('a log is not rewritten if no item leaves the history', () => {
    const state = stateOf(said('one', 'two'));
    const [first, second] = state.entries.map(({ seq }) => ({ seq }));
    if (first === undefined || second === undefined) throw new Error('There are no entries');
    expect(rewrittenLog(state, recordsOf(said('three')))).toBeUndefined();
    const inserted = [ledgerItem(user('between'), true), second];
    expect(rewrittenLog(state, recordsOf({ type: 'replace', keep: 1, items: inserted }))).toBeUndefined();
    expect(rewrittenLog(emptyState(), recordsOf({ type: 'pop' }))).toBeUndefined();
    expect(rewrittenLog(emptyState(), recordsOf({ type: 'clear' }))).toBeDefined();
  });

  test('a rewritten log takes records of a size that does not grow with the history, and ends with a small one', () => {
    const words = Array.from({ length: 1_000 }, (_, index) => `word ${index} ${'x'.repeat(100)}`);
    const log = rewrittenLog(stateOf(said(...words)), recordsOf({ type: 'pop' }));
    const sizes = (log?.records ?? []).map((record) => JSON.stringify(record).length);
    expect(sizes).toHaveLength(12);
    expect(Math.max(...sizes)).toBeLessThan(60_000);
    expect(sizes.at(-1)).toBeLessThan(200);
  });

  test('a rewritten log replaces one that has grown without the history, and is itself appended to again', () => {
    const state = stateOf(said('one'));
    const idle = recordsOf({ type: 'mirror', added: [], removed: [], released: true });
    let replaced = 0;
    for (let append = 0; append < 2_000; append += 1) {
      const log = rewrittenLog(state, idle);
      if (log === undefined) applyRecords(state, idle);
      else {
        replaced += 1;
        Object.assign(state, readBack(log.records, state.version + 1));
      }
      expect(state.entries).toHaveLength(1);
      expect(state.version - state.start).toBeLessThan(250);
    }
    expect(replaced).toBeGreaterThan(5);
    expect(replaced).toBeLessThan(20);
  });
});
