import { createServer, IncomingMessage, type ServerResponse } from 'node:http';
import { Readable, type Duplex } from 'node:stream';
import { Access, type AccessOptions } from './access.ts';
import { refuseUnknown } from '../known-names.ts';
import { serveSocket, type SocketServer } from '../web-socket/responses-socket.ts';
import { ApiError } from '../wire/api-error.ts';

/** A simulator that listens on a port. */
export interface Listening {
  /** The base URL for a client; ends in `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Stops listening and ends running requests. `await using` calls it, too. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where to listen, and to whom. */
export interface ListenOptions extends AccessOptions {
  /** Default 0: any free port. */
  port?: number;
  /** Default `127.0.0.1`. */
  host?: string;
}

/**
 * Serves a handler over HTTP.
 * @throws RangeError for an unknown option, or a value of another kind.
 * @throws Error if the port cannot be had.
 */
export async function listen(
  handle: (request: Request) => Promise<Response>,
  options: ListenOptions = {},
): Promise<Listening> {
  refuseUnknown('Cannot listen: "options"', options, ['port', 'host', 'hosts', 'origins']);
  const { port = 0, host = '127.0.0.1' } = options;
  checkPlace({ ...options, port, host });
  const access = new Access(host, options);
  const server = createServer(
    { IncomingMessage: Incoming },
    (request, response) => void serve({ handle, access }, request, response),
  );
  const sockets = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.unshift(head);
    serveSocket({ handle, access }, request, socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
    });
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/v1`,
    port: bound,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Refuses a port that Node would take for the path of a pipe, and texts in the place of lists. */
function checkPlace({ port, host, hosts = [], origins = [] }: ListenOptions): void {
  const rules: readonly [name: string, words: string, fits: boolean, value: unknown][] = [
    ['port', 'a whole number up to 65535', isPort(port), port],
    ['host', 'a text', typeof host === 'string', host],
    ['hosts', 'an array', Array.isArray(hosts), hosts],
    ['origins', 'an array', Array.isArray(origins), origins],
  ];
  for (const [name, words, fits, value] of rules)
    if (!fits)
      throw new RangeError(`Cannot listen: "${name}" must be ${words}, but it is ${JSON.stringify(value)}`);
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 0 && Number(port) <= 65_535;
}

/**
 * A request that leaves HTTP only for a WebSocket: some clients offer HTTP/2 (`h2c`) with each request, and are answered
 * by HTTP/1.1.
 */
class Incoming extends IncomingMessage {
  declare isOffered: unknown;

  get upgrade(): boolean {
    return this.isOffered === true && this.headers.upgrade?.toLowerCase() === 'websocket';
  }

  set upgrade(isOffered: unknown) {
    this.isOffered = isOffered;
  }
}

async function serve(
  { handle, access }: SocketServer,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { headers } = incoming;
  const refusal = access.refusal(headers);
  if (refusal !== undefined) {
    const { status, payload } = new ApiError({ status: 403, code: 'host_not_allowed', message: refusal });
    outgoing.writeHead(status, { 'content-type': payload.contentType }).end(payload.text);
    return;
  }
  const preflight = incoming.method === 'OPTIONS' ? access.preflight(headers) : undefined;
  if (preflight !== undefined) {
    outgoing.writeHead(204, preflight).end();
    return;
  }
  try {
    const answer = await handle(toRequest(incoming));
    if (outgoing.destroyed) {
      await answer.body?.cancel();
      return;
    }
    outgoing.writeHead(answer.status, {
      ...Object.fromEntries(answer.headers),
      ...access.headersFor(headers),
    });
    if (answer.body) await sendBody(answer.body, outgoing);
    else outgoing.end();
  } catch {
    outgoing.destroy();
  }
}

function toRequest(incoming: IncomingMessage): Request {
  const { method = 'GET', headers, url = '/' } = incoming;
  const given = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) given.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const init = hasBody ? { body: Readable.toWeb(incoming), duplex: 'half' as const } : {};
  return new Request(new URL(url, 'http://simulator'), { method, headers: given, ...init });
}

/** Sends chunk by chunk, each once the one before has left; a client that goes away cancels the body. */
async function sendBody(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  outgoing.once('close', () => {
    reader.cancel().catch(() => undefined);
  });
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const chunk = read.value;
    await new Promise<void>((resolve) => outgoing.write(chunk, () => resolve()));
  }
  outgoing.end();
}
