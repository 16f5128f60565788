import type { LedgerState } from '../ledger/ledger-state.ts';

/** How many changes the conversation does not have yet, or may not have. */
export function pendingChanges(state: LedgerState): number {
  let pending = state.unmirrored.size + state.dropped.size;
  for (const waiting of state.removed.values()) if (waiting) pending += 1;
  return pending;
}
