import * as fc from 'fast-check';
import { hostileJson, hostileText } from './property.ts';

/** Makes a wrong answer out of a right one. */
export type Wrong = (answer: () => Promise<Response>) => Promise<Response>;

/** A secret: servers quote requests. */
export const QUOTED = 'sk-secret-quoted-by-the-server';

type Json = Record<string, unknown>;

/** Takes a value apart and changes it in one place: gone, of another type, twice, or as deep as it gets. */
function changedAt(value: unknown, path: readonly number[], by: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined || typeof value !== 'object' || value === null) return by;
  if (Array.isArray(value)) {
    if (value.length === 0) return [by];
    const at = step % value.length;
    if (by === undefined) return [...value, value[at] as unknown];
    return value.map((one: unknown, index) => (index === at ? changedAt(one, rest, by) : one));
  }
  const keys = Object.keys(value);
  const key = keys[step % Math.max(1, keys.length)] ?? 'added';
  const copy: Json = { ...value };
  if (rest.length === 0 && by === undefined) delete copy[key];
  else copy[key] = changedAt(copy[key], rest, by);
  return copy;
}

function inJson(change: (body: unknown) => unknown): Wrong {
  return async (answer) => {
    const response = await answer();
    const type = response.headers.get('content-type') ?? '';
    if (!type.includes('json')) return response;
    return Response.json(change(await response.json()) ?? null, { status: response.status });
  };
}

/** The first bytes of the right answer, and then the connection breaks. */
function cutOff(at: number): Wrong {
  return async (answer) => {
    const response = await answer();
    const bytes = new Uint8Array(await response.arrayBuffer());
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes.slice(0, at % (bytes.length + 1)));
        controller.error(new TypeError('terminated'));
      },
    });
    return new Response(body, { status: response.status, headers: response.headers });
  };
}

/** Lines of a stream changed, left out, repeated or put in between. */
function inStream(at: number, by: string): Wrong {
  return async (answer) => {
    const response = await answer();
    if (!(response.headers.get('content-type') ?? '').includes('event-stream')) return response;
    const events = (await response.text()).split('\n\n');
    const place = at % events.length;
    const kind = at % 4;
    const changed =
      kind === 0
        ? events.slice(0, place)
        : kind === 1
          ? events.toSpliced(place, 1, `data: ${by}`)
          : kind === 2
            ? events.toSpliced(place, 0, events[place] ?? '')
            : events.toSpliced(place, 0, `event: response.${by}\ndata: {"type":"response.${by}"}`);
    return new Response(changed.join('\n\n'), { status: 200, headers: response.headers });
  };
}

const path = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 });
const words = { message: `You said: ${QUOTED}`, type: QUOTED, param: QUOTED, code: QUOTED };

/** Answers that no endpoint promises, each made in one of the ways that gateways, bugs and enemies have. */
export const wrongAnswer: fc.Arbitrary<Wrong> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(path, fc.option(hostileJson, { nil: undefined }))
      .map(([at, by]) => inJson((body) => changedAt(body, at, by))),
  },
  hostileJson.map(
    (json): Wrong =>
      async () =>
        Response.json(json),
  ),
  fc.constantFrom<Wrong[]>(
    async () => Response.json({ error: words }),
    async () => new Response(`<html>${QUOTED}`, { headers: { 'content-type': 'application/json' } }),
    async () => new Response(`<html>${QUOTED}`, { headers: { 'content-type': 'text/html' } }),
    async () => new Response(null, { status: 204 }),
    async (answer) => {
      const response = await answer();
      return new Response(await response.text(), {
        status: response.status,
        headers: { 'content-type': 'text/plain' },
      });
    },
    inJson((body) => ({ ...Object(body), has_more: true })),
    inJson((body) => ({ ...Object(body), data: [], has_more: true })),
    inJson((body) => ({
      ...Object(body),
      id: '__proto__',
      metadata: JSON.parse('{"__proto__":{"polluted":"x"}}'),
    })),
    inJson((body) => {
      const data: unknown = Reflect.get(Object(body), 'data');
      return {
        ...Object(body),
        data: Array.isArray(data) ? [...(data as unknown[]), ...(data as unknown[])] : data,
      };
    }),
    async () => {
      throw new TypeError('fetch failed', { cause: new Error(QUOTED) });
    },
  ),
  fc
    .tuple(
      fc.constantFrom(400, 401, 403, 409, 413, 422, 429, 500, 503),
      fc.constantFrom('0', '1e9', '-1', 'NaN', QUOTED),
    )
    .map(
      ([status, wait]): Wrong =>
        async () =>
          Response.json(
            { error: words },
            { status, headers: { 'retry-after': wait, 'x-should-retry': 'false' } },
          ),
    ),
  fc.nat(5000).map((at) => cutOff(at)),
  fc.tuple(fc.nat(50), hostileText).map(([at, by]) => inStream(at, by.replaceAll(/[\r\n]/g, ' '))),
);
