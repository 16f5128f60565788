import { createServer, request as ask } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server between a client and the real one that can leave requests without an answer. */
export interface HoldingProxy {
  readonly url: string;
  /** Every request that came, as `POST /conversations`. */
  readonly log: string[];
  /** Leaves every request whose path matches without an answer from now on: the server never gets it. */
  readonly hold: (path: RegExp) => void;
  /** Passes everything on again. */
  readonly release: () => void;
  /** Resolves when so many requests were held in all. */
  readonly held: (count: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Listens on a free port of 127.0.0.1 and passes on to `upstream`, which ends in `/v1`. */
export async function holdingProxy(upstream: string): Promise<HoldingProxy> {
  const log: string[] = [];
  const waiting = new Map<number, () => void>();
  let holds: RegExp | undefined;
  let count = 0;
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url = '/', headers } = incoming;
    const { pathname } = new URL(url, upstream);
    log.push(`${method} ${pathname.replace('/v1', '').replaceAll(/conv_[^/]+/g, 'ID')}`);
    if (holds?.test(pathname) === true) {
      count += 1;
      waiting.get(count)?.();
      return;
    }
    const { hostname, port } = new URL(upstream);
    const forwarded = ask({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    log,
    hold: (path) => void (holds = path),
    release: () => void (holds = undefined),
    held: async (wanted) => {
      if (count < wanted) await new Promise<void>((resolve) => waiting.set(wanted, resolve));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
