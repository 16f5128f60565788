import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';

/** Whether the conversation holds what follows an entry, but not the entry: its content was not to be had at that time. */
export function isLate({ entries, unmirrored }: LedgerState, { seq }: LedgerEntry): boolean {
  if (!unmirrored.has(seq)) return false;
  const at = entries.findLastIndex((entry) => entry.seq === seq);
  return at < entries.findLastIndex(({ mirrorId, digest }) => mirrorId !== undefined && digest !== null);
}
