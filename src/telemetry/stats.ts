import type { ItemSource } from '../history/restore.ts';
import type { PlanReason } from '../chaining/plan-reason.ts';
import type { HybridSessionEvent, WarningCode } from './events.ts';

/** Turns, and the items that their conversations lost. */
export interface LossStats {
  /** Turns with a recorded response; none in mode `off`. */
  readonly turns: number;
  /** Turns at which the list was compared with the ledger. */
  readonly checkedTurns: number;
  /** Turns whose list lacked items. */
  readonly turnsWithLoss: number;
  /** Items that the lists lost; each counts once while the ledger keeps its records. */
  readonly lostItems: number;
  /** `turnsWithLoss / checkedTurns`, from 0 to 1; null without a checked turn. */
  readonly lossRate: number | null;
}

/** Plans of requests to the model. */
export interface PlanStats {
  /** Requests that continued from a response. */
  readonly chained: number;
  /** Requests with the full history. */
  readonly replayed: number;
  /** The number of plans by reason, chained and replayed. */
  readonly reasons: { readonly [reason in PlanReason]?: number };
  /** Items that were not sent because the parent has them. */
  readonly savedItems: number;
  /** The size of these items as JSON, in bytes. */
  readonly savedBytes: number;
  /** `chained / (chained + replayed)`, from 0 to 1; null without a request. */
  readonly chainRate: number | null;
}

/** Events without statistics of their own; warnings count under their code. */
type CountedEvent =
  | Exclude<HybridSessionEvent['type'], 'turn' | 'lost' | 'restored' | 'warning'>
  | WarningCode;

/**
 * Statistics of one or many sessions. Plain JSON: counts and rates, no content, no IDs.
 *
 * @example
 * ```ts
 * const { turns, lossRate, requests }: SessionStats = collector.stats();
 * console.log(`${turns} turns, loss rate ${lossRate}, chain rate ${requests.chainRate}`);
 * ```
 */
export interface SessionStats extends LossStats {
  /** The same by model; `unknown` without the model boundary. */
  readonly models: Readonly<Record<string, LossStats>>;
  /** Requests to the model; they count only with the model boundary. */
  readonly requests: PlanStats;
  /**
   * The plans that mode `chain` would have made in other modes: one for each request with the model boundary, otherwise one
   * for each turn, as the ledger predicts it.
   */
  readonly shadowPlans: PlanStats;
  /** Reads that restored items which the list had lost. */
  readonly restored: {
    readonly reads: number;
    readonly items: number;
    /** The number of restored items by source. */
    readonly sources: { readonly [source in ItemSource]?: number };
  };
  /** The number of other events by type. */
  readonly events: { readonly [type in CountedEvent]?: number };
}
