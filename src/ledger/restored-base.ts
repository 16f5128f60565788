import type { LedgerItem } from './ledger-record.ts';

/** The history that a head describes, oldest first. */
export interface RestoredBase {
  readonly items: readonly { readonly item: LedgerItem; readonly mirrorId: string }[];
  /** Whether its digest is the head's. */
  readonly proven: boolean;
  /** IDs in the conversation's list that have left the history. */
  readonly leaving: readonly string[];
}
