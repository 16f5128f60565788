import type { LedgerRecord } from './ledger-record.ts';
import { digestOf, type LedgerState } from './ledger-state.ts';
import type { RecordReader } from './record-reader.ts';

/**
 * What was appended since a state.
 *
 * The newest record known is read once more: when it is no longer there, the ledger was deleted, and what it said
 * must not be served any longer.
 *
 * @returns undefined when the ledger is another one than it was.
 */
export async function newsSince(
  reader: RecordReader,
  state: LedgerState,
): Promise<readonly LedgerRecord[] | undefined> {
  const known = Math.min(1, state.version);
  const { base, records } = await reader.read(state.version - known);
  if (base !== undefined && base.version >= state.version) {
    // The store keeps no beginning: all it can say is whether anything happened.
    const isSame = base.version === state.version && base.digest === digestOf(state);
    return isSame && records.length === 0 ? [] : undefined;
  }
  return known === 1 && records[0]?.commit !== state.newest ? undefined : records.slice(known);
}
