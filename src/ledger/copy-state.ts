import type { LedgerEntry, LedgerState } from './ledger-state.ts';

/** A state as it is now: the ledger's own changes in place with every append. */
export function copyState(state: LedgerState): LedgerState {
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
