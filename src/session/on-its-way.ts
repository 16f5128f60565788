import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry } from '../ledger/ledger-state.ts';

/** What another session has not written after this many milliseconds is not worth waiting for. */
const FRESH = 10_000;

/** Whether another session may have the content of an entry in its hands, and is about to write it. */
export function isOnItsWay(entry: LedgerEntry, ledger: Ledger, now: number): boolean {
  return entry.skipped === undefined && ledger.originOf(entry.origin) !== 'own' && now - entry.due < FRESH;
}
