import { applyRecords } from './apply-records.ts';
import { copyState } from './copy-state.ts';
import type { LedgerRecord } from './ledger-record.ts';
import { marksOf, type LedgerState } from './ledger-state.ts';

/** Marks of what the conversation may hold and the history does not, once the records are appended; the state stays. */
export function marksAfter(state: LedgerState, records: readonly LedgerRecord[]): readonly string[] {
  if (records.every((record) => isPlain(state, record))) return marksOf(state);
  // What takes things out happens seldom enough to be tried on a copy.
  const copy = copyState(state);
  applyRecords(copy, records);
  return marksOf(copy);
}

/** Whether a record takes nothing out of the conversation, and nothing that has left comes back with it. */
function isPlain({ unmirrored, dropped, leaving }: LedgerState, record: LedgerRecord): boolean {
  switch (record.type) {
    case 'items':
      return leaving === 0;
    case 'mirror': {
      const { added, removed, surplus = [], strays = [], behind } = record;
      const moved = leaving + dropped.size + removed.length + surplus.length + strays.length;
      if (moved > 0 || behind !== undefined) return false;
      const seqs = new Set(added.map(({ seq }) => seq));
      return seqs.size === added.length && added.every(({ seq }) => unmirrored.has(seq));
    }
    case 'pop':
    case 'replace':
    case 'clear':
      return false;
    default:
      return true;
  }
}
