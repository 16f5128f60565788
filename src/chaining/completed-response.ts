import type { AgentInputItem, ModelRequest } from '@openai/agents';
import { clock } from '../util/clock.ts';
import { isObject } from '../util/json.ts';
import type { CompletedResponse, Parent, ContextTokens } from './port.ts';
import { replayInputBytes } from '../items/model-input.ts';
import type { ModelServer } from './server.ts';
import { beginningOf } from './plan.ts';
import type { Plan, PlannableRequest } from './plan.ts';
import { compactsItself, extendContext, rawFields } from './request.ts';
import { EMPTY_DIGEST } from '../items/digest.ts';
import { openCalls } from '../items/tool-calls.ts';
import { hash } from 'node:crypto';
import { itemType } from '../items/item-types.ts';
import { apiTypeOf } from '../items/read-item.ts';

/** A response as the model class returns it. */
export interface ReceivedResponse {
  readonly id: string | undefined;
  readonly output: readonly AgentInputItem[];
  /** The body of the response, as far as the SDK passes it on. */
  readonly body: unknown;
  readonly usage: unknown;
}

/** The request of a response. */
export interface SentRequest {
  readonly request: ModelRequest;
  readonly plannable: PlannableRequest;
  readonly server: ModelServer;
  readonly plan: Plan;
  /** The recorded response whose context the request extends, and the items behind it, whether or not it was sent so. */
  readonly extension: Extract<Plan, { type: 'chain' }> | undefined;
  /** The response that the request continued from. */
  readonly parent: Parent | undefined;
  /** The name of the agent, if it is known. */
  readonly agent?: string | undefined;
  /** Unrecorded earlier responses of the same turn whose contexts this one extends. */
  readonly lineage: readonly string[];
}

/** The record of a complete response with its context; undefined if no request can continue from the response. */
export function completedResponse(
  received: ReceivedResponse,
  sent: SentRequest,
): CompletedResponse | undefined {
  const { id, output, body } = received;
  const facts = isObject(body) ? body : {};
  const { reference, obstacle, items, contexts, server } = sent.plannable;
  if (typeof id !== 'string' || id === '' || obstacle !== undefined) return undefined;
  if (facts['status'] !== undefined && facts['status'] !== 'completed') return undefined;
  // The server keeps items that the model class left out, so a chain would show them to the model.
  if (Array.isArray(facts['output']) && facts['output'].length !== output.length) return undefined;
  const { parent, request, lineage } = sent;
  const open = [...openCalls(output)];
  const counted = countedTokens(received.usage);
  // A model sees nothing before a compaction in its output again.
  const compaction = output.findLastIndex(({ type }) => type === 'compaction');
  const before = compaction === -1 ? (reference?.length ?? 0) + items.length : 0;
  const beginning = compaction === -1 ? (contexts.at(-1) ?? '') : EMPTY_DIGEST;
  const shown = output.slice(Math.max(0, compaction));
  return {
    id,
    time: clock.now(),
    store: isStored(body, request),
    model: typeof facts['model'] === 'string' ? facts['model'] : undefined,
    parent: parent?.id,
    context: {
      length: before + shown.length,
      digest: extendContext(beginning, shown),
      bytes: contextBytes(sent, output),
      server,
      ...(parent === undefined ? {} : { since: beginningOf(parent) }),
      ...(open.length === 0 ? {} : { open }),
      ...countedContext(counted, output, sent),
    },
    usage: counted === undefined ? undefined : { requests: 1, ...counted },
    plan: parent === undefined && reference === undefined ? 'replay' : sent.plan.type,
    agent: sent.agent,
    ...(compaction === -1
      ? {}
      : { compacting: { items: [...items, ...output.slice(0, compaction)], contexts } }),
    lineage,
  };
}

/** Whether the server stores a response: the body decides, otherwise the request. */
export function isStored(body: unknown, { modelSettings }: ModelRequest): boolean {
  const stored = isObject(body) ? body['store'] : undefined;
  return (stored ?? modelSettings.store ?? true) !== false;
}

/** The size of a response's context as JSON, in bytes; undefined if the size of the referenced history is unknown. */
function contextBytes(
  { extension, plannable: { reference, items } }: SentRequest,
  output: readonly AgentInputItem[],
): number | undefined {
  const known = extension?.parent.context?.bytes;
  if (extension !== undefined && known !== undefined)
    return known + replayInputBytes(extension.rest) + replayInputBytes(output);
  return reference === undefined ? replayInputBytes(items) + replayInputBytes(output) : undefined;
}

