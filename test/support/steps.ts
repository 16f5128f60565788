import { applyRecords } from '../../src/ledger/reducer.ts';
import { recordOf, type LedgerRecord, type LedgerStep } from '../../src/ledger/record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';

/** Steps as one append records them. */
export function recordsOf(...steps: LedgerStep[]): LedgerRecord[] {
  return steps.map((step) => recordOf(step, { commit: 'c', time: 5 }));
}

/** The state of a new session after these steps. */
export function stateOf(...steps: LedgerStep[]): LedgerState {
  const state = emptyState();
  applyRecords(state, recordsOf(...steps));
  return state;
}
