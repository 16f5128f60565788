import { OpenAIResponsesModel, type AgentInputItem, type Model, type ModelRequest } from '@openai/agents';
import { EMPTY_DIGEST, extendDigest, itemDigest } from '../ledger/digest.ts';
import type { PlannableRequest } from './plan.ts';

/** What a plan depends on, read off a request. */
export function plannable(request: ModelRequest, model: Model): PlannableRequest {
  const items = itemsOf(request.input);
  return { items, contexts: contextsOf(items), obstacle: obstacleOf(request, model) };
}

/** The digest of a context that goes on with these items. */
export function extendContext(context: string, items: readonly AgentInputItem[]): string {
  return items.reduce((digest, item) => extendDigest(digest, itemDigest(item)), context);
}

function itemsOf(input: string | AgentInputItem[]): readonly AgentInputItem[] {
  return typeof input === 'string' ? [{ type: 'message', role: 'user', content: input }] : input;
}

function contextsOf(items: readonly AgentInputItem[]): string[] {
  const contexts = [EMPTY_DIGEST];
  let context = EMPTY_DIGEST;
  for (const item of items) {
    context = extendDigest(context, itemDigest(item));
    contexts.push(context);
  }
  return contexts;
}

function obstacleOf(request: ModelRequest, model: Model): PlannableRequest['obstacle'] {
  if (request.previousResponseId !== undefined || request.conversationId !== undefined) return 'caller-set';
  if (request.prompt !== undefined) return 'prompt';
  return isResponsesModel(model) ? undefined : 'unsupported-model';
}

/** Whether a model speaks the Responses API; by name too, since an app may hold two copies of the SDK. */
function isResponsesModel(model: Model): boolean {
  if (model instanceof OpenAIResponsesModel) return true;
  for (
    let type: unknown = model.constructor;
    typeof type === 'function';
    type = Object.getPrototypeOf(type)
  ) {
    if (type.name === 'OpenAIResponsesModel') return true;
  }
  return false;
}
