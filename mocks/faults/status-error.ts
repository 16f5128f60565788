import type { ApiErrorFacts } from '../wire/api-error.ts';
import { isJsonObject } from '../wire/json.ts';

/** Any error answer, spelled out. */
export interface StatusError {
  status: number;
  /** Default `server_error` from 500 on, `requests` for 429, else `invalid_request_error`. */
  type?: string;
  /** Default `invalid_api_key` for 401, `rate_limit_exceeded` for 429, else none. */
  code?: string;
  param?: string;
  /** Default: words that fit the status. */
  message?: string;
  /** Seconds a client is told to wait; becomes `retry-after`. */
  retryAfter?: number;
  headers?: Record<string, string>;
}

/** The fields of `StatusError`. */
export const STATUS_ERROR_FIELDS = [
  'status',
  'type',
  'code',
  'param',
  'message',
  'retryAfter',
  'headers',
] as const satisfies readonly (keyof StatusError)[];

/** Whether a value holds headers that can be sent. */
export function areHeaders(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  try {
    for (const [name, text] of Object.entries(value)) new Headers().set(name, String(text));
    return true;
  } catch {
    return false;
  }
}

/** The facts of an error of which only the status is given. */
function defaultFacts(status: number): { message: string; type: string; code: string | null } {
  if (status === 401)
    return { message: 'Incorrect API key provided', type: 'invalid_request_error', code: 'invalid_api_key' };
  if (status === 429)
    return { message: 'Rate limit reached for requests', type: 'requests', code: 'rate_limit_exceeded' };
  return status >= 500
    ? {
        message: 'The server had an error while processing your request. Sorry about that!',
        type: 'server_error',
        code: null,
      }
    : { message: `The request was refused (${status}).`, type: 'invalid_request_error', code: null };
}

/** The API error that a spelled out one describes. */
export function errorFacts(error: StatusError): ApiErrorFacts {
  const { status, message, type, code, param, headers, retryAfter } = error;
  const usual = defaultFacts(status);
  return {
    status,
    message: message ?? usual.message,
    type: type ?? usual.type,
    code: code ?? usual.code,
    param: param ?? null,
    headers: { ...headers, ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }) },
  };
}
