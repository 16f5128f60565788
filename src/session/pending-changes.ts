import type { LedgerState } from '../ledger/ledger-state.ts';

/** How many changes the conversation does not have yet, or may not have. */
export function pendingChanges(state: LedgerState): number {
  let pending = pendingItems(state);
  for (const waiting of state.removed.values()) if (waiting) pending += 1;
  return pending;
}

/** How many items the list may turn out to hold already. */
export function pendingItems({ unmirrored, dropped }: LedgerState): number {
  return unmirrored.size + dropped.size;
}
