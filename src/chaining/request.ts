import { type AgentInputItem, type Model, type ModelRequest, OpenAIResponsesModel } from '@openai/agents';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../items/digest.ts';
import { isObject, type JsonObject } from '../util/json.ts';
import { historyReferenceOf } from './history-reference.ts';
import type { ChainView, ReplacedHistory } from './port.ts';
import { serverOf, type ModelServer } from './server.ts';
import type { PlannableRequest } from './plan.ts';

/** Reads the parts of a request that determine its plan. */
export function plannable(
  request: ModelRequest,
  model: Model,
  server: ModelServer = serverOf(model),
): PlannableRequest {
  const all = itemsOf(request.input);
  const reference = historyReferenceOf(all[0]);
  const items = reference === undefined ? all : all.slice(1);
  const contexts = contextsOf(reference?.digest ?? EMPTY_DIGEST, items);
  return { reference, items, contexts, server: server.mark, obstacle: obstacleOf(request, model) };
}

/**
 * Puts the newest compaction in place of the history that a run has read before it, or that the runner has cut.
 *
 * @returns the same request if it has the compaction already, or begins with another context.
 */
export function ofView(given: ModelRequest, view: ChainView | undefined): ModelRequest {
  if (view === undefined || view.isStock) return given;
  const request = withThreshold(given, view.serverThreshold);
  const { input } = request;
  if (typeof input === 'string') return request;
  if (historyReferenceOf(input[0]) !== undefined) return request;
  if (holds(input, view.compacted.at(-1))) return uncut(request, view.compacted);
  const replaced = view.replaced();
  // The messages that a compaction keeps may equal an earlier history.
  const known = replaced.findLastIndex(({ items }) => holds(input, items.at(-1)));
  const whole = uncut(request, replaced[known]?.items ?? []);
  return replaced.slice(known + 1).reduce((sent, one) => withReplaced(sent, one), whole);
}

/** Whether a compaction is among the items. */
function holds(items: readonly AgentInputItem[], compaction: AgentInputItem | undefined): boolean {
  if (compaction === undefined) return false;
  const digest = itemDigest(compaction);
  return items.some((item) => item.type === 'compaction' && itemDigest(item) === digest);
}

/** Puts the messages that a compaction keeps before it: the SDK's runner sends none, and the API wants its output whole. */
function uncut(request: ModelRequest, compacted: readonly AgentInputItem[]): ModelRequest {
  const { input } = request;
  const kept = compacted.slice(0, -1);
  if (typeof input === 'string' || kept.length === 0) return request;
  if (!holds(input.slice(0, 1), compacted.at(-1))) return request;
  return { ...request, input: [...kept, ...input] };
}

/** A request whose context the server compacts from a size on, unless the caller has chosen another one. */
function withThreshold(request: ModelRequest, threshold: number | undefined): ModelRequest {
  const { modelSettings } = request;
  if (threshold === undefined || compactsItself(request)) return request;
  const context_management = [{ type: 'compaction', compact_threshold: threshold }];
  const providerData = { ...modelSettings.providerData, context_management };
  return { ...request, modelSettings: { ...modelSettings, providerData } };
}

/** Whether the caller lets the server compact the context. */
export function compactsItself(request: ModelRequest): boolean {
  return 'contextManagement' in request.modelSettings || 'context_management' in rawFields(request);
}

/** A request with another beginning; the same if it does not begin with that history. */
function withReplaced(request: ModelRequest, { digest, items }: ReplacedHistory): ModelRequest {
  const { input } = request;
  if (typeof input === 'string') return request;
  const known = contextsOf(EMPTY_DIGEST, input).lastIndexOf(digest);
  return known <= 0 ? request : { ...request, input: [...items, ...input.slice(known)] };
}

/** The digest of a context extended by these items. */
export function extendContext(context: string, items: readonly AgentInputItem[]): string {
  return items.reduce((digest, item) => extendDigest(digest, itemDigest(item)), context);
}

function itemsOf(input: string | AgentInputItem[]): readonly AgentInputItem[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
}

function contextsOf(beginning: string, items: readonly AgentInputItem[]): string[] {
  const contexts = [beginning];
  let context = beginning;
  for (const item of items) {
    context = extendDigest(context, itemDigest(item));
    contexts.push(context);
  }
  return contexts;
}

function obstacleOf(request: ModelRequest, model: Model): PlannableRequest['obstacle'] {
  if (request.previousResponseId !== undefined || request.conversationId !== undefined) return 'caller_set';
  const raw = rawFields(request);
  if (CONTEXT_FIELDS.some((field) => raw[field] !== undefined && raw[field] !== null)) return 'caller_set';
  if (request.prompt !== undefined || (raw['prompt'] ?? undefined) !== undefined) return 'prompt';
  return speaksResponses(model) ? undefined : 'unsupported_model';
}

/** Fields of the request's body that replace the context. */
const CONTEXT_FIELDS = ['previous_response_id', 'conversation', 'input'];

/** Whether the request is a retry of the runner. */
export function isRunnersRetry(request: ModelRequest): boolean {
  const internal: unknown = Reflect.get(request, '_internal');
  return isObject(internal) && internal['runnerManagedRetry'] === true;
}

/** Whether the server may run a tool: the request has a tool that is not a client function. */
export function mayRunTools(request: ModelRequest): boolean {
  const { tools } = rawFields(request);
  const all: readonly unknown[] = [...request.tools, ...(Array.isArray(tools) ? tools : [])];
  return all.some((tool) => !isObject(tool) || tool['type'] !== 'function');
}

/** The fields that the SDK copies from the caller into the request's body. */
export function rawFields({ modelSettings }: ModelRequest): JsonObject {
  const data = modelSettings.providerData;
  if (!isObject(data)) return {};
  const extra = data['extra_body'] ?? data['extraBody'];
  return { ...data, ...(isObject(extra) ? extra : {}) };
}

/** Whether a model uses the Responses API and returns every item that the server stores. */
export function speaksResponses(model: Model): boolean {
  const names = classNames(model);
  // Its responses omit the messages between its agents.
  if (names.includes('OpenAIHostedMultiAgentModel')) return false;
  return model instanceof OpenAIResponsesModel || names.includes('OpenAIResponsesModel');
}

export function usesWebSocket(model: Model): boolean {
  return classNames(model).includes('OpenAIResponsesWSModel');
}

/** The names of an object's classes. An app may load two copies of the SDK, so `instanceof` is not enough. */
export function classNames(object: object): string[] {
  const names: string[] = [];
  let type: unknown = object.constructor;
  while (typeof type === 'function') {
    names.push(type.name);
    type = Object.getPrototypeOf(type);
  }
  return names;
}
