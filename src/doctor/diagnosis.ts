import type { AgentInputItem } from '@openai/agents';
import type { Finding, FindingKind } from '../history/finding.ts';
import type { ItemSource } from '../history/restore.ts';

/**
 * How a conversation is.
 *
 * `whole`: its list shows what is known to belong there. `repairable`: it does not, and everything can be restored.
 * `beyond`: something is known to be missing and is nowhere. `unknown`: what was given cannot tell.
 */
export type Verdict = 'whole' | 'repairable' | 'beyond' | 'unknown';

/**
 * Where an item stands.
 *
 * `listed`: in the list. `lost`: no longer there. `pending`: the ledger holds it and the conversation is still to get it.
 * `local`: the API has no form for it, it lives in the ledger alone. `removed`: taken out of the history, and still in the list.
 */
export type ItemStanding = 'listed' | 'lost' | 'pending' | 'local' | 'removed';

/** A place that holds an item's content. */
export interface ItemPlace {
  /** `response`: among the outputs of that response; `chain`: among the inputs of that response. */
  readonly source: ItemSource;
  /** With `response` and `chain`: which one. */
  readonly responseId?: string;
}

/** One item, in the order in which the conversation was. */
export interface TimelineItem {
  /** Position in the history, counted from 0; null for what was removed, which has none. */
  readonly index: number | null;
  /** The ID that it has or had in the conversation, else the one it is known under; null when it has none. */
  readonly id: string | null;
  /** The item's type, such as `message:assistant`. */
  readonly kind: string;
  readonly standing: ItemStanding;
  /** Where it stands in the list, counted from 0; several positions when it is listed more than once. */
  readonly positions: readonly number[];
  /** What is wrong with it: `lost`, `duplicated`, `reordered`, `foreign`, `altered`. */
  readonly findings: readonly FindingKind[];
  /** The turn it belongs to, counted from 1: a turn begins with what a user or a caller says. */
  readonly turn: number;
  /** The response that made it, or, for an input, the one it was first given to; null when that is not known. */
  readonly responseId: string | null;
  /** Every place that holds it as it was, best first; none when it cannot be restored. */
  readonly places: readonly ItemPlace[];
  /** The item itself, from the best place. Only when content was asked for. */
  readonly item?: AgentInputItem;
}

/**
 * What became of a response.
 *
 * `used`: it is part of the conversation. `missing`: deleted, expired, never stored, or another account's. `unfinished`:
 * still being made. `failed`: failed or cancelled, so its output was never part. `elsewhere`: it belongs to another
 * conversation. `unrelated`: it shares nothing with this one, as an agent that is used as a tool does. `superseded`:
 * another answer to something that was answered otherwise, as by a retry or a branch. `unrecorded`: the ledger, which is
 * complete, does not know it.
 */
export type ResponseStanding =
  | 'used'
  | 'missing'
  | 'unfinished'
  | 'failed'
  | 'elsewhere'
  | 'unrelated'
  | 'superseded'
  | 'unrecorded';

/** A response that was looked at. */
export interface DiagnosedResponse {
  readonly id: string;
  readonly standing: ResponseStanding;
  /** How it became known. */
  readonly from: 'given' | 'ledger' | 'chain';
  readonly parent: string | null;
  /** When it was made, in milliseconds since the epoch. */
  readonly time: number | null;
}

/**
 * What a diagnosis could not know, and about what.
 *
 * `no_evidence`: there is nothing to compare the list with. `before_first`: what was lost before the oldest response
 * that could be read, and is in none, is not known. `unaccounted`: items of the list that no response accounts for, so that
 * their neighbours may be lost. `unanswered`: something was said, or a tool was called, and no answer is known.
 * `response_missing`: a response could not be read any more. `unproven`: items that the ledger took from a list it knew nothing about.
 * `ledger_empty`: the ledger does not know this conversation. `list_gone`: the conversation itself no longer exists.
 */
export type LimitKind =
  | 'no_evidence'
  | 'before_first'
  | 'unaccounted'
  | 'unanswered'
  | 'response_missing'
  | 'unproven'
  | 'ledger_empty'
  | 'list_gone';

/** One thing that could not be known. */
export interface Limit {
  readonly kind: LimitKind;
  /** How many items or responses it is about. */
  readonly count: number;
  /** The positions in the history, or nothing where it is about no single item. */
  readonly indexes: readonly number[];
}

/** What the order and the completeness of the history rest on. */
export type Proof = 'ledger' | 'ledger+responses' | 'responses' | 'list';

/** What is known of a conversation: what belongs to it, what its list shows, what can be restored from where. */
export interface Diagnosis {
  readonly conversationId: string;
  readonly verdict: Verdict;
  readonly proof: Proof;
  /** How many items belong to the conversation, as far as is known. */
  readonly length: number;
  /** How many items its list shows; null when the conversation is gone. */
  readonly listed: number | null;
  /** The digest of the whole history, as the ledger counts it. */
  readonly digest: string;
  readonly timeline: readonly TimelineItem[];
  readonly findings: readonly Finding[];
  readonly responses: readonly DiagnosedResponse[];
  readonly limits: readonly Limit[];
}
