import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The header in which a request carries its number. */
const NUMBER = 'x-request-number';

/** The fate of one request: the server gets it or not, and the client gets an answer or not. */
export type Cut =
  | 'no answer before'
  | 'no answer after'
  | 'dropped before'
  | 'dropped after'
  | '500 after'
  | '429 before'
  | '409 before'
  | 'half an answer'
  | 'another answer';

/** Which request is meant. */
export interface CutPlan {
  readonly cut: Cut;
  readonly method: string;
  readonly path: RegExp;
  /** How many such requests pass first. */
  readonly skip: number;
}

/** A server of its own between a client and the real one. */
export interface CuttingProxy {
  readonly url: string;
  /** Cuts the next request of that kind, once. */
  readonly plan: (plan: CutPlan) => void;
  /** For a client: fails like a request that timed out, as soon as its answer is kept back. */
  readonly fetch: typeof globalThis.fetch;
  /** Whether the planned cut was made. */
  readonly hasCut: () => boolean;
  readonly close: () => Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and passes everything on to `upstream`, which ends in `/v1`. */
export async function cuttingProxy(upstream: string): Promise<CuttingProxy> {
  let planned: CutPlan | undefined;
  let isCut = false;
  let count = 0;
  const giveUp = new Map<string, () => void>();
  const server = createServer((incoming, outgoing) => {
    const { pathname } = new URL(incoming.url ?? '/', upstream);
    let cut: Cut | undefined;
    if (planned !== undefined && incoming.method === planned.method && planned.path.test(pathname)) {
      if (planned.skip > 0) planned = { ...planned, skip: planned.skip - 1 };
      else {
        ({ cut } = planned);
        planned = undefined;
        isCut = true;
      }
    }
    const keptBack = giveUp.get(String(incoming.headers[NUMBER])) ?? (() => undefined);
    void pass(upstream, incoming, outgoing, cut, keptBack);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    plan(plan) {
      planned = plan;
      isCut = false;
    },
    async fetch(url, init) {
      const number = String((count += 1));
      const headers = new Headers(init?.headers);
      headers.set(NUMBER, number);
      const keptBack = new Promise<never>((_, reject) => {
        giveUp.set(number, () => reject(new Error('The request timed out')));
      });
      try {
        return await Promise.race([globalThis.fetch(url, { ...init, headers }), keptBack]);
      } finally {
        giveUp.delete(number);
      }
    },
    hasCut: () => isCut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function pass(
  upstream: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  cut: Cut | undefined,
  keptBack: () => void,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  if (cut === 'no answer before') return keptBack();
  if (cut === 'dropped before') return void outgoing.destroy();
  if (cut === '429 before') return refuse(outgoing, 429);
  if (cut === '409 before') return refuse(outgoing, 409);
  const { method = 'GET', headers, url = '/' } = incoming;
  const { hostname, port } = new URL(upstream);
  const forwarded = ask({ hostname, port, method, path: url, headers }, (answer) => {
    if (cut === undefined) {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
      return;
    }
    void spoil(answer, outgoing, cut, keptBack);
  });
  forwarded.on('error', () => outgoing.destroy());
  forwarded.end(Buffer.concat(parts));
}

/** The server has done it; the client does not learn of it. */
async function spoil(
  answer: IncomingMessage,
  outgoing: ServerResponse,
  cut: Cut,
  keptBack: () => void,
): Promise<void> {
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  if (cut === 'no answer after') return keptBack();
  if (cut === 'dropped after') return void outgoing.destroy();
  if (cut === '500 after') return refuse(outgoing, 500);
  const type = { 'content-type': answer.headers['content-type'] ?? 'application/json' };
  if (cut === 'half an answer')
    outgoing.writeHead(200, type).end(body.subarray(0, Math.floor(body.length / 2)));
  else outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"surprise"}');
}

function refuse(outgoing: ServerResponse, status: number): void {
  const error = { message: 'Try again', type: 'server_error', param: null, code: null };
  outgoing
    .writeHead(status, { 'content-type': 'application/json', 'retry-after-ms': '1' })
    .end(JSON.stringify({ error }));
}
