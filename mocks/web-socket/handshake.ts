import { createHash } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Access } from '../http/access.ts';
import { apiPath } from '../http/api-path.ts';
import { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';

/** The fixed value of RFC 6455 that proves that a server speaks the protocol. */
const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/**
 * Accepts a WebSocket at `/v1/responses`, or refuses it with a status of HTTP.
 * @returns whether it was accepted.
 */
export function shakeHands(request: IncomingMessage, socket: Duplex, access: Access): boolean {
  const refusal = refusalOf(request, access);
  if (refusal) {
    const { status, payload, headers } = refusal;
    const head = {
      ...headers,
      'content-type': payload.contentType,
      'content-length': String(Buffer.byteLength(payload.text)),
      connection: 'close',
    };
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headersText(head)}\r\n${payload.text}`);
    return false;
  }
  const accept = createHash('sha1')
    .update(`${request.headers['sec-websocket-key']}${MAGIC}`)
    .digest('base64');
  const head = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': accept };
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headersText(head)}\r\n`);
  return true;
}

function refusalOf({ headers, method, url = '/' }: IncomingMessage, access: Access): ApiError | undefined {
  const refusal = access.refusal(headers);
  if (refusal !== undefined) return new ApiError({ status: 403, code: 'host_not_allowed', message: refusal });
  const { origin } = headers;
  if (origin !== undefined && !access.allows(origin))
    return new ApiError({
      status: 403,
      code: 'origin_not_allowed',
      message: 'The simulator does not serve pages of this origin: name it in "origins" of listen()',
    });
  const { pathname } = new URL(url, 'http://simulator');
  const isWebSocket = headers.upgrade?.toLowerCase() === 'websocket' && method === 'GET';
  if (!isWebSocket || apiPath(pathname) !== '/responses') return errors.unknownUrl(method ?? 'GET', pathname);
  if (headers['sec-websocket-version'] !== '13')
    return new ApiError({
      status: 426,
      message: 'The WebSocket must be of version 13',
      headers: { 'sec-websocket-version': '13' },
    });
  const key = Buffer.from(headers['sec-websocket-key'] ?? '', 'base64');
  if (key.length !== 16) return new ApiError({ status: 400, message: 'The key of the WebSocket is missing' });
  return headers.authorization === undefined && headers['api-key'] === undefined
    ? errors.missingApiKey()
    : undefined;
}

function headersText(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('');
}
