import OpenAI from 'openai';
import type { SimulatorCore } from '../../mocks/simulator.ts';

type Body = Record<string, unknown>;

/** How a server differs from the API. */
export interface Differences {
  /** Makes another request of one to `POST /responses`, before the server sees it; or answers at once. */
  readonly request?: (body: Body) => Body | Response;
  /** Changes a response as it is told, whole or in an event. */
  readonly response?: (response: Body, request: Body) => void;
  /** Answers a request to anything else; undefined leaves it to the server. */
  readonly other?: (method: string, path: string) => Response | undefined;
}

/** A request for a response as the client sent it. */
export interface SentRequest {
  readonly body: Body;
  readonly signal: AbortSignal | undefined;
}

/** A server that is reached through another, and every request for a response that it was sent. */
export interface OtherServer {
  readonly client: OpenAI;
  readonly sent: SentRequest[];
}

let servers = 0;

/** Puts a server that differs before a simulator. Each has an address of its own, so that it is known by that. */
export function otherServer(simulator: SimulatorCore, differences: Differences): OtherServer {
  servers += 1;
  const sent: SentRequest[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const method = init?.method ?? 'GET';
    const path = url.pathname.slice('/v1'.length);
    if (method !== 'POST' || path !== '/responses') {
      return differences.other?.(method, path) ?? simulator.fetch(url, init);
    }
    const body = (await new Request(url, init).json()) as Body;
    sent.push({ body, signal: init?.signal ?? undefined });
    const changed = differences.request?.({ ...body }) ?? body;
    if (changed instanceof Response) return changed;
    const answer = await simulator.fetch(url, { ...init, body: JSON.stringify(changed) });
    const { response } = differences;
    if (response === undefined || !answer.ok) return answer;
    const { status, headers } = answer;
    if (body['stream'] === true)
      return new Response(answer.body?.pipeThrough(eventsWith(body, response)), { status, headers });
    const whole = (await answer.json()) as Body;
    response(whole, body);
    return Response.json(whole, { status, headers: { 'x-request-id': headers.get('x-request-id') ?? '' } });
  };
  const baseURL = `http://server-${servers}.localhost/v1`;
  return { client: new OpenAI({ apiKey: 'test', baseURL, fetch, maxRetries: 0 }), sent };
}

/** Changes the response in each event of a stream. */
function eventsWith(
  request: Body,
  change: NonNullable<Differences['response']>,
): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const changed = (json: string): string => {
    const event = JSON.parse(json) as Body;
    const response = event['response'];
    if (typeof response === 'object' && response !== null) change(response as Body, request);
    return `data: ${JSON.stringify(event)}`;
  };
  let rest = '';
  return new TransformStream({
    transform(chunk, controller) {
      rest += decoder.decode(chunk, { stream: true });
      const pieces = rest.split('\n\n');
      rest = pieces.pop() ?? '';
      for (const piece of pieces) {
        const told = piece.replace(/^data: (\{.*\})$/m, (_line, json: string) => changed(json));
        controller.enqueue(encoder.encode(`${told}\n\n`));
      }
    },
  });
}
