import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf } from '../util/json.ts';
import { providerDataOf } from '../items/read-item.ts';
import type { PlanReason } from './plan-reason.ts';

/** A reference to the history of a session, in place of the items. */
export interface HistoryReference {
  readonly sessionId: string;
  /** The ledger version of the history. */
  readonly version: number;
  /** The number of items. */
  readonly length: number;
  readonly digest: string;
}

/**
 * A feature that reads the history, so that a runner with `history: 'reference'` gets the full history.
 *
 * - `caller_set`: the caller set `previousResponseId` or `conversationId`.
 * - `session_input_callback`, `model_input_filter`, `input_guardrail`, `handoff_filter`, `error_handler`,
 *   `agent_start_listener`: the caller's function receives the history.
 * - `tool_search`: the SDK searches the history for loaded tools.
 * - `sandbox`: a sandbox agent works on the history.
 * - `reasoning_policy`: the SDK removes the IDs of reasoning in the history.
 * - `input_items`: the input refers to a program in the history.
 * - `own_model`: an agent has a `Model` of its own without `chainedModel`.
 *
 * @example
 * ```ts
 * const runner = new HybridRunner({ history: 'reference' });
 * // The filter reads the history, so this run gets all items: `model_input_filter`.
 * await runner.run(agent, 'Hello', { session, callModelInputFilter: ({ modelData }) => modelData });
 * ```
 */
export type HistoryObserver =
  | 'caller_set'
  | 'session_input_callback'
  | 'model_input_filter'
  | 'input_guardrail'
  | 'handoff_filter'
  | 'error_handler'
  | 'agent_start_listener'
  | 'tool_search'
  | 'sandbox'
  | 'reasoning_policy'
  | 'input_items'
  | 'own_model';

/**
 * The reason for which a runner with `history: 'reference'` gets the full history: a feature reads it (`HistoryObserver`), the
 * newest response cannot be continued (`PlanReason`), or every read compares the list (`compare_on_read`).
 *
 * @example
 * ```ts
 * new HybridSession({
 *   onEvent: (event) => {
 *     if (event.type === 'warning' && event.code === 'full_history') console.log(event.reason);
 *   },
 * });
 * ```
 */
export type FullHistoryReason =
  | HistoryObserver
  | 'compare_on_read'
  | Extract<
      PlanReason,
      | 'mode'
      | 'no_parent'
      | 'diverged'
      | 'not_stored'
      | 'expired'
      | 'parent_refused'
      | 'unanswered_tool_call'
      | 'prompt'
      | 'unsupported_model'
      | 'ledger_unavailable'
    >;

/** Creates and expands references to the history of a session. */
export interface HistoryReferences {
  /** @returns the reference for a new turn, or the reason for the full history. */
  reference(): Promise<HistoryReference | FullHistoryReason>;
  /**
   * Reads the items of a reference, in the form for the model.
   *
   * @throws HistoryReferenceError if the reference belongs to another session or its history is gone.
   * @throws HistoryIncompleteError if items are missing.
   */
  expand(reference: HistoryReference): Promise<AgentInputItem[]>;
  /** Reports that the runner got the full history. */
  reportFullHistory(reason: FullHistoryReason): void;
}

/** The value predates the name; interrupted runs carry it. */
const TYPE = 'hybrid_session.anchor';

/** Creates the item that carries a reference in the input of a run. */
export function historyReferenceItem(reference: HistoryReference): AgentInputItem {
  return { type: 'unknown', providerData: { type: TYPE, ...reference } };
}

/** Parses the reference of an item; undefined for other items. */
export function historyReferenceOf(item: AgentInputItem | undefined): HistoryReference | undefined {
  if (!isObject(item) || item['type'] !== 'unknown') return undefined;
  const { type, sessionId, version, length, digest } = providerDataOf(item);
  if (type !== TYPE || typeof version !== 'number' || typeof length !== 'number') return undefined;
  return { sessionId: textOf(sessionId), version, length, digest: textOf(digest) };
}