/** Checks the server's token count against the parent's context, and derives the minimum for the next request. */
function countedContext(
  counted: CountedTokens | undefined,
  output: readonly AgentInputItem[],
  { request, server, parent, plan, plannable: { reference, items } }: SentRequest,
): Pick<CompletedResponse['context'], 'tokens' | 'doubtful'> {
  const frame = frameOf(request, server);
  const known = parent?.context?.tokens;
  if (lacksContext(counted, frame, known)) return { doubtful: true };
  const isWhole = parent === undefined && reference === undefined;
  const tokens = contextTokens({
    shown: parent !== undefined && plan.type === 'chain' ? plan.rest : items,
    output,
    counted,
    frame,
    before: isWhole ? 'nothing' : known,
  });
  return tokens === undefined ? {} : { tokens };
}

/** The token counts of a response. */
export interface CountedTokens {
  readonly input: number;
  /** The part of `input` that the server had in its cache. */
  readonly cached: number;
  readonly output: number;
  /** The part of `output` that is reasoning. */
  readonly reasoning: number;
}

/** Output may count up to this many more tokens than the same items count as input. */
const MAX_OUTPUT_OVERHEAD = 16;

/** Servers round reasoning tokens to multiples of this number. */
const REASONING_STEP = 64;

/** Parses the SDK's `usage`; undefined if the server counts no tokens. */
function countedTokens(usage: unknown): CountedTokens | undefined {
  if (!isObject(usage)) return undefined;
  const { inputTokens, inputTokensDetails, outputTokens, outputTokensDetails } = usage;
  if (typeof inputTokens !== 'number' || inputTokens <= 0) return undefined;
  return {
    input: inputTokens,
    cached: sumOf(inputTokensDetails, 'cached_tokens'),
    output: typeof outputTokens === 'number' ? outputTokens : 0,
    reasoning: sumOf(outputTokensDetails, 'reasoning_tokens'),
  };
}

/** The sum of a field of the SDK's details, one object or a list of them. */
function sumOf(details: unknown, field: string): number {
  const all: readonly unknown[] = Array.isArray(details) ? details : [details];
  const counts = all.map((detail) => (isObject(detail) ? detail[field] : undefined));
  return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
}

/**
 * The hash of everything in a request besides its items, such as instructions, tools and the output type.
 *
 * @returns undefined if the server may truncate the context.
 */
function frameOf(request: ModelRequest, server: ModelServer): string | undefined {
  const { systemInstructions, tools, handoffs, outputType, modelSettings } = request;
  const { toolChoice, parallelToolCalls, reasoning, text, truncation, providerData } = modelSettings;
  const raw = rawFields(request);
  if (truncation === 'auto' || raw['truncation'] === 'auto') return undefined;
  if (compactsItself(request)) return undefined;
  const settings = [toolChoice, parallelToolCalls, reasoning, text, providerData];
  const frame = [server.mark, server.model, systemInstructions, tools, handoffs, outputType, settings];
  return hash('sha256', JSON.stringify(frame), 'base64url').slice(0, 12);
}

/** A response with the facts about its context's size. */
export interface CountedResponse {
  /** The items that were sent. */
  readonly shown: readonly AgentInputItem[];
  readonly output: readonly AgentInputItem[];
  readonly counted: CountedTokens | undefined;
  readonly frame: string | undefined;
  /** The size of the context before the sent items; undefined if it is unknown. */
  readonly before: ContextTokens | 'nothing' | undefined;
}

/**
 * The minimum number of input tokens of a request that continues from this response.
 *
 * @returns undefined if the number cannot be derived.
 */
function contextTokens({
  shown,
  output,
  counted,
  frame,
  before,
}: CountedResponse): ContextTokens | undefined {
  if (counted === undefined || frame === undefined || before === undefined) return undefined;
  const read = shown.map((item) => apiTypeOf(item));
  const written = output.map((item) => apiTypeOf(item));
  if (![...read, ...written].every((type) => itemType(type).hasSteadyTokens) || read.includes('reasoning'))
    return undefined;
  const hidden = before === 'nothing' ? 0 : before.reasoning;
  const isReasoned = counted.reasoning > 0 || written.includes('reasoning');
  const isReadAgain = !isReasoned && written.every((type) => type === 'message');
  return {
    least: counted.input - hidden + (isReadAgain ? Math.max(0, counted.output - MAX_OUTPUT_OVERHEAD) : 0),
    reasoning: hidden + (isReasoned ? counted.reasoning + REASONING_STEP : 0),
    frame,
  };
}

/** Whether a chained response counted fewer input tokens than its parent's context alone. */
function lacksContext(
  tokens: CountedTokens | undefined,
  frame: string | undefined,
  parent: ContextTokens | undefined,
): boolean {
  if (tokens === undefined || parent === undefined || frame !== parent.frame) return false;
  return tokens.input < parent.least;
}
