import type { Model, ModelRequest, ModelResponse, ModelProvider } from '@openai/agents';
import { isObject, textOf } from '../util/json.ts';
import { currentRun, warnOfUnsavedTurn } from './attribution.ts';
import { ModelCall } from './call.ts';
import { gatherResponse, type StreamEvent } from './gather-response.ts';
import { usesWebSocket } from './request.ts';
import { repair } from './repairs.ts';

const wrappers = new WeakMap<Model, Model>();
const wrapped = new WeakSet<object>();

/**
 * Wraps a model so that its requests continue from a recorded response and send only the newer items.
 *
 * A request continues from a response only if their contexts provably match; otherwise it sends the full history. Requests of
 * runs without a `HybridSession` pass through unchanged. A wrapped model is not wrapped again.
 *
 * @example
 * ```ts
 * const model = chainedModel(new OpenAIResponsesModel(client, 'gpt-5'));
 * const agent = new Agent({ name: 'Assistant', model });
 * ```
 */
export function chainedModel<T extends Model>(model: T): T;
export function chainedModel(model: Model): Model {
  if (wrapped.has(model)) return model;
  let wrapper = wrappers.get(model);
  if (wrapper === undefined) {
    wrapper = new Proxy(model, { get: (target, property) => memberOf(target, property) });
    wrappers.set(model, wrapper);
    wrapped.add(wrapper);
  }
  return wrapper;
}

export function isChainedModel(model: object): boolean {
  return wrapped.has(model);
}

function memberOf(model: Model, property: string | symbol): unknown {
  const member: unknown = Reflect.get(model, property, model);
  if (typeof member !== 'function' || property === 'constructor' || isFixed(model, property)) return member;
  if (property === 'getResponse') return (request: ModelRequest) => recordedResponse(model, request);
  if (property === 'getStreamedResponse') return (request: ModelRequest) => recordedStream(model, request);
  return member.bind(model);
}

/** Whether a proxy must return the property unchanged, such as a method of a frozen object. */
function isFixed(model: Model, property: string | symbol): boolean {
  const own = Reflect.getOwnPropertyDescriptor(model, property);
  return own?.configurable === false && own.writable === false;
}

async function recordedResponse(model: Model, request: ModelRequest): Promise<ModelResponse> {
  const recorder = currentRun()?.recorder;
  await recorder?.asked(request.input);
  const response = await respond(model, request);
  await recorder?.answered(response.output, response.responseId);
  return response;
}

async function* recordedStream(model: Model, request: ModelRequest): AsyncGenerator<StreamEvent> {
  const recorder = currentRun()?.recorder;
  await recorder?.asked(request.input);
  for await (const event of stream(model, request)) {
    if (event.type === 'response_done') await recorder?.answered(event.response.output, event.response.id);
    yield event;
  }
}

async function respond(model: Model, request: ModelRequest): Promise<ModelResponse> {
  const call = await ModelCall.prepare(request, model);
  if (call === undefined) return model.getResponse(request);
  warnOfUnsavedTurn(request);
  for (;;) {
    const failures: StreamEvent[] = [];
    try {
      const response = await send(call, model, failures);
      const { responseId: id, output, providerData: body, usage } = response;
      call.confirm(body);
      call.answered({ id, output, body, usage });
      return response;
    } catch (error) {
      if (!call.isAborted && (await repair(call, [error, ...failures]))) continue;
      call.failed(error);
      throw error;
    }
  }
}

/**
 * Sends a request. Over a WebSocket only the stream holds the cause of a refusal. With an unknown server the stream ends at
 * its first event, before a hosted tool runs.
 */
function send(call: ModelCall, model: Model, failures: StreamEvent[]): Promise<ModelResponse> {
  const isStreamed = usesWebSocket(model) ? call.isRefusable : call.isTrial;
  return isStreamed
    ? gatherResponse(confirmed(call, model.getStreamedResponse(call.request)), failures)
    : model.getResponse(call.request);
}

/** Passes events on, and stops the stream if an event shows that the parent was ignored. */
async function* confirmed(call: ModelCall, events: AsyncIterable<StreamEvent>): AsyncGenerator<StreamEvent> {
  let isConfirmed = call.parentId === undefined;
  for await (const event of events) {
    const body = isConfirmed ? undefined : bodyIn(event);
    if (!isConfirmed && (body !== undefined || !isPrelude(event))) {
      call.confirm(body);
      isConfirmed = true;
    }
    yield event;
  }
  if (!isConfirmed) call.confirm(undefined);
}

async function* stream(model: Model, request: ModelRequest): AsyncGenerator<StreamEvent> {
  const call = await ModelCall.prepare(request, model);
  if (call === undefined) {
    yield* model.getStreamedResponse(request);
    return;
  }
  warnOfUnsavedTurn(request);
  for (;;) {
    // Events before the first output are held: a retry would contradict them.
    const held: StreamEvent[] = [];
    let shown = call.parentId === undefined && !call.isPrepared && !call.hasCompaction;
    try {
      for await (const event of confirmed(call, model.getStreamedResponse(call.request))) {
        if (!shown && isPrelude(event)) {
          held.push(event);
          continue;
        }
        if (!shown) {
          shown = true;
          yield* held;
        }
        recordResponse(call, event);
        yield event;
      }
      if (!shown) yield* held;
      return;
    } catch (error) {
      if (!shown && !call.isAborted && (await repair(call, [error, ...held]))) continue;
      call.failed(error);
      if (!shown) yield* held;
      throw error;
    }
  }
}

/** Records the response before the reader gets its last event, because the reader may stop there. */
function recordResponse(call: ModelCall, event: StreamEvent): void {
  if (event.type !== 'response_done') return;
  const { id, output, providerData: body, usage } = event.response;
  call.answered({ id, output, body, usage });
}

/** Events with the initial response. */
const BEGINNING = new Set(['response.created', 'response.queued', 'response.in_progress']);

/** The response in an event that precedes the output. */
function bodyIn(event: StreamEvent): unknown {
  if (event.type === 'response_done') return event.response.providerData;
  if (event.type === 'response_started') return event.providerData?.['response'];
  const raw: unknown = event.type === 'model' ? event.event : undefined;
  return isObject(raw) && BEGINNING.has(textOf(raw['type'])) ? raw['response'] : undefined;
}

/** Whether an event shows no output: the response began or failed, or the event does not concern a response. */
function isPrelude(event: StreamEvent): boolean {
  if (event.type === 'response_started') return true;
  const raw: unknown = event.type === 'model' ? event.event : undefined;
  if (!isObject(raw)) return false;
  const type = textOf(raw['type']);
  return BEGINNING.has(type) || type === 'response.failed' || (type !== '' && !type.startsWith('response.'));
}

/**
 * Wraps a provider so that all its models are `chainedModel`s.
 *
 * @example
 * ```ts
 * const runner = new Runner({ modelProvider: chainedProvider(new OpenAIProvider()) });
 * ```
 */
export function chainedProvider(base: ModelProvider): ModelProvider {
  return {
    ...forwarded(base),
    getModel: async (name?: string): Promise<Model> => chainedModel(await base.getModel(name)),
  };
}

/** The optional methods of a provider. */
function forwarded(base: ModelProvider): { close?: () => Promise<void> } {
  const close: unknown = Reflect.get(base, 'close');
  return typeof close === 'function' ? { close: async () => void (await close.call(base)) } : {};
}
