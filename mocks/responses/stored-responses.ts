import { liveResponse } from './input-context.ts';
import { streamEvents, type StreamEvent } from './stream-events.ts';
import { answerPage } from '../http/answer-page.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { checkId } from '../wire/check-id.ts';
import { errors } from '../wire/error-catalogue.ts';
import { parseInclude, shownBody } from '../wire/include.ts';
import { contextIds } from '../world/context.ts';
import type { ResponseRecord } from '../world/records.ts';

/** The response that the path names. @throws ApiError 404 if there is none, or no more, 400 for an ID of another kind. */
function namedResponse(exchange: Exchange): ResponseRecord {
  const [id = ''] = exchange.params;
  checkId('response_id', id, 'resp');
  const response = liveResponse(exchange.world, exchange.account, id);
  if (!response) throw errors.responseNotFound(id);
  return response;
}

/** `GET /responses/{id}`: a response that is still being made in the background moves on by one stage first. */
export function retrieveResponse(exchange: Exchange): Answer {
  const response = namedResponse(exchange);
  const include = parseInclude(exchange.query);
  if (exchange.query.get('stream') === 'true') return replayed(exchange, response, include);
  response.running?.step();
  return json(shownBody(response.body, include));
}

/** `GET /responses/{id}?stream=true&starting_after=N` */
function replayed(exchange: Exchange, response: ResponseRecord, include: readonly string[]): Answer {
  if (!response.isReplayable) throw errors.streamNotReplayable();
  const after = parseStartingAfter(exchange.query.get('starting_after'));
  const obfuscation = exchange.query.get('include_obfuscation') !== 'false';
  const events = streamEvents(shownBody(response.running?.finished ?? response.body, include), {
    obfuscation,
  });
  return {
    kind: 'stream',
    events: fromEvent(response, events, after),
    abandoned: () => undefined,
  };
}

function parseStartingAfter(text: string | null): number {
  if (text === null) return -1;
  const number = Number(text);
  if (!Number.isInteger(number)) throw errors.invalidType('starting_after', 'an integer', 'a string');
  return number;
}

async function* fromEvent(
  response: ResponseRecord,
  events: readonly StreamEvent[],
  after: number,
): AsyncGenerator<StreamEvent> {
  for (const event of events) {
    if (event === events.at(-1)) while (response.running) response.running.step();
    if (event.sequence_number > after) yield event;
  }
}

/** `DELETE /responses/{id}`: its items stay, and its children keep their context. */
export function deleteResponse(exchange: Exchange): Answer {
  const { id, running } = namedResponse(exchange);
  running?.cancel();
  exchange.account.deleteResponse(id);
  return json({ id, object: 'response', deleted: true });
}

/** `POST /responses/{id}/cancel`: only for background responses; one that is finished is sent back as it is. */
export function cancelResponse(exchange: Exchange): Answer {
  const response = namedResponse(exchange);
  if (!response.isBackground) throw errors.cannotCancelSynchronous();
  response.running?.cancel();
  return json(shownBody(response.body, []));
}

/** `GET /responses/{id}/input_items`: the response's own input, or everything the model saw, as the simulator is set. */
export function listInputItems(exchange: Exchange): Answer {
  const response = namedResponse(exchange);
  const isOwn = exchange.world.settings.inputItems === 'own';
  return answerPage(exchange, isOwn ? response.ownInput : contextIds(response.context));
}
