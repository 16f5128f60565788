import { AsyncLocalStorage } from 'node:async_hooks';
import { ApiError } from '../wire/api-error.ts';

const forwarding = new AsyncLocalStorage<true>();
const interception = new AsyncLocalStorage<(request: Request) => Request>();

/** Whether the current request is one that a simulator sends to a server: no interceptor may answer it. */
export function isForwarding(): boolean {
  return forwarding.getStore() === true;
}

/**
 * Answers a request that an interceptor of `fetch` caught.
 * @param bypass marks a request as one that the interceptor lets pass.
 */
export function intercepted<T>(bypass: (request: Request) => Request, answer: () => T): T {
  return interception.run(bypass, answer);
}

/** Headers that belong to one connection, or to an encoding that `fetch` has undone. */
const LEFT_OUT = [
  'accept-encoding',
  'connection',
  'content-encoding',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
];

/** Checks the base URL of a server. @throws RangeError if it is no URL of HTTP. */
export function checkUpstream(subject: string, upstream: string): void {
  if (URL.canParse(upstream) && /^https?:$/.test(new URL(upstream).protocol)) return;
  throw new RangeError(`${subject} must be the base URL of a server, such as https://api.openai.com/v1`);
}

/** A request that goes on to a server. */
export interface Forwarded {
  /** The base URL of the server. */
  readonly upstream: string;
  /** The path after `/v1`, and the query. */
  readonly target: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Sends a request to a server, with its own headers and key.
 * @throws ApiError 502 if the server cannot be reached.
 */
export async function forward(request: Request, { upstream, target, body }: Forwarded): Promise<Response> {
  const { method, signal } = request;
  const url = `${upstream.replace(/\/+$/, '')}${target}`;
  const headers = withoutConnection(request.headers);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const bypass = interception.getStore() ?? ((sent: Request): Request => sent);
  const sent = bypass(new Request(url, { method, headers, signal, ...(hasBody ? { body } : {}) }));
  try {
    const answer = await forwarding.run(true, () => fetch(sent));
    return new Response(answer.body, { status: answer.status, headers: withoutConnection(answer.headers) });
  } catch (error) {
    signal.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new ApiError({
      status: 502,
      code: 'upstream_unreachable',
      message: `The simulator cannot reach ${new URL(url).origin}: ${cause instanceof Error ? cause.message : String(cause)}`,
    });
  }
}

function withoutConnection(headers: Headers): Headers {
  const kept = new Headers(headers);
  for (const name of LEFT_OUT) kept.delete(name);
  return kept;
}
