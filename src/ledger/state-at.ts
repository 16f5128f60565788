import { applyRecords } from './apply-records.ts';
import { emptyState, type LedgerState } from './ledger-state.ts';
import type { RecordReader } from './record-reader.ts';
import { stateFrom } from './state-from-head.ts';

/** The state of a session as its records tell it: the newest, or as it was at a version that it has left behind. */
export async function stateAt(
  reader: RecordReader,
  version = Number.POSITIVE_INFINITY,
): Promise<LedgerState> {
  const { base, records } = await reader.read(0);
  const state = base === undefined ? emptyState() : stateFrom(base);
  applyRecords(state, records.slice(0, Math.max(0, version - state.version)));
  return state;
}
