import { applyRecords } from './apply-records.ts';
import type { LedgerRecord } from './ledger-record.ts';
import { marksOf, type LedgerEntry, type LedgerState } from './ledger-state.ts';

/** Marks of what the conversation may hold and the history does not, once the records are appended; the state stays. */
export function marksAfter(state: LedgerState, records: readonly LedgerRecord[]): readonly string[] {
  if (records.every((record) => isPlain(state, record))) return marksOf(state);
  // What takes things out happens seldom enough to be tried on a copy.
  const copy = copyOf(state);
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

function copyOf(state: LedgerState): LedgerState {
  const entries = state.entries.map((entry): LedgerEntry => ({ ...entry }));
  const copies = new Map(entries.map((entry) => [entry.seq, entry]));
  const unmirrored = [...state.unmirrored].map(
    ([seq, entry]) => [seq, copies.get(seq) ?? { ...entry }] as const,
  );
  return {
    ...state,
    entries,
    unmirrored: new Map(unmirrored),
    responses: [...state.responses],
    recorded: new Set(state.recorded),
    contexts: new Map(state.contexts),
    refused: new Set(state.refused),
    dropped: new Map(state.dropped),
    ghosts: new Map(state.ghosts),
    removed: new Map(state.removed),
    operations: new Map(state.operations),
    abandoned: [...state.abandoned],
  };
}
