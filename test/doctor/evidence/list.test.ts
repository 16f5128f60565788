import { describe, expect, it } from 'vitest';
import { mayLag } from '../../../src/doctor/evidence/list.ts';
import { ledgerItem, recordOf } from '../../../src/ledger/record.ts';
import { applyRecords } from '../../../src/ledger/reducer.ts';
import { emptyState, type LedgerState } from '../../../src/ledger/state.ts';
import { user } from '../../support/conversation.ts';

/** A ledger with these IDs in the conversation; an empty one is not written yet. */
function ledger(...ids: string[]): LedgerState {
  const state = emptyState();
  const items = ids.map((id) => ({
    ...ledgerItem(user('hi'), true),
    ...(id === '' ? {} : { mirrorId: id }),
  }));
  applyRecords(state, [recordOf({ type: 'items', items }, { commit: 'commit', time: 0 })]);
  return state;
}

const lags = (state: LedgerState, ...ids: string[]): boolean =>
  mayLag(state, { items: ids.map((id) => ({ id, item: user('hi') })), occurrences: [], isGone: false });

describe('a list that may lag', () => {
  it('a list may lag when it lacks the newest items and no other', () => {
    expect(lags(ledger('1', '2', '3'), '1', '2')).toBe(true);
    expect(lags(ledger('1', '2', '3'), '1')).toBe(true);
    expect(lags(ledger('1', '2', '3'))).toBe(true);
    expect(lags(ledger('1', '2', '3'), '1', '3')).toBe(false);
    expect(lags(ledger('1', '2', '3'), '2')).toBe(false);
  });

  it('a whole list does not lag, and items that were never written do not count', () => {
    expect(lags(ledger('1', '2'), '1', '2')).toBe(false);
    expect(lags(ledger('1', ''), '1')).toBe(false);
    expect(lags(ledger('1', '2', ''), '1')).toBe(true);
    expect(lags(ledger())).toBe(false);
  });

  it('the list of a conversation that is gone does not lag', () => {
    expect(mayLag(ledger('1'), { items: [], occurrences: [], isGone: true })).toBe(false);
  });
});
