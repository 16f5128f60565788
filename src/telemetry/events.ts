import type { MissingItem } from '../errors/session.ts';
import type { Finding } from '../history/compare-list.ts';
import type { SourceCounts } from '../history/restore.ts';
import type { PlannedRequest } from '../chaining/port.ts';
import type { PlanReason } from '../chaining/plan-reason.ts';
import type { Mode } from '../rollout/mode.ts';

/** Whether a turn's first request continued from the previous response, or could have in mode `chain`. */
export interface TurnChain {
  readonly possible: boolean;
  readonly reason: PlanReason;
  /** `request`: the request was seen. `forecast`: the request was not seen, and the ledger predicts its plan. */
  readonly basis: 'request' | 'forecast';
  /** The bytes that chaining saved or could have saved, as JSON; a forecast counts them in `shadow` only. */
  readonly savedBytes: number;
}

/**
 * A turn ended with a response. Not emitted in mode `off`.
 *
 * @example
 * ```ts
 * new HybridSession({
 *   onEvent: (event) => {
 *     if (event.type === 'turn') console.log(event.plans.map(({ plan, reason }) => `${plan} (${reason})`));
 *   },
 * });
 * ```
 */
export interface TurnEvent {
  readonly type: 'turn';
  readonly sessionId: string;
  readonly mode: Mode;
  /** The response that ended the turn; undefined for a model that gives its responses no ID. */
  readonly responseId: string | undefined;
  /** The model that answered; undefined without the model boundary. */
  readonly model: string | undefined;
  /** The number of items that the list lacked when the history was read; undefined if the list was not compared. */
  readonly lost: number | undefined;
  /** The number of lost items that the list still had at the turn before. */
  readonly newlyLost: number | undefined;
  /** The requests to the model in order; empty without the model boundary. */
  readonly plans: readonly PlannedRequest[];
  readonly chain: TurnChain;
}

/**
 * A session noticed a problem and handled it; the run went on. The code says which problem:
 *
 * - `adopted`: the session took `count` items of another writer into the ledger, unproven.
 * - `bookmark_failed`: the bookmark could not be written; a process without the ledger will adopt the list.
 * - `bookmark_ignored`: the bookmark does not prove the history; the session adopted the list, unproven.
 * - `compaction_failed`: the history could not be compacted; it stays as it was.
 * - `compaction_left_out`: the model could not read a compaction; it was sent the whole history, and is from now on.
 * - `conflict`: another writer appended first, up to version `position`; both turns stay.
 * - `foreign_fields_left_out`: the server refused fields of another provider; the request was sent again without them.
 * - `foreign_item`: the API answered a write with an item of another writer; the session removed it from the conversation.
 * - `full_history`: a runner with `history: 'reference'` was given the whole history; `reason` says why.
 * - `input_unsaved`: the SDK's runner did not save the input of a turn whose response begins with a compaction.
 * - `ledger_damaged`: the record at `position`, the newest, cannot be read; the session skipped it.
 * - `list_failed`: the list could not be read; the session served the history from the ledger, unchecked.
 * - `mirror_failed`: the conversation could not be brought up to date; `count` changes are pending in the ledger. With the reason
 *   `another process holds the lease`, that process writes them, or the next push after its lease has expired.
 * - `mirror_skipped`: a conversation cannot hold this item (`itemKind`); the ledger holds it.
 * - `no_conversations`: the server has no conversations; with `mirror: 'background'` the ledger alone holds the history.
 * - `parent_ignored`: the server answered a chained request without the parent's context; everything was sent.
 * - `parent_maybe_ignored`: a chained answer counted fewer input tokens than its parent; the next request sends everything.
 * - `parent_refused`: the server refused to continue from the response in `ids`; everything was sent.
 * - `reasoning_left_out`: the server refused stored reasoning; the request was sent again without it.
 * - `rollout_failed`: the rollout threw (`cause`: the error's code or name), was too slow, or returned no mode; `mode` was used.
 * - `store_rewound`: the ledger's store lost records. The session appended again those that it had; other missing records
 *   leave the history unproven.
 * - `turn_unsaved`: the run has a `previousResponseId` or `conversationId` of the caller, so the SDK's runner saves nothing of it.
 */
