import type { AgentInputItem } from '@openai/agents';
import type { Anchor } from './anchor.ts';
import type { ChainView, Parent } from './chain.ts';
import { behindChain } from './for-model.ts';
import { answeredCalls, openCalls } from './tool-calls.ts';

/**
 * Why a request was chained or replayed.
 *
 * - `extends`: the longest prefix that is the context of a recorded response; the rest is sent. The only reason to chain.
 * - `mode`: the session is not in mode `chain`.
 * - `caller-set`: the caller set `previousResponseId` or `conversationId`.
 * - `prompt`: a prompt template adds messages of its own at every request.
 * - `unsupported-model`: the model does not speak the Responses API.
 * - `no-parent`: no response with a known context is recorded yet.
 * - `diverged`: no recorded response ends any prefix of this context.
 * - `nothing-new`: a recorded response ends the whole context, so there would be nothing to send.
 * - `not-stored`: the response was made with `store: false`.
 * - `expired`: the response, or one that it goes back to, is older than `responseTtl`.
 * - `parent-refused`: the server refused to continue from the response.
 * - `unanswered-tool-call`: the context ends with calls whose outputs are not in the rest.
 * - `sent-by-id`: the rest holds an item that the API only takes by its ID, such as a hosted tool's call.
 * - `ledger-unavailable`: the ledger could not be read.
 */
export type PlanReason =
  | 'extends'
  | 'mode'
  | 'caller-set'
  | 'prompt'
  | 'unsupported-model'
  | 'no-parent'
  | 'diverged'
  | 'nothing-new'
  | 'not-stored'
  | 'expired'
  | 'parent-refused'
  | 'unanswered-tool-call'
  | 'sent-by-id'
  | 'ledger-unavailable';

/** Continue from a response and send the rest, or send everything. */
export type Plan =
  | {
      readonly type: 'chain';
      readonly reason: 'extends';
      readonly parent: Parent;
      /** What follows the parent's context, as it is sent. */
      readonly rest: readonly AgentInputItem[];
    }
  | { readonly type: 'replay'; readonly reason: Exclude<PlanReason, 'extends'> };

/** A request as far as a plan depends on it. */
export interface PlannableRequest {
  /** What stands before the items, where the request has an anchor in its place; no call in it is unanswered. */
  readonly anchor: Anchor | undefined;
  readonly items: readonly AgentInputItem[];
  /** The digests of the context with the first 0, 1, 2, ... items; one more than there are items. */
  readonly contexts: readonly string[];
  /** Why the request cannot be chained whatever is recorded. */
  readonly obstacle: 'caller-set' | 'prompt' | 'unsupported-model' | undefined;
}

/** Decides about one request. Pure. */
export function plan(request: PlannableRequest, view: ChainView): Plan {
  if (request.obstacle !== undefined) return { type: 'replay', reason: request.obstacle };
  if (view.empty) return { type: 'replay', reason: 'no-parent' };
  let reason: Exclude<PlanReason, 'extends'> = 'diverged';
  const { anchor, items, contexts } = request;
  for (let from = items.length; from >= (anchor === undefined ? 1 : 0); from -= 1) {
    const context = contexts[from];
    // Items that no digest covers belong to what stands before them: only the longest prefix of a context counts.
    if (context === undefined || context === contexts[from + 1]) continue;
    for (const parent of view.candidates(context)) {
      const rest = restBehind(parent, from, request, view);
      if (typeof rest !== 'string') return { type: 'chain', reason: 'extends', parent, rest };
      // The longest match tells most about why nothing was chained.
      if (reason === 'diverged') reason = rest;
    }
  }
  return { type: 'replay', reason };
}

/**
 * When the oldest response was made that is continued with this one.
 *
 * What becomes of a response whose ancestors expire is the server's secret: they may be missing from the context.
 */
export function beginningOf({ time, context }: Parent): number {
  return context?.since ?? time;
}

/** What would be sent behind this parent, or why it cannot be continued from. */
function restBehind(
  parent: Parent,
  from: number,
  { items }: PlannableRequest,
  view: ChainView,
): readonly AgentInputItem[] | Exclude<PlanReason, 'extends'> {
  if (from === items.length) return 'nothing-new';
  if (!parent.store) return 'not-stored';
  if (view.now - beginningOf(parent) > view.responseTtl) return 'expired';
  if (view.isRefused(parent.id)) return 'parent-refused';
  const answered = answeredCalls(items.slice(from));
  const open = openCalls(items.slice(0, from));
  if ([...open].some((callId) => !answered.has(callId))) return 'unanswered-tool-call';
  return behindChain(items.slice(from)) ?? 'sent-by-id';
}
