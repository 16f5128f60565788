import { applyRecords } from '../../src/ledger/apply-records.ts';
import { recordOf, type LedgerRecord, type LedgerStep } from '../../src/ledger/ledger-record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/ledger-state.ts';

/** Steps as one append records them. */
export function recordsOf(...steps: LedgerStep[]): LedgerRecord[] {
  return steps.map((step) => recordOf(step, { commit: 'c', time: 5 }));
}

/** What they make of a session that did not exist. */
export function stateOf(...steps: LedgerStep[]): LedgerState {
  const state = emptyState();
  applyRecords(state, recordsOf(...steps));
  return state;
}
