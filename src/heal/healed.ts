import type { LedgerState } from '../ledger/state.ts';

/** The result of `heal()`. */
export interface Healed {
  /** The session, which keeps its name. */
  readonly sessionId: string;
  /** The conversation that was damaged. It stays at the API as it is, unless `previous` is `'delete'`. */
  readonly from: string;
  /** The conversation that holds the whole history now. */
  readonly conversationId: string;
  /** Items in the history. */
  readonly items: number;
  /** Items that keep their ID. */
  readonly linked: number;
  /** Items that were written by content and have a new ID. */
  readonly written: number;
  /** Items that the API cannot store, or without content: they remain only in the ledger. */
  readonly skipped: number;
  /** Reasoning without a following item: it remains only in the ledger, and no model gets it. */
  readonly dangling: number;
  /** Whether the listed items have the ledger's digest. */
  readonly verified: boolean;
  readonly dryRun: false;
}

/** The result of `heal({ dryRun: true })`. */
export interface HealPlan extends Omit<Healed, 'conversationId' | 'verified' | 'dryRun'> {
  /** Whether the restored history has the ledger's digest, so that it can be written. */
  readonly verified: boolean;
  /** The conversation of an unfinished heal; undefined for a new one. */
  readonly conversationId: string | undefined;
  /** The plan for each item, in order; empty when there is nothing to do. */
  readonly steps: readonly HealStep[];
  readonly dryRun: true;
}

/** The plan for one item. */
export interface HealStep {
  /** Position in the history, counted from 0. */
  readonly index: number;
  /** The item's type, such as `message:assistant`. */
  readonly kind: string;
  /** The ID that it has or had in the old conversation. */
  readonly id: string | undefined;
  /**
   * `linked` under its ID, if the API still stores it; `written` by content; `skipped`: the API cannot store it; `dangling`:
   * reasoning without a following item.
   */
  readonly how: 'linked' | 'written' | 'skipped' | 'dangling';
}

/** The progress of a heal. */
export interface HealProgress {
  /** The new conversation. */
  readonly conversationId: string;
  /** Items that are written or skipped. */
  readonly done: number;
  readonly items: number;
}

/** Options of `heal()`. */
export interface HealOptions {
  /** Plans the heal without a write to the API or the ledger. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Called before the first item is written and after each 20. Its errors are ignored. */
  readonly onProgress?: ((progress: HealProgress) => void) | undefined;
  /** Whether the old conversation is kept or deleted after the new one is verified. Default `'keep'`. */
  readonly previous?: 'keep' | 'delete' | undefined;
  /** Stops after the request under way; a later call goes on from there. */
  readonly signal?: AbortSignal | undefined;
}

/** The reason why dangling reasoning is skipped. */
export const DANGLING_REASON = 'nothing follows it';

/** Counts the items of a healed history by step. Pure. */
export function countHealed({
  entries,
}: Pick<LedgerState, 'entries'>): Pick<Healed, 'items' | 'linked' | 'written' | 'skipped' | 'dangling'> {
  const dangling = entries.filter((entry) => entry.skipped === DANGLING_REASON).length;
  const skipped = entries.filter((entry) => entry.skipped !== undefined).length - dangling;
  const linked = entries.filter(({ link, mirrorId }) => link !== undefined && link === mirrorId).length;
  const written = entries.length - linked - skipped - dangling;
  return { items: entries.length, linked, written, skipped, dangling };
}
