/** What `heal()` did. */
export interface Healed {
  /** The session that was healed; its conversation stays at the API as it is. */
  readonly from: string;
  /** The conversation that holds the whole history now. */
  readonly conversationId: string;
  /** Items in the history. */
  readonly items: number;
  /** How many of them the conversation lists under the ID they had before. */
  readonly linked: number;
  /** How many were written by their content and have a new ID. */
  readonly written: number;
  /** How many the API has no form for, or no content: they live in the ledger alone. */
  readonly skipped: number;
  /** Whether the digest of what the conversation lists is the ledger's. */
  readonly verified: boolean;
  readonly dryRun: false;
}

/** What `heal({ dryRun: true })` says that `heal()` would do. */
export interface HealPlan extends Omit<Healed, 'conversationId' | 'dryRun'> {
  /** The conversation that a heal had begun to write to, or has already moved to; undefined: a new one. */
  readonly conversationId: string | undefined;
  /** What would become of each item, in order; none when there is nothing to do. */
  readonly steps: readonly HealStep[];
  readonly dryRun: true;
}

/** What a heal makes of one item. */
export interface HealStep {
  /** Position in the history, counted from 0. */
  readonly index: number;
  /** The item's type, such as `message:assistant`. */
  readonly kind: string;
  /** The ID that it has or had in the old conversation. */
  readonly id: string | undefined;
  /** Linked under that ID, if the API still has it; written by its content; or kept in the ledger alone. */
  readonly how: 'linked' | 'written' | 'skipped';
}

/** How far a heal has come. */
export interface HealProgress {
  /** The conversation that is being written to. */
  readonly conversationId: string;
  /** Items in it, and those that it cannot hold. */
  readonly done: number;
  readonly items: number;
}

/** Options of `heal()`. */
export interface HealOptions {
  /** Says what would be done, and writes nothing, neither to the API nor to the ledger. Default false. */
  readonly dryRun?: boolean | undefined;
  /** Called before the first item is written and after each 20. What it throws is ignored. */
  readonly onProgress?: ((progress: HealProgress) => void) | undefined;
  /** Stops after the request under way; a later call goes on from there. */
  readonly signal?: AbortSignal | undefined;
}
