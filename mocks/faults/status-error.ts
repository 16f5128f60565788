import type { ApiErrorFacts } from '../wire/api-error.ts';

/** Any error answer, spelled out. */
export interface StatusError {
  status: number;
  /** Default `server_error` from 500 on, else `invalid_request_error`. */
  type?: string;
  code?: string;
  param?: string;
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

/** The API error that a spelled out one describes. */
export function errorFacts(error: StatusError): ApiErrorFacts {
  const { status, message, type, code, param, headers, retryAfter } = error;
  return {
    status,
    message: message ?? 'The server had an error while processing your request. Sorry about that!',
    type: type ?? (status >= 500 ? 'server_error' : 'invalid_request_error'),
    code: code ?? null,
    param: param ?? null,
    headers: { ...headers, ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }) },
  };
}
