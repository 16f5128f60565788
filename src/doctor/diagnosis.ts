import type { AgentInputItem } from '@openai/agents';
import type { Finding, FindingKind } from '../history/compare-list.ts';
import type { ItemSource } from '../history/restore.ts';

/**
 * The state of a conversation.
 *
 * `whole`: the list shows every item that is known to belong to it. `repairable`: the list does not, and every item can be
 * restored. `unrecoverable`: an item or an answer is missing, and no given source holds it. `unknown`: the given sources
 * are not enough to tell.
 */
export type Verdict = 'whole' | 'repairable' | 'unrecoverable' | 'unknown';

/**
 * The state of an item.
 *
 * `listed`: in the list. `lost`: no longer in the list. `pending`: in the ledger, not yet written to the conversation.
 * `local`: in the ledger only, because the API has no form for it. `removed`: removed from the history, and still in the
 * list.
 */
export type TimelineItemStatus = 'listed' | 'lost' | 'pending' | 'local' | 'removed';

/** A source that holds an item's content. */
export interface ContentSource {
  /** `response`: the output of that response; `chain`: the input of that response. */
  readonly source: ItemSource;
  /** The response, with `response` and `chain`. */
  readonly responseId?: string;
}

/** One item, in the order of the conversation. */
export interface TimelineItem {
  /** Position in the history, counted from 0; null for a removed item. */
  readonly index: number | null;
  /** The item's ID in the conversation, else the ID under which it is known; null when it has none. */
  readonly id: string | null;
  /** The item's type, such as `message:assistant`. */
  readonly kind: string;
  readonly status: TimelineItemStatus;
  /** Positions in the list, counted from 0; several when the item is listed more than once. */
  readonly positions: readonly number[];
  /** `lost`, `duplicated`, `reordered`, `foreign`, `altered`. */
  readonly findings: readonly FindingKind[];
  /** The turn, counted from 1. A turn begins with a message of a user or a caller. */
  readonly turn: number;
  /** The response that produced the item, or, for an input, the response that was given it first; null when unknown. */
  readonly responseId: string | null;
  /** Every source that holds the original content, best first; empty when it cannot be restored. */
  readonly sources: readonly ContentSource[];
  /** The item itself, from the best source. Only with the option `content`. */
  readonly item?: AgentInputItem;
}

/**
 * The part of a response in the conversation.
 *
 * `used`: part of the conversation. `missing`: deleted, expired, never stored, or of another account. `unfinished`: still
 * in progress. `failed`: failed or cancelled, so its output was never part. `elsewhere`: made in another conversation.
 * `unrelated`: shares nothing with this conversation, like a response of an agent used as a tool. `superseded`: a second
 * answer to an input that has another answer here, as after a retry or a branch. `unrecorded`: not in the ledger, although
 * the ledger is complete.
 */
export type DiagnosedResponseStatus =
  | 'used'
  | 'missing'
  | 'unfinished'
  | 'failed'
  | 'elsewhere'
  | 'unrelated'
  | 'superseded'
  | 'unrecorded';

/** A response that the diagnosis looked at. */
export interface DiagnosedResponse {
  readonly id: string;
  readonly status: DiagnosedResponseStatus;
  /** The origin of its ID: the caller, the ledger, or a response that continues it. */
  readonly from: 'given' | 'ledger' | 'chain';
  readonly parent: string | null;
  /** Creation time, in milliseconds since the epoch. */
  readonly time: number | null;
}

/**
 * The kind of a caveat.
 *
 * `no_evidence`: there is nothing to compare the list with. `before_first`: losses before the oldest readable response are
 * unknown. `unaccounted`: items of the list that no response accounts for, so their neighbours may be lost. `unanswered`: a
 * message or a tool call without a known answer. `lone_reasoning`: reasoning without the output that followed it.
 * `response_missing`: a response of the conversation could not be read any more. `response_unknown`: a given response could
 * not be read, and nothing says that it belongs here. `unproven`: items that the ledger took from a list, which may have
 * lost their neighbours. `ledger_empty`: the ledger does not know this conversation. `list_gone`: the conversation no longer
 * exists.
 */
export type CaveatKind =
  | 'no_evidence'
  | 'before_first'
  | 'unaccounted'
  | 'unanswered'
  | 'lone_reasoning'
  | 'response_missing'
  | 'response_unknown'
  | 'unproven'
  | 'ledger_empty'
  | 'list_gone';

/** A limit of the diagnosis. */
export interface Caveat {
  readonly kind: CaveatKind;
  /** The number of items or responses concerned. */
  readonly count: number;
  /** Their positions in the history; empty when it concerns no single item. */
  readonly indexes: readonly number[];
}

/** The sources that establish the order and the completeness of the history. */
export type Evidence = 'ledger' | 'ledger_and_responses' | 'responses' | 'list';

/** The result of `diagnose()`: the items of a conversation, the state of its list, and the sources of lost items. */
export interface Diagnosis {
  /** The session's present conversation. */
  readonly conversationId: string;
  /** The ID or name that was given: the present conversation, an earlier one, or the session's name. */
  readonly askedFor: string;
  readonly verdict: Verdict;
  readonly evidence: Evidence;
  /** The number of items that are known to belong to the conversation. */
  readonly length: number;
  /** The number of items in its list; null when the conversation is gone. */
  readonly listed: number | null;
  /** The number of items that are known to be lost; null when none is known and there may be some. */
  readonly lost: number | null;
  /** The digest of the whole history, as in the ledger. */
  readonly digest: string;
  readonly timeline: readonly TimelineItem[];
  readonly findings: readonly Finding[];
  readonly responses: readonly DiagnosedResponse[];
  readonly caveats: readonly Caveat[];
}
