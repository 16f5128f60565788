import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/session.ts';
import { isObject } from '../util/json.ts';
import { within } from '../util/clock.ts';
import { circuitBreakerOf } from './circuit-breaker.ts';

/** Milliseconds for a request with its retries. */
const DEADLINE_MS = 20_000;

/** The default timeout of the `openai` client. A longer timeout replaces the deadline. */
const DEFAULT_TIMEOUT_MS = 600_000;

/** The options of a request. */
export interface SendOptions {
  /** Ends the request. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the request fails. Default: 20 seconds, or the client's `timeout` if that is shorter. */
  readonly deadline?: number | undefined;
  /** The retries by the client. Default: the client's own. */
  readonly maxRetries?: number | undefined;
}

/** The options that a request passes on to the client. */
export interface RequestOptions {
  readonly signal: AbortSignal;
  readonly maxRetries?: number;
}

/**
 * Sends a request with a deadline, and reports its outcome to the client's circuit breaker.
 *
 * @throws InvalidResponseError for an answer that cannot be read, a `TimeoutError` at the deadline, or the client's errors.
 */
export async function sendRequest<T>(
  client: OpenAI,
  operation: string,
  request: (options: RequestOptions) => PromiseLike<T>,
  { signal, deadline = deadlineOf(client), maxRetries }: SendOptions = {},
): Promise<T> {
  const late = new AbortController();
  const breaker = operation.startsWith('conversations.') ? circuitBreakerOf(client) : undefined;
  const options: RequestOptions = {
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    ...(maxRetries === undefined ? {} : { maxRetries }),
  };
  try {
    const answer = validateResponse(operation, async () => request(options));
    const answered = await within(deadline, answer, () => {
      late.abort();
      throw new DOMException(`${operation}: no answer within ${deadline} ms`, 'TimeoutError');
    });
    breaker?.succeeded();
    return answered;
  } catch (error) {
    if (signal?.aborted !== true) breaker?.failed(error);
    throw error;
  }
}

/**
 * Sends a delete request and requires a real acknowledgement: an HTML page or an error body with status 200 is a failure,
 * because a missed deletion would never be retried.
 */
export async function sendDelete(
  client: OpenAI,
  operation: string,
  request: (options: RequestOptions) => PromiseLike<unknown>,
  how?: SendOptions,
): Promise<void> {
  const answer = await sendRequest(client, operation, request, how);
  if (typeof answer === 'string' || (isObject(answer) && isObject(answer['error'])))
    throw new InvalidResponseError(operation, 'it does not say that it was done');
}

function deadlineOf({ timeout }: OpenAI): number {
  return timeout > DEFAULT_TIMEOUT_MS ? timeout : Math.min(DEADLINE_MS, timeout);
}

/** Runs a request; an unreadable answer becomes an InvalidResponseError. */
export async function validateResponse<T>(operation: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    const problem = problemOf(error);
    if (problem !== undefined)
      throw new InvalidResponseError(operation, problem, { cause: withoutContent(error) });
    throw error;
  }
}

/** The client throws a TypeError for an answer without the expected fields; it wraps network errors. */
function problemOf(error: unknown): string | undefined {
  if (error instanceof SyntaxError) return 'it is not JSON';
  // The cursor comes from the previous answer.
  if (error instanceof URIError) return 'it holds an ID that cannot be part of a URL';
  if (!(error instanceof TypeError) || error.message.includes('not a function')) return undefined;
  return /\bof null|\bof undefined/.test(error.message) ? 'it is empty' : 'it is not what was asked for';
}

/** The message of the original error quotes the answer. */
function withoutContent(error: unknown): Error {
  return new Error(error instanceof Error ? error.name : 'Error');
}
