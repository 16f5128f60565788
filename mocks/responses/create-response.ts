import { parseResponseRequest } from './response-request.ts';
import { streamEvents, type StreamEvent } from './stream-events.ts';
import { Turn } from './turn.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import type { JsonObject } from '../wire/json-object.ts';

/** `POST /responses` */
export async function createResponse(exchange: Exchange): Promise<Answer> {
  const request = parseResponseRequest(exchange.faults.request(exchange.body));
  const turn = new Turn(exchange, request);
  exchange.sawContext(request.model, turn.context);
  try {
    await exchange.pause();
    const body = await turn.answer();
    if (request.stream) return streamed(turn, body);
    turn.settle(body);
    return json(body);
  } catch (error) {
    turn.discard();
    throw error;
  }
}

/** The turn is settled just before its last event is sent, or when the client goes away. */
function streamed(turn: Turn, body: JsonObject): Answer {
  const events = streamEvents(body, { obfuscation: turn.request.obfuscation });
  return {
    kind: 'stream',
    events: settlingBeforeLast(events, () => turn.settle(body)),
    abandoned: () => turn.settle(body),
  };
}

async function* settlingBeforeLast(
  events: readonly StreamEvent[],
  settle: () => void,
): AsyncGenerator<StreamEvent> {
  for (const [index, event] of events.entries()) {
    if (index === events.length - 1) settle();
    yield event;
  }
}
