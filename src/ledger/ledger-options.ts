import type { LedgerHead } from './ledger-record.ts';
import type { LedgerStore } from './ledger-store.ts';
import type { RestoredBase } from './restored-base.ts';

/** What a ledger needs besides its store. */
export interface LedgerOptions {
  readonly store: LedgerStore;
  readonly sessionId: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether a conversation is kept up to date: then what it lacks has to be known. Default true. */
  readonly isMirrored?: boolean;
  /** Reads back what lies before the records, where the store keeps no beginning. */
  readonly readBase?: (base: LedgerHead) => Promise<RestoredBase>;
  /** Called when the newest record is damaged: what it said is lost, and everything else is not. */
  readonly onDamaged?: (position: number) => void;
  /** Called after another writer's records were read in the middle of an append. */
  readonly onConflict?: (version: number) => void;
}
