import type { ResponseRequest } from './response-request.ts';
import type { ModelAnswer } from '../model/answer.ts';
import { effortOf, snapshotOf } from '../model/model-traits.ts';
import type { ResolvedProfile } from '../profiles/profile.ts';
import { shownParameters } from '../requests/strict-form.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The fields of a response body beyond the echo of its request. */
export interface ResponseIdentity {
  readonly id: string;
  readonly createdAt: number;
  readonly stored: boolean;
  /** How the body names the parent. */
  readonly echo: ResolvedProfile['echo'];
}

/** The body of a response that has just begun: everything the request set, nothing of the answer yet. */
export function newResponseBody(request: ResponseRequest, identity: ResponseIdentity): JsonObject {
  const { sent } = request;
  return {
    id: identity.id,
    object: 'response',
    created_at: identity.createdAt,
    completed_at: null,
    status: request.background ? 'queued' : 'in_progress',
    background: request.background,
    billing: { payer: 'developer' },
    access_programs: sent['access_programs'] ?? null,
    ...(request.conversationId === undefined ? {} : { conversation: { id: request.conversationId } }),
    error: null,
    incomplete_details: null,
    instructions: sent['instructions'] ?? null,
    max_output_tokens: sent['max_output_tokens'] ?? null,
    max_tool_calls: sent['max_tool_calls'] ?? null,
    metadata: sent['metadata'] ?? {},
    model: snapshotOf(request.model),
    moderation: null,
    output: [],
    parallel_tool_calls: sent['parallel_tool_calls'] ?? true,
    frequency_penalty: 0,
    presence_penalty: 0,
    ...parentEcho(request, identity),
    prompt_cache_key: sent['prompt_cache_key'] ?? null,
    prompt_cache_retention: sent['prompt_cache_retention'] ?? 'in_memory',
    reasoning: reasoningEcho(request),
    safety_identifier: sent['safety_identifier'] ?? null,
    service_tier: sent['service_tier'] ?? 'auto',
    store: identity.stored,
    temperature: sent['temperature'] ?? 1,
    text: textEcho(sent['text']),
    tool_choice: sent['tool_choice'] ?? 'auto',
    tools: Array.isArray(sent['tools']) ? sent['tools'].map(toolEcho) : [],
    top_logprobs: sent['top_logprobs'] ?? 0,
    top_p: sent['top_p'] ?? 1,
    truncation: sent['truncation'] ?? 'disabled',
    usage: null,
    user: sent['user'] ?? null,
  };
}

function parentEcho({ previousResponseId }: ResponseRequest, { echo }: ResponseIdentity): JsonObject {
  if (echo === 'absent') return {};
  return { previous_response_id: echo === 'null' ? null : (previousResponseId ?? null) };
}

function reasoningEcho(request: ResponseRequest): JsonObject {
  const asked = isJsonObject(request.sent['reasoning']) ? request.sent['reasoning'] : {};
  return { context: null, summary: null, ...asked, effort: effortOf(request.model, request.sent) };
}

function textEcho(text: unknown): JsonObject {
  const asked = isJsonObject(text) ? text : {};
  return { verbosity: 'medium', ...asked, format: asked['format'] ?? { type: 'text' } };
}

/** Function tools come back in the strict form of the API, unless the client asked for another. */
function toolEcho(tool: unknown): unknown {
  if (!isJsonObject(tool) || tool['type'] !== 'function') return tool;
  return { description: null, ...tool, ...shownParameters(tool['parameters'], tool['strict']) };
}

/** The body of a response once the model has answered: completed, incomplete or failed. */
export function finishedBody(
  begun: JsonObject,
  answer: ModelAnswer,
  output: readonly SimulatorItem[],
  usage: JsonObject | null,
  now: number,
): JsonObject {
  const { incomplete, failed } = answer;
  const status = failed ? 'failed' : incomplete === undefined ? 'completed' : 'incomplete';
  const tier = begun['service_tier'];
  return {
    ...begun,
    status,
    completed_at: status === 'completed' ? now : null,
    error: failed ?? null,
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    output,
    service_tier: tier === 'auto' ? 'default' : tier,
    usage,
  };
}
