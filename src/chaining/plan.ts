import type { AgentInputItem } from '@openai/agents';
import type { HistoryReference } from './history-reference.ts';
import type { ChainView, Parent, PlannedRequest } from './port.ts';
import type { PlanReason } from './plan-reason.ts';
import { toIncrementalInput } from '../items/model-input.ts';
import { answeredCalls, openCalls } from '../items/tool-calls.ts';

/** The plan of a request: `chain` continues from a response, and `replay` sends the full history. */
export type Plan =
  | {
      readonly type: 'chain';
      readonly reason: 'extends';
      readonly parent: Parent;
      /** The items to send after the parent's context. */
      readonly rest: readonly AgentInputItem[];
    }
  | { readonly type: 'replay'; readonly reason: Exclude<PlanReason, 'extends'> };

/** The parts of a request that determine its plan. */
export interface PlannableRequest {
  /** The reference to the history before the items, if the request has one. All calls in that history are answered. */
  readonly reference: HistoryReference | undefined;
  readonly items: readonly AgentInputItem[];
  /** The digests of the context with the first 0, 1, 2, ... items; one more than there are items. */
  readonly contexts: readonly string[];
  /** The mark of the request's server and account. */
  readonly server: string;
  /** A property of the request that rules out chaining. */
  readonly obstacle: 'caller_set' | 'prompt' | 'unsupported_model' | undefined;
}

/** Plans one request, without side effects. */
export function plan(request: PlannableRequest, view: ChainView): Plan {
  if (request.obstacle !== undefined) return { type: 'replay', reason: request.obstacle };
  if (view.empty) return { type: 'replay', reason: 'no_parent' };
  let reason: Exclude<PlanReason, 'extends'> = 'diverged';
  const { reference, items, contexts } = request;
  // A response before a compaction has the items that the compaction stands for in its context.
  const least = items.findLastIndex(({ type }) => type === 'compaction') + 1;
  for (let from = items.length; from >= (reference === undefined ? Math.max(1, least) : least); from -= 1) {
    const context = contexts[from];
    // An item without a digest belongs to the items before it, so only the longest prefix of a context counts.
    if (context === undefined || context === contexts[from + 1]) continue;
    for (const parent of view.candidates(context)) {
      const rest = restBehind(parent, from, request, view);
      if (typeof rest !== 'string') return { type: 'chain', reason: 'extends', parent, rest };
      // A server that ignored a context may also ignore a shorter one.
      if (parent.context?.doubtful === true) return { type: 'replay', reason: rest };
      // The longest match gives the most useful reason.
      if (reason === 'diverged') reason = rest;
    }
  }
  return { type: 'replay', reason };
}

/** The items to send after this parent, or the reason against it. */
function restBehind(
  parent: Parent,
  from: number,
  { items, server }: PlannableRequest,
  view: ChainView,
): readonly AgentInputItem[] | Exclude<PlanReason, 'extends'> {
  if (from === items.length) return 'nothing_new';
  const hasUnansweredCall = (): boolean => {
    const answered = answeredCalls(items.slice(from));
    return [...openCalls(items.slice(0, from))].some((callId) => !answered.has(callId));
  };
  const reason = continuable(parent, view, { server, hasUnansweredCall });
  return reason ?? toIncrementalInput(items.slice(from)) ?? 'sent_by_id';
}

/** The facts that decide whether a request may continue from a response. */
export interface ContinuationFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds for which a response can be continued. */
  readonly responseTtl: number;
  /** Whether the server refused to continue from this response. */
  readonly isRefused: (id: string) => boolean;
}

/** A request that may continue from a response. */
export interface ContinuingRequest {
  /** The mark of the request's server and account. */
  readonly server: string;
  /** Whether the response's context ends with calls that the request does not answer. */
  readonly hasUnansweredCall: () => boolean;
}

type ResponseObstacle = 'not_stored' | 'expired' | 'parent_refused';

type RequestObstacle = ResponseObstacle | 'other_server' | 'unanswered_tool_call';

/**
 * The reason for which a request cannot continue from a response; undefined if it can. The plan of a request, the forecast of a
 * turn and the lazy history share this rule.
 *
 * @param request undefined if no request is known yet.
 */
export function continuable(response: Parent, facts: ContinuationFacts): ResponseObstacle | undefined;
export function continuable(
  response: Parent,
  facts: ContinuationFacts,
  request: ContinuingRequest,
): RequestObstacle | undefined;
export function continuable(
  response: Parent,
  { now, responseTtl, isRefused }: ContinuationFacts,
  request?: ContinuingRequest,
): RequestObstacle | undefined {
  const { id, store, context } = response;
  if (!store) return 'not_stored';
  if (now - beginningOf(response) > responseTtl) return 'expired';
  if (request !== undefined && context?.server !== request.server) return 'other_server';
  if (context?.doubtful === true || isRefused(id)) return 'parent_refused';
  return request?.hasUnansweredCall() === true ? 'unanswered_tool_call' : undefined;
}

/**
 * The time of the oldest ancestor of a response, in milliseconds since the epoch.
 *
 * A context may lack the items of expired ancestors; the API does not document it.
 */
export function beginningOf({ time, context }: Parent): number {
  return context?.since ?? time;
}

/** Facts for the description of a plan. */
interface PlannedFor {
  readonly plannable: PlannableRequest;
  /** The response to continue from, even if the server refused it. */
  readonly parentId: string | undefined;
  /** The plan that mode `chain` would use. */
  readonly possible: Plan | undefined;
}

/** Describes a plan by counts and reasons, without content. */
export function describePlan(decided: Plan, { plannable, parentId, possible }: PlannedFor): PlannedRequest {
  const context = (plannable.reference?.length ?? 0) + plannable.items.length;
  const counts = (counted: Plan): Pick<PlannedRequest, 'sent' | 'savedBytes'> =>
    counted.type === 'chain'
      ? { sent: counted.rest.length, savedBytes: counted.parent.context?.bytes ?? 0 }
      : { sent: context, savedBytes: 0 };
  const shadowPlan = decided.reason === 'mode' ? possible : undefined;
  return {
    plan: decided.type,
    reason: decided.reason,
    parentId,
    context,
    ...counts(decided),
    shadowPlan: shadowPlan && { plan: shadowPlan.type, reason: shadowPlan.reason, ...counts(shadowPlan) },
  };
}
