import { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';

const named = 'previous_response_id';

/** A page as a proxy sends it. */
function page(status: number, title: string, text: string): ApiError {
  const html = `<html><head><title>${status} ${title}</title></head><body><h1>${title}</h1><p>${text}</p></body></html>`;
  return new ApiError({ status, message: title, sent: { contentType: 'text/html', text: html } });
}

/** A body of any shape. */
function shaped(status: number, message: string, body: object): ApiError {
  return new ApiError({
    status,
    message,
    sent: { contentType: 'application/json', text: JSON.stringify(body) },
  });
}

/** An `error` object with the keys a server has. */
function inError(status: number, error: { message: string; [key: string]: unknown }): ApiError {
  return shaped(status, error.message, { error });
}

/**
 * How servers refuse to continue from a response. The statuses and the shapes of the bodies are theirs; the messages
 * are shortened to the words that identify them. The ID is the one that the client sent.
 */
export const parentRefusals = {
  openai: (id) => errors.previousResponseNotFound(id),
  zdr: () => errors.previousResponseNotUsable(),
  'llama.cpp': () =>
    inError(400, {
      code: 400,
      message: `llama.cpp does not support '${named}'.`,
      type: 'invalid_request_error',
    }),
  'ik_llama.cpp': () =>
    inError(500, { code: 500, message: `ik_llama.cpp does not support '${named}'.`, type: 'server_error' }),
  vllm: (id) =>
    inError(404, {
      message: `Response with id '${id}' not found.`,
      type: 'invalid_request_error',
      param: null,
      code: 404,
    }),
  litellm: (id) =>
    inError(400, {
      message: `litellm.BadRequestError: no messages for this request: it has ${named} without a session database. Original request: ${named}=${id}`,
      type: null,
      param: null,
      code: '400',
    }),
  'chatgpt-invalid': () =>
    inError(400, { message: `Invalid ${named}.`, type: 'invalid_request_error', code: null, param: null }),
  'chatgpt-unknown': () =>
    inError(400, { message: `Unknown ${named}.`, type: 'invalid_request_error', code: null, param: null }),
  'chatgpt-unsupported': () => shaped(400, 'unsupported', { detail: `Unsupported parameter: ${named}` }),
  'websocket-only': () =>
    inError(400, {
      message: `${named} is only supported on Responses WebSocket v2`,
      type: 'invalid_request_error',
      param: '',
      code: null,
    }),
  relay: () =>
    inError(400, {
      message: `Upstream returned HTTP 400: ${JSON.stringify({ detail: `Unsupported parameter: ${named}` })}`,
      type: 'upstream_error',
    }),
  ogx: () => shaped(500, 'internal', { detail: 'Internal server error: An unexpected error occurred.' }),
  dynamo: () => shaped(501, 'not implemented', { message: `Field not implemented: ${named}`, code: 501 }),
  pydantic: (id) =>
    shaped(422, 'extra', {
      detail: [
        { type: 'extra_forbidden', loc: ['body', named], msg: 'Extra inputs are not permitted', input: id },
      ],
    }),
  zod: () =>
    shaped(400, 'zod', {
      success: false,
      error: {
        name: 'ZodError',
        issues: [{ code: 'unrecognized_keys', keys: [named], path: [], message: 'Unrecognized key' }],
      },
    }),
  text: () =>
    new ApiError({
      status: 400,
      message: 'text',
      sent: { contentType: 'text/plain', text: `${named} is not available on this endpoint` },
    }),
  html: () => page(400, 'Bad Request', `Unexpected field <code>${named}</code>`),
} as const satisfies Record<string, (id: string) => ApiError>;

/** The name of a way to refuse. */
export type ParentRefusalName = keyof typeof parentRefusals;
