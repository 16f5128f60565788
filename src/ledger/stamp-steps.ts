import { parseRecord, recordOf, type LedgerRecord, type LedgerStep } from './ledger-record.ts';

/**
 * The records that steps become.
 *
 * @param version the ledger's, before they are appended.
 * @throws LedgerRecordError for what could not be read again: written, it would take everything behind it along.
 */
export function stampSteps(
  steps: readonly LedgerStep[],
  stamp: Pick<LedgerRecord, 'commit' | 'time'>,
  sessionId: string,
  version: number,
): LedgerRecord[] {
  return steps.map((step, index) => parseRecord(recordOf(step, stamp), sessionId, version + index));
}
