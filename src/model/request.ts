import type { AgentInputItem, Model, ModelRequest } from '@openai/agents';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../ledger/digest.ts';
import { isObject, type JsonObject } from '../ledger/json.ts';
import { anchorOf } from './anchor.ts';
import { speaksResponses } from './model-class.ts';
import type { PlannableRequest } from './plan.ts';

/** What a plan depends on, read off a request. */
export function plannable(request: ModelRequest, model: Model): PlannableRequest {
  const all = itemsOf(request.input);
  const anchor = anchorOf(all[0]);
  const items = anchor === undefined ? all : all.slice(1);
  const contexts = contextsOf(anchor?.digest ?? EMPTY_DIGEST, items);
  return { anchor, items, contexts, obstacle: obstacleOf(request, model) };
}

/** The digest of a context that goes on with these items. */
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
  if (request.previousResponseId !== undefined || request.conversationId !== undefined) return 'caller-set';
  const raw = rawFields(request);
  if (CONTEXT_FIELDS.some((field) => raw[field] !== undefined && raw[field] !== null)) return 'caller-set';
  if (request.prompt !== undefined || (raw['prompt'] ?? undefined) !== undefined) return 'prompt';
  return speaksResponses(model) ? undefined : 'unsupported-model';
}

/** What decides about the context, when a caller writes it into the request's body. */
const CONTEXT_FIELDS = ['previous_response_id', 'conversation', 'input'];

/** The fields that a caller has the SDK put into the request's body as they are. */
function rawFields({ modelSettings }: ModelRequest): JsonObject {
  const data = modelSettings.providerData;
  if (!isObject(data)) return {};
  const extra = data['extra_body'] ?? data['extraBody'];
  return { ...data, ...(isObject(extra) ? extra : {}) };
}
