import { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';

/** Where a route was asked for. */
interface Asked {
  readonly method: string;
  readonly path: string;
}

function shaped(status: number, body: object): ApiError {
  const text = JSON.stringify(body);
  return new ApiError({
    status,
    message: `no route (${status})`,
    sent: { contentType: 'application/json', text },
  });
}

/** How servers answer for a route that they do not have. */
export const missingRoutes = {
  openai: ({ method, path }) => errors.unknownUrl(method, path),
  fastapi: () => shaped(404, { detail: 'Not Found' }),
  'llama.cpp': () =>
    shaped(404, { error: { code: 404, message: 'File Not Found', type: 'not_found_error' } }),
  method: () => shaped(405, { detail: 'Method Not Allowed' }),
  'not-implemented': () =>
    shaped(501, { error: { message: 'Conversations are not implemented', type: 'not_implemented_error' } }),
  text: () =>
    new ApiError({
      status: 404,
      message: 'no route (404)',
      sent: { contentType: 'text/plain', text: '404 page not found\n' },
    }),
  html: () =>
    new ApiError({
      status: 404,
      message: 'no route (404)',
      sent: {
        contentType: 'text/html',
        text: '<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1></body></html>',
      },
    }),
} as const satisfies Record<string, (asked: Asked) => ApiError>;

/** The name of a way to answer. */
export type MissingRouteName = keyof typeof missingRoutes;
