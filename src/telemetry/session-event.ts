import type { MissingItem } from '../errors/history-incomplete-error.ts';
import type { Finding } from '../history/finding.ts';
import type { ItemSource } from '../history/restore.ts';
import type { AnchorObstacle } from '../model/anchor.ts';
import type { PlannedRequest } from '../model/chain.ts';
import type { PlanReason } from '../model/plan.ts';
import type { Mode } from '../rollout/mode.ts';
import type { RolloutProblem } from '../rollout/resolve-mode.ts';

/** How many items came from each source. */
export type SourceCounts = { readonly [source in ItemSource]?: number };

/** Whether a turn's first request continued from the previous response, or would have in mode `chain`. */
export interface TurnChain {
  readonly possible: boolean;
  readonly reason: PlanReason;
  /** `request`: the request was seen. `forecast`: it was not, and this is what the ledger makes of it. */
  readonly basis: 'request' | 'forecast';
  /** What chaining saved or would have saved, as JSON in bytes; a forecast counts it in `shadow` only. */
  readonly savedBytes: number;
}

/** What is told of a turn. */
export interface TurnEvent {
  readonly type: 'turn';
  readonly sessionId: string;
  readonly mode: Mode;
  /** The response that ended it; undefined for a model that gives its responses no ID. */
  readonly responseId: string | undefined;
  /** The model that answered, where the model boundary is in use. */
  readonly model: string | undefined;
  /** How many items the list lacked when the history was read; undefined where the list was not compared. */
  readonly lost: number | undefined;
  /** How many of them it still had at the turn before. */
  readonly newlyLost: number | undefined;
  /** Requests to the model, where the model boundary is in use. */
  readonly requests: number;
  /** How many of them were chained. */
  readonly chained: number;
  readonly chain: TurnChain;
}

/**
 * What a session tells `onEvent`. Never content, never a key: IDs, kinds, counts and reasons.
 *
 * - `lost`: the list no longer holds items that the ledger knows; in `shadow` they are missing from what is served; `off` does not tell.
 * - `restored`: the history was served whole although the list lacked items; from where they came.
 * - `incomplete`: items that no source has; with `onIncomplete: 'warn'` the rest was served.
 * - `adopted`: another writer's items were taken into the ledger; `unproven` when the ledger knew nothing of the session.
 * - `mirror_failed`: the conversation could not be brought up to date; the ledger holds what is pending.
 * - `mirror_skipped`: the conversation can never hold this item; it lives in the ledger alone.
 * - `list_failed`: the list could not be read, so the history was served from the ledger unchecked.
 * - `turn`: a turn ended with a response: what the list lacked when it began, and whether it was or could have been chained;
 *   to `onEvent` in `shadow` only, to observers in every mode but `off`.
 * - `planned`: one request to the model: chained or replayed, and why.
 * - `unanchored`: a runner with anchored history was handed all of it, and why.
 * - `parent_refused`: the server would not continue from a response, so everything was sent instead.
 * - `rollout_failed`: the rollout threw, was too slow, or answered what is no mode; its default mode was taken. `code`: what was
 *   thrown, as one word, such as `FLAG_NOT_FOUND`.
 * - `ledger_damaged`: the newest record of the ledger cannot be read; what it said is lost, and is passed over.
 * - `conflict`: another writer appended first; both turns stay.
 */
export type HybridSessionEvent =
  | TurnEvent
  | ({ readonly type: 'planned'; readonly sessionId: string } & PlannedRequest)
  | {
      readonly type: 'parent_refused';
      readonly sessionId: string;
      readonly parentId: string;
      readonly reason: string;
    }
  | { readonly type: 'unanchored'; readonly sessionId: string; readonly reason: AnchorObstacle }
  | {
      readonly type: 'lost';
      readonly sessionId: string;
      readonly mode: Mode;
      readonly findings: readonly Finding[];
    }
  | {
      readonly type: 'restored';
      readonly sessionId: string;
      readonly count: number;
      readonly sources: SourceCounts;
    }
  | { readonly type: 'incomplete'; readonly sessionId: string; readonly missing: readonly MissingItem[] }
  | {
      readonly type: 'adopted';
      readonly sessionId: string;
      readonly count: number;
      readonly unproven: boolean;
    }
  | {
      readonly type: 'mirror_failed';
      readonly sessionId: string;
      readonly pending: number;
      readonly reason: string;
    }
  | {
      readonly type: 'mirror_skipped';
      readonly sessionId: string;
      readonly kind: string;
      readonly reason: string;
    }
  | { readonly type: 'list_failed'; readonly sessionId: string; readonly reason: string }
  | {
      readonly type: 'rollout_failed';
      readonly sessionId: string;
      readonly mode: Mode;
      readonly reason: RolloutProblem;
      readonly code: string | undefined;
    }
  | { readonly type: 'ledger_damaged'; readonly sessionId: string; readonly position: number }
  | { readonly type: 'conflict'; readonly sessionId: string; readonly version: number };

/** Receives events; what it throws is ignored, so that watching never costs a turn. */
export type EventListener = (event: HybridSessionEvent) => void;
