import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Connection } from './connection.ts';
import { shakeHands } from './handshake.ts';
import type { Access } from '../http/access.ts';
import { errors } from '../wire/error-catalogue.ts';
import { cameOver, ConnectionMemory } from '../world/connection-memory.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** The longest message, in bytes; the simulator's own limit on a body is checked after it. */
const MAX_MESSAGE_BYTES = 100 * 1024 * 1024;

/** Answers of HTTP, for the requests that come over a WebSocket. */
export interface SocketServer {
  readonly handle: (request: Request) => Promise<Response>;
  readonly access: Access;
}

/** Serves a WebSocket at `/v1/responses`: each `response.create` is answered by its events, one after another. */
export function serveSocket(
  { handle, access }: SocketServer,
  request: IncomingMessage,
  socket: Duplex,
): void {
  socket.on('error', () => socket.destroy());
  if (!shakeHands(request, socket, access)) return;
  const gone = new AbortController();
  const memory = new ConnectionMemory();
  let queue: Promise<void> = Promise.resolve();
  const connection = new Connection(socket, MAX_MESSAGE_BYTES, {
    message(text) {
      queue = queue.then(() => answer(text)).catch(() => connection.break());
    },
    closed: () => gone.abort(),
  });
  const answer = async (text: string): Promise<void> => {
    if (gone.signal.aborted) return;
    const body = createBody(text);
    if (typeof body === 'string') return connection.send(body);
    const response = await handle(cameOver(requestOf(request, body, gone.signal), memory));
    if (response.status !== 200) {
      memory.forget(body['previous_response_id']);
      return connection.send(await refusalFrame(response));
    }
    return sendEvents(response, connection, gone.signal);
  };
}

/** The body of the request in a message, or the frame that refuses the message. */
function createBody(text: string): JsonObject | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return errorFrame(400, JSON.parse(errors.invalidJson().payload.text));
  }
  const type = isJsonObject(value) ? value['type'] : undefined;
  if (!isJsonObject(value) || type !== 'response.create') {
    const { payload, status } = errors.invalidValue('type', String(type), ['response.create']);
    return errorFrame(status, JSON.parse(payload.text));
  }
  const { type: _type, ...body } = value;
  return { ...body, stream: true };
}

function requestOf({ headers, url = '/' }: IncomingMessage, body: JsonObject, signal: AbortSignal): Request {
  return new Request(new URL(url, 'http://simulator'), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...keysIn(headers) },
    body: JSON.stringify(body),
    signal,
  });
}

function keysIn(headers: IncomingHttpHeaders): Record<string, string> {
  const { authorization, 'api-key': apiKey } = headers;
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(typeof apiKey === 'string' ? { 'api-key': apiKey } : {}),
  };
}

async function refusalFrame(response: Response): Promise<string> {
  const text = await response.text();
  try {
    return errorFrame(response.status, JSON.parse(text));
  } catch {
    return errorFrame(response.status, { error: { type: 'server_error', message: text } });
  }
}

function errorFrame(status: number, body: unknown): string {
  return JSON.stringify({ type: 'error', status, ...(isJsonObject(body) ? body : {}) });
}

/** Sends the data of each event as a message of its own. */
async function sendEvents(response: Response, connection: Connection, gone: AbortSignal): Promise<void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (gone.aborted) return;
      if (data !== undefined) await connection.send(data);
    }
  }
}
