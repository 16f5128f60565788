import type { LedgerStep } from './ledger-record.ts';
import type { LedgerState } from './ledger-state.ts';

/** Decides what to append, from the newest state; asked again when another writer came first. */
export type LedgerDecision = (state: LedgerState) => readonly LedgerStep[];