export type WarningCode =
  | 'adopted'
  | 'bookmark_failed'
  | 'bookmark_ignored'
  | 'compaction_failed'
  | 'compaction_left_out'
  | 'conflict'
  | 'foreign_fields_left_out'
  | 'foreign_item'
  | 'full_history'
  | 'input_unsaved'
  | 'ledger_damaged'
  | 'list_failed'
  | 'mirror_failed'
  | 'mirror_skipped'
  | 'no_conversations'
  | 'parent_ignored'
  | 'parent_maybe_ignored'
  | 'parent_refused'
  | 'reasoning_left_out'
  | 'rollout_failed'
  | 'store_rewound'
  | 'turn_unsaved';

/** A session noticed a problem and handled it; `WarningCode` lists the codes. */
export interface WarningEvent {
  readonly type: 'warning';
  readonly sessionId: string;
  readonly code: WarningCode;
  /** The reason, in a few fixed words. */
  readonly reason?: string;
  /** The IDs of the responses or items. */
  readonly ids?: readonly string[];
  /** The number of items or changes. */
  readonly count?: number;
  /** A position in the ledger, counted from 0. */
  readonly position?: number;
  /** An item's type, such as `message:assistant`. */
  readonly itemKind?: string;
  /** The mode that was used. */
  readonly mode?: Mode;
  /** The code or name of an error that other code threw, as one word. */
  readonly cause?: string | undefined;
}

/**
 * An event of a session: IDs, kinds, counts and reasons, never content, never a key.
 *
 * - `lost`: the list no longer holds items that the ledger knows; mode `shadow` serves the history without them, and `off` does
 *   not tell. A process tells each item once, and again if it came back and was lost anew; `total` counts all.
 * - `restored`: the history was served whole although the list lacked items.
 * - `incomplete`: no source has these items; with `onIncomplete: 'warn'` the rest was served.
 * - `turn`: a turn ended with a response.
 * - `compacted`: a model sees a compaction in place of earlier items; the transcript keeps them.
 * - `conversation_changed`: the history is mirrored to another conversation, after a heal or a clear.
 * - `warning`: the session noticed a problem and handled it; `code` says which.
 */
export type HybridSessionEvent =
  | TurnEvent
  | WarningEvent
  | {
      readonly type: 'lost';
      readonly sessionId: string;
      readonly mode: Mode;
      /** The newly lost items. */
      readonly findings: readonly Finding[];
      /** The number of items that the list lacks, with those told before. */
      readonly total: number;
    }
  | {
      readonly type: 'restored';
      readonly sessionId: string;
      readonly count: number;
      readonly sources: SourceCounts;
    }
  | { readonly type: 'incomplete'; readonly sessionId: string; readonly missing: readonly MissingItem[] }
  | {
      readonly type: 'compacted';
      readonly sessionId: string;
      /** The number of items that a model sees. */
      readonly items: { readonly before: number; readonly after: number };
      /** The tokens that the API counted: those that it compacted, and those that it wrote. */
      readonly tokens: { readonly before: number; readonly after: number };
    }
  | { readonly type: 'conversation_changed'; readonly sessionId: string; readonly conversationId: string };

/** Receives events. An exception that it throws is ignored, so that observing never costs a turn. */
export type EventListener = (event: HybridSessionEvent) => void;

/** The name under which an event is counted: a warning counts under its code. */
export function countedAs(
  event: HybridSessionEvent,
): Exclude<HybridSessionEvent['type'], 'warning'> | WarningCode {
  return event.type === 'warning' ? event.code : event.type;
}
