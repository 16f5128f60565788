import type { JsonObject } from './json-object.ts';

/** What an error answer of the API says; `type` is `invalid_request_error` unless told otherwise. */
export interface ApiErrorFacts {
  status: number;
  message: string;
  type?: string;
  param?: string | null;
  code?: string | null;
  /** Extra response headers, such as `retry-after`. */
  headers?: Record<string, string>;
}

/** An answer of the API that is an error: thrown anywhere in the simulator, turned into a response at its edge. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Record<string, string>;

  constructor(facts: ApiErrorFacts) {
    super(facts.message);
    this.name = 'ApiError';
    this.status = facts.status;
    this.type = facts.type ?? 'invalid_request_error';
    this.param = facts.param ?? null;
    this.code = facts.code ?? null;
    this.headers = facts.headers ?? {};
  }

  /** The body that goes over the wire: one `error` object, all four keys present. */
  body(): JsonObject {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}
