import type { LedgerRecord } from './ledger-record.ts';

/** Whether a record takes something out of the history, or says that something has to leave the conversation or has left. */
export function takesOut(record: LedgerRecord): boolean {
  if (record.type !== 'mirror')
    return record.type === 'replace' || record.type === 'pop' || record.type === 'clear';
  const { removed, surplus = [], strays = [] } = record;
  return removed.length + surplus.length + strays.length > 0;
}
