import { parseResponseRequest } from './response-request.ts';
import { streamEvents, type StreamEvent } from './stream-events.ts';
import { Turn } from './turn.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { parseKnownFields } from '../requests/known-fields.ts';
import type { Pace } from '../model/answer.ts';
import { pacedAnswer, pacedEvents } from '../script/pace.ts';
import { ScriptedError } from '../script/scripted-error.ts';
import { ApiError } from '../wire/api-error.ts';
import { shownBody } from '../wire/include.ts';
import type { JsonObject } from '../wire/json.ts';

/** `POST /responses` */
export async function createResponse(exchange: Exchange): Promise<Answer> {
  const { body, isWarmUp } = withoutWarmUp(exchange.faults.request(exchange.body), exchange);
  const request = parseKnownFields(body, exchange.world.settings, (sent) =>
    parseResponseRequest(sent, isWarmUp),
  );
  const turn = new Turn(exchange, request);
  if (!isWarmUp) exchange.sawContext(request.model, turn.context, turn.record.id);
  await exchange.pause();
  const { finished, pace = exchange.world.settings.pace } = await finish(turn, exchange);
  if (finished['status'] !== 'failed' && !isWarmUp) exchange.sawOutput(turn.output);
  if (request.background) runInBackground(turn, finished);
  if (request.stream) return streamed(turn, finished, pace);
  if (!request.background) {
    await pacedAnswer(streamEvents(finished, { obfuscation: false }), pace);
    turn.settle(finished);
  }
  return json(shownBody(turn.record.body, request.include));
}

/** Takes `generate` off a request: over a WebSocket, `false` asks the model to read the input and not to answer. */
function withoutWarmUp(
  sent: JsonObject,
  { memory }: Pick<Exchange, 'memory'>,
): { body: JsonObject; isWarmUp: boolean } {
  const { generate, ...body } = sent;
  const isKnown = memory !== undefined && typeof generate === 'boolean';
  return isKnown ? { body, isWarmUp: !generate } : { body: sent, isWarmUp: false };
}

/** A finished response, and the pace that its answer asked for. */
interface Finished {
  readonly finished: JsonObject;
  readonly pace?: Pace | undefined;
}

/** An error of a response that can already be retrieved is reported by its status, not by an HTTP error. */
async function finish(turn: Turn, exchange: Exchange): Promise<Finished> {
  let pace: Pace | undefined;
  try {
    const finished = await turn.answer((answer) => {
      ({ pace } = answer);
      return exchange.faults.answer(answer);
    });
    return { finished, pace };
  } catch (error) {
    const isTold = error instanceof ApiError && !(error instanceof ScriptedError);
    if (isTold && (turn.request.stream || turn.request.background)) {
      return { finished: turn.failure({ code: error.code ?? 'server_error', message: error.message }) };
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
function streamed(turn: Turn, finished: JsonObject, pace: Pace): Answer {
  const { include, obfuscation, background } = turn.request;
  const events = streamEvents(shownBody(finished, include), { obfuscation });
  return {
    kind: 'stream',
    events: pacedEvents(settlingBeforeLast(turn, finished, events), pace),
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
