/** The fields of an API error; `type` is `invalid_request_error` by default. */
export interface ApiErrorFacts {
  status: number;
  message: string;
  type?: string;
  param?: string | null;
  code?: string | null;
  /** Extra response headers, such as `retry-after`. */
  headers?: Record<string, string>;
  /** A body of another shape than the API's, as servers send it that only look like the API. */
  sent?: ErrorPayload;
}

/** The body of an error as it goes over the wire. */
export interface ErrorPayload {
  readonly contentType: string;
  readonly text: string;
}

/** An answer of the API that is an error: thrown anywhere in the simulator, turned into a response at its edge. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Record<string, string>;
  /** The body that goes over the wire: one `error` object with all four keys, unless told otherwise. */
  readonly payload: ErrorPayload;

  constructor(facts: ApiErrorFacts) {
    super(facts.message);
    this.name = 'ApiError';
    this.status = facts.status;
    this.type = facts.type ?? 'invalid_request_error';
    this.param = facts.param ?? null;
    this.code = facts.code ?? null;
    this.headers = facts.headers ?? {};
    const { message, type, param, code } = this;
    this.payload = facts.sent ?? {
      contentType: 'application/json',
      text: JSON.stringify({ error: { message, type, param, code } }),
    };
  }
}
