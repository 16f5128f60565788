import OpenAI, { APIError } from 'openai';
import type { SimulatorCore } from '../../mocks/index.ts';

/** The real client on a simulator; it does not retry, since a test wants to see the first failure. */
export function clientOf(simulator: SimulatorCore, apiKey = 'sk-test'): OpenAI {
  return new OpenAI({ apiKey, fetch: simulator.fetch, maxRetries: 0 });
}

/** The fields of an API error. */
export interface Refusal {
  readonly status: number | undefined;
  readonly code: string | null | undefined;
  readonly param: string | null | undefined;
  readonly message: string;
}

/** The error that a call of the client ends with; the message without the status in front. */
export async function refusalOf(call: PromiseLike<unknown>): Promise<Refusal> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    const { status, code, param } = error;
    return { status, code, param, message: error.message.replace(/^\d{3} /, '') };
  }
  throw new Error('The call was expected to fail, but it did not');
}

/** An answer as it went over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Sends a request that the client would not send. */
export async function ask(
  simulator: SimulatorCore,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { authorization: 'Bearer sk-test' },
): Promise<RawAnswer> {
  const response = await simulator.fetch(`https://api.openai.com/v1${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: JSON.parse(text) };
}

/** The error of a refused request, with its status. */
export async function rawRefusal(
  simulator: SimulatorCore,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const answer = await ask(simulator, method, path, body);
  return { status: answer.status, ...Object.assign({}, answer.body['error']) };
}

/** Every value of an async iterable. */
export async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}
