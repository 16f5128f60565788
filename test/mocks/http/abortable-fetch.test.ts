import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { abortableFetch, type Handle } from '../../../mocks/http/abortable-fetch.ts';

const PLACE = 'https://api.openai.com/v1/conversations';

type Use = (answer: Promise<Response>) => Promise<unknown>;

/** Ways in which a request ends. */
const ENDINGS: readonly (readonly [ending: string, handle: Handle, use: Use])[] = [
  ['the answer is read', async () => new Response('{}'), async (answer) => (await answer).text()],
  ['the answer has no body', async () => new Response(null, { status: 204 }), async (answer) => answer],
  [
    'the answer is given up',
    async () => new Response(new ReadableStream()),
    async (answer) => (await answer).body?.cancel(),
  ],
  [
    'the answer breaks off',
    async () => new Response(new ReadableStream({ pull: () => Promise.reject(new Error('cut')) })),
    async (answer) => expect((await answer).text()).rejects.toThrow('cut'),
  ],
  [
    'there is no answer',
    () => Promise.reject(new Error('no connection')),
    async (answer) => expect(answer).rejects.toThrow('no connection'),
  ],
];

describe('a fetch that obeys the signal of its caller', () => {
  // Node keeps a signal of `AbortSignal.any()` as long as it has a listener.
  it.each(ENDINGS)(
    "a fetch leaves no listener on its caller's signal if %s",
    async (_ending, handle, use) => {
      const { signal } = new AbortController();
      const { signal: other } = new AbortController();
      // A `Request` listens until it is collected, which these are not.
      const held = [new Request(PLACE, { signal: other })];
      const fetch = abortableFetch((request) => {
        held.push(request);
        return handle(request);
      });
      await use(fetch(PLACE, { signal }));
      const left = getEventListeners(signal, 'abort').length - getEventListeners(other, 'abort').length;
      expect(left).toBe(0);
      expect(held).toHaveLength(2);
    },
  );
});
