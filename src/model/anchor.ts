import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf } from '../ledger/json.ts';
import { providerDataOf } from './api-type.ts';
import type { PlanReason } from './plan.ts';

/** What an item says that stands for the history of a session. */
export interface Anchor {
  readonly sessionId: string;
  /** The ledger's version at which the history is the one meant. */
  readonly version: number;
  /** How many items it has, and their digest. */
  readonly length: number;
  readonly digest: string;
}

/**
 * Who would see an anchor instead of the history, so that the whole history is handed to the runner.
 *
 * - `caller-set`: the caller set `previousResponseId` or `conversationId`.
 * - `session-input-callback`, `model-input-filter`, `input-guardrail`, `handoff-filter`, `error-handler`,
 *   `agent-start-listener`: a function of the caller's is shown the history.
 * - `tool-search`: the SDK looks in the history for tools that were loaded before.
 * - `sandbox`: a sandbox agent works on the history.
 * - `reasoning-policy`: the SDK is to take the IDs out of the reasoning in the history.
 * - `input-items`: the input refers to a program in the history.
 * - `own-model`: an agent has a `Model` of its own that is not wrapped by `chainedModel`.
 */
export type HistoryObserver =
  | 'caller-set'
  | 'session-input-callback'
  | 'model-input-filter'
  | 'input-guardrail'
  | 'handoff-filter'
  | 'error-handler'
  | 'agent-start-listener'
  | 'tool-search'
  | 'sandbox'
  | 'reasoning-policy'
  | 'input-items'
  | 'own-model';

/**
 * Why a history is handed to the runner whole: somebody would see the anchor, or the newest response cannot be continued
 * from, or (`check-list`) the list is to be compared at every read.
 */
export type AnchorObstacle =
  | HistoryObserver
  | 'check-list'
  | Extract<
      PlanReason,
      | 'mode'
      | 'no-parent'
      | 'diverged'
      | 'not-stored'
      | 'expired'
      | 'parent-refused'
      | 'unanswered-tool-call'
      | 'prompt'
      | 'unsupported-model'
      | 'ledger-unavailable'
    >;

/** What is known of the history of a session without reading it. */
export interface AnchoredHistory {
  /** What stands for the history at the beginning of a turn, or why nothing can. */
  anchor(): Promise<Anchor | AnchorObstacle>;
  /**
   * The items that an anchor stands for, as the model is shown them.
   *
   * @throws HistoryAnchorError when it is not of this session, or the history it means is gone; HistoryIncompleteError.
   */
  expand(anchor: Anchor): Promise<AgentInputItem[]>;
  /** The history was handed to the runner whole. */
  unanchored(why: AnchorObstacle): void;
}

const TYPE = 'hybrid_session.anchor';

/** The item that stands for a history in the input of a run. */
export function anchorItem(anchor: Anchor): AgentInputItem {
  return { type: 'unknown', providerData: { type: TYPE, ...anchor } };
}

/** What an item stands for; undefined for one that is just itself. */
export function anchorOf(item: AgentInputItem | undefined): Anchor | undefined {
  if (!isObject(item) || item['type'] !== 'unknown') return undefined;
  const { type, sessionId, version, length, digest } = providerDataOf(item);
  if (type !== TYPE || typeof version !== 'number' || typeof length !== 'number') return undefined;
  return { sessionId: textOf(sessionId), version, length, digest: textOf(digest) };
}
