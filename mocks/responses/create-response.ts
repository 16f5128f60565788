import { parseResponseRequest } from './response-request.ts';
import { streamEvents, type StreamEvent } from './stream-events.ts';
import { Turn } from './turn.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { ApiError } from '../wire/api-error.ts';
import { shownBody } from '../wire/include.ts';
import type { JsonObject } from '../wire/json.ts';

/** `POST /responses` */
export async function createResponse(exchange: Exchange): Promise<Answer> {
  const request = parseResponseRequest(exchange.faults.request(exchange.body));
  const turn = new Turn(exchange, request);
  exchange.sawContext(request.model, turn.context, turn.record.id);
  await exchange.pause();
  const finished = await finish(turn, exchange);
  if (finished['status'] !== 'failed') exchange.sawOutput(turn.output);
  if (request.background) runInBackground(turn, finished);
  if (request.stream) return streamed(turn, finished);
  if (!request.background) turn.settle(finished);
  return json(shownBody(turn.record.body, request.include));
}

/** An error of a response that can already be retrieved is reported by its status, not by an HTTP error. */
async function finish(turn: Turn, exchange: Exchange): Promise<JsonObject> {
  try {
    return await turn.answer((answer) => exchange.faults.answer(answer));
  } catch (error) {
    if (error instanceof ApiError && (turn.request.stream || turn.request.background)) {
      return turn.failure({ code: error.code ?? 'server_error', message: error.message });
    }
    turn.discard();
    throw error;
  }
}

/** Each look at a background response moves it on by one stage. */
function runInBackground(turn: Turn, finished: JsonObject): void {
  const { record } = turn;
  record.running = {
    finished,
    step() {
      if (record.body['status'] === 'queued') record.body = { ...record.body, status: 'in_progress' };
      else turn.settle(finished);
    },
    cancel: () => turn.cancel(),
  };
}

/** The turn is settled just before its last event is sent, or when the client goes away. */
function streamed(turn: Turn, finished: JsonObject): Answer {
  const { include, obfuscation, background } = turn.request;
  return {
    kind: 'stream',
    events: settlingBeforeLast(turn, finished, streamEvents(shownBody(finished, include), { obfuscation })),
    abandoned: () => turn.settle(finished, !background),
  };
}

async function* settlingBeforeLast(
  turn: Turn,
  finished: JsonObject,
  events: readonly StreamEvent[],
): AsyncGenerator<StreamEvent> {
  for (const [index, event] of events.entries()) {
    if (turn.record.body['status'] === 'cancelled') return;
    if (index === events.length - 1) turn.settle(finished);
    yield event;
  }
}
