import type { Answer } from '../http/exchange.ts';
import type { StreamEvent } from '../responses/stream-events.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The prefix of a gateway's own IDs, each of which contains the inner ID. */
const MARK = 'gateway:';

/** The ID of a response as the client of a gateway is told it. */
export function gatewayId(id: string): string {
  return `resp_${Buffer.from(MARK + id).toString('base64url')}`;
}

/** The ID behind a gateway's; any other stays as it is. */
function idBehindGateway(id: string): string {
  const text = Buffer.from(id.slice('resp_'.length), 'base64url').toString();
  return text.startsWith(MARK) ? text.slice(MARK.length) : id;
}

/** Names responses in a request as the server behind the gateway knows them. */
export function requestBehindGateway<T extends { body: JsonObject; params: readonly string[] }>(asked: T): T {
  const { previous_response_id: previous } = asked.body;
  const named = typeof previous === 'string' ? { previous_response_id: idBehindGateway(previous) } : {};
  return { ...asked, body: { ...asked.body, ...named }, params: asked.params.map(idBehindGateway) };
}

/** An answer as a gateway passes it on: its parent is named by the ID behind the gateway. */
export function answerThroughGateway(answer: Answer): Answer {
  if (answer.kind === 'json') return { kind: 'json', body: renamed(answer.body) };
  return { ...answer, events: renamedEvents(answer.events) };
}

async function* renamedEvents(events: AsyncIterable<StreamEvent>): AsyncGenerator<StreamEvent> {
  for await (const event of events) {
    const { response } = event;
    yield isJsonObject(response) ? { ...event, response: renamed(response) } : event;
  }
}

function renamed(body: JsonObject): JsonObject {
  const { id } = body;
  return typeof id === 'string' && id.startsWith('resp_') ? { ...body, id: gatewayId(id) } : body;
}
