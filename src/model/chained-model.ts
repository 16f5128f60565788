import type { Model, ModelRequest, ModelResponse } from '@openai/agents';
import { isObject } from '../ledger/json.ts';
import { ModelCall } from './call.ts';
import { gatherResponse, type StreamEvent } from './gather-response.ts';
import { usesWebSocket } from './model-class.ts';
import { parentRefusal } from './parent-refusal.ts';

const wrappers = new WeakMap<Model, Model>();
const wrapped = new WeakSet<object>();

/**
 * A model that continues from the response that provably ends the beginning of a request's context, and sends the rest.
 *
 * Everything else of the model stays as it is. Requests of runs whose session is not a `HybridSession` pass through
 * untouched. Wrapping twice is the same as wrapping once.
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

/** Whether a model was wrapped. */
export function isChainedModel(model: object): boolean {
  return wrapped.has(model);
}

function memberOf(model: Model, property: string | symbol): unknown {
  const member: unknown = Reflect.get(model, property, model);
  if (typeof member !== 'function' || property === 'constructor' || isFixed(model, property)) return member;
  if (property === 'getResponse') return (request: ModelRequest) => respond(model, request);
  if (property === 'getStreamedResponse') return (request: ModelRequest) => stream(model, request);
  return member.bind(model);
}

/** What a proxy has to return as it is, such as the methods of a frozen object. */
function isFixed(model: Model, property: string | symbol): boolean {
  const own = Reflect.getOwnPropertyDescriptor(model, property);
  return own?.configurable === false && own.writable === false;
}

async function respond(model: Model, request: ModelRequest): Promise<ModelResponse> {
  const call = await ModelCall.prepare(request, model);
  if (call === undefined) return model.getResponse(request);
  let chained = call.plan.type === 'chain';
  const failures: StreamEvent[] = [];
  // Over a WebSocket only the stream tells why the server refuses.
  const attempt =
    chained && usesWebSocket(model)
      ? gatherResponse(model.getStreamedResponse(call.request), failures)
      : model.getResponse(call.request);
  const response = await attempt.catch(async (error: unknown) => {
    const why = chained && request.signal?.aborted !== true ? parentRefusal(error, ...failures) : undefined;
    if (why === undefined) throw error;
    chained = false;
    return model.getResponse(await call.replay(why));
  });
  call.answered(response.responseId, response.output, response.providerData, chained);
  return response;
}

async function* stream(model: Model, request: ModelRequest): AsyncGenerator<StreamEvent> {
  const call = await ModelCall.prepare(request, model);
  if (call === undefined) {
    yield* model.getStreamedResponse(request);
    return;
  }
  if (call.plan.type === 'chain') {
    // Until the first output there is nothing that a second try would contradict.
    const held: StreamEvent[] = [];
    let shown = false;
    try {
      for await (const event of watched(model.getStreamedResponse(call.request), call, true)) {
        if (!shown && isPrelude(event)) {
          held.push(event);
          continue;
        }
        const first = !shown;
        shown = true;
        if (first) yield* held;
        yield event;
      }
      if (!shown) yield* held;
      return;
    } catch (error) {
      const why = shown || request.signal?.aborted === true ? undefined : parentRefusal(error, ...held);
      if (why === undefined) {
        if (!shown) yield* held;
        throw error;
      }
      yield* watched(model.getStreamedResponse(await call.replay(why)), call, false);
      return;
    }
  }
  yield* watched(model.getStreamedResponse(call.request), call, false);
}

/** Notes the answer before the event that completes it is seen: a reader may stop there. */
async function* watched(
  events: AsyncIterable<StreamEvent>,
  call: ModelCall,
  chained: boolean,
): AsyncGenerator<StreamEvent> {
  for await (const event of events) {
    if (event.type === 'response_done') {
      const { id, output, providerData } = event.response;
      call.answered(id, output, providerData, chained);
    }
    yield event;
  }
}

const PRELUDE = new Set([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.failed',
  'error',
]);

/** Events that show no output. */
function isPrelude(event: StreamEvent): boolean {
  if (event.type === 'response_started') return true;
  const raw: unknown = event.type === 'model' ? event.event : undefined;
  return isObject(raw) && typeof raw['type'] === 'string' && PRELUDE.has(raw['type']);
}
