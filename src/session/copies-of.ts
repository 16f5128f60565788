import { Ledger } from '../ledger/ledger.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';

/**
 * The other sessions that hold this one's history or a part of it, oldest last: those that it was moved from, and those
 * that it was to be moved to and did not.
 */
export async function copiesOf(store: LedgerStore, state: LedgerState): Promise<string[]> {
  const { move } = state;
  const unfinished = move?.to === undefined || move.done === true ? [] : [move.to];
  const copies = [...state.abandoned, ...unfinished];
  let from = move?.from;
  while (from !== undefined && !copies.includes(from)) {
    copies.push(from);
    const origin = await new Ledger({ store, sessionId: from, now: () => Date.now() }).state();
    copies.push(...origin.abandoned);
    from = origin.move?.from;
  }
  return [...new Set(copies)];
}
