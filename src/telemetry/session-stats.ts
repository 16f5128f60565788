import type { ItemSource } from '../history/restore.ts';
import type { PlanReason } from '../model/plan.ts';
import type { HybridSessionEvent } from './session-event.ts';

/** How many turns were looked at, and what their conversations had lost. */
export interface LossStats {
  /** Turns with a recorded response; none in mode `off`. */
  readonly turns: number;
  /** Turns at which the list was compared with the ledger. */
  readonly checkedTurns: number;
  /** Turns whose list lacked items. */
  readonly turnsWithLoss: number;
  /** Items that the lists lost, each counted once as long as the ledger keeps its records. */
  readonly lostItems: number;
  /** `turnsWithLoss` of `checkedTurns`, from 0 to 1; null when no turn was checked. */
  readonly lossRate: number | null;
}

/** How requests to the model were planned, or would have been. */
export interface PlanStats {
  readonly chained: number;
  readonly replayed: number;
  /** Why, for both together. */
  readonly reasons: { readonly [reason in PlanReason]?: number };
  /** Items that were not sent because the parent has them. */
  readonly savedItems: number;
  /** What these take as JSON, in bytes. */
  readonly savedBytes: number;
  /** `chained` of all, from 0 to 1; null when there were none. */
  readonly chainRate: number | null;
}

/** Events that are only counted. */
type CountedEvent = Exclude<HybridSessionEvent['type'], 'turn' | 'planned' | 'lost' | 'restored'>;

/** What one session did, or many together. Plain JSON: counts and rates, no content, no IDs. */
export interface SessionStats extends LossStats {
  /** The same for each model; `unknown` where the model boundary is not in use. */
  readonly models: Readonly<Record<string, LossStats>>;
  /** Requests to the model, where the model boundary is in use. */
  readonly requests: PlanStats;
  /**
   * What mode `chain` would have made of turns in other modes: of their requests, or, where there is no model boundary, of
   * the turns as the ledger knows them.
   */
  readonly would: PlanStats;
  /** Reads that brought back what the list had lost. */
  readonly restored: {
    readonly reads: number;
    readonly items: number;
    readonly sources: { readonly [source in ItemSource]?: number };
  };
  /** How often each other event came. */
  readonly events: { readonly [type in CountedEvent]?: number };
}
