import { describe, expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/apply-records.ts';
import { EMPTY_DIGEST } from '../../src/ledger/digest.ts';
import type { LedgerStep } from '../../src/ledger/ledger-record.ts';
import { emptyState, headOf } from '../../src/ledger/ledger-state.ts';
import { nextHead } from '../../src/ledger/next-head.ts';
import { movedTo, moveAfter } from '../../src/ledger/session-move.ts';
import { stateFrom } from '../../src/ledger/state-from-head.ts';
import { recordsOf, stateOf } from '../support/steps.ts';

const heal = (to: string): LedgerStep => ({ type: 'heal', to });
const moved = (to: string): LedgerStep => ({ type: 'moved', to });

describe('a session whose history is written elsewhere', () => {
  test('goes on there once it has moved, not before', () => {
    const state = stateOf(heal('conv_2'));
    expect(state.move).toEqual({ to: 'conv_2' });
    expect(movedTo(state.move)).toBeUndefined();
    applyRecords(state, recordsOf(moved('conv_2')));
    expect(state.move).toEqual({ to: 'conv_2', done: true });
    expect(movedTo(state.move)).toBe('conv_2');
    expect(movedTo(undefined)).toBeUndefined();
  });

  test('knows the conversations that were begun and left', () => {
    const state = stateOf(heal('conv_2'), heal('conv_3'), heal('conv_4'), moved('conv_4'));
    expect(state.abandoned).toEqual(['conv_2', 'conv_3']);
    expect(state.move?.to).toBe('conv_4');
  });

  test('knows where it came from, also when it goes on from there', () => {
    const state = stateOf({ type: 'origin', from: 'conv_0' });
    expect(state.move).toEqual({ from: 'conv_0' });
    expect(state.abandoned).toEqual([]);
    applyRecords(state, recordsOf({ type: 'origin', from: 'conv_0', whole: true }, heal('conv_2')));
    expect(state.move).toEqual({ from: 'conv_0', whole: true, to: 'conv_2' });
  });

  test('stays whole where a copy is begun that says nothing of it', () => {
    const whole = { from: 'conv_0', whole: true };
    const [again] = recordsOf({ type: 'origin', from: 'conv_0', whole: false });
    expect(again && moveAfter(whole, again)).toEqual(whole);
    const [other] = recordsOf({ type: 'pop' });
    expect(other && moveAfter(whole, other)).toBe(whole);
  });

  test('says so in its head, in a format that older versions stop at', () => {
    const steps = [heal('conv_2'), moved('conv_2')];
    const head = {
      format: 2,
      version: 2,
      length: 0,
      digest: EMPTY_DIGEST,
      move: { to: 'conv_2', done: true },
    };
    expect(headOf(stateOf(...steps))).toEqual(head);
    expect(nextHead(emptyState(), recordsOf(...steps))).toMatchObject(head);
    expect(headOf(stateFrom(headOf(stateOf(...steps))))).toEqual(head);
    expect(headOf(stateOf({ type: 'pop' }))).toEqual({
      format: 1,
      version: 1,
      length: 0,
      digest: EMPTY_DIGEST,
    });
  });
});

test('a record of a move is of the later format, and keeps the time of its step', () => {
  expect(recordsOf(heal('conv_2'), { ...moved('conv_2'), time: 9 }, { type: 'pop', time: 8 })).toEqual([
    { v: 2, commit: 'c', time: 5, type: 'heal', to: 'conv_2' },
    { v: 2, commit: 'c', time: 9, type: 'moved', to: 'conv_2' },
    { v: 1, commit: 'c', time: 8, type: 'pop' },
  ]);
  expect(recordsOf({ type: 'origin', from: 'conv_0' })[0]?.v).toBe(2);
});
