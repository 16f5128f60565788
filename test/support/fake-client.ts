import OpenAI from 'openai';

/** The real client on one function that answers every request. It does not retry. */
export function clientOn(
  answer: (url: URL, init: RequestInit | undefined) => Response | Promise<Response>,
): OpenAI {
  return new OpenAI({
    apiKey: 'test',
    baseURL: 'http://127.0.0.1/v1',
    maxRetries: 0,
    fetch: async (url, init) => answer(new URL(url instanceof Request ? url.url : url), init),
  });
}

/** A list as the API answers it. */
export function page(data: readonly unknown[], more: object = {}): Response {
  return Response.json({ object: 'list', data, has_more: false, first_id: null, last_id: null, ...more });
}
