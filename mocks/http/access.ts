import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Who may ask a listening simulator, beyond programs of the same machine. */
export interface AccessOptions {
  /**
   * Names by which clients reach it, such as `host.docker.internal`. Addresses, `localhost`, names below it and `host`
   * need not be listed. Another name is refused (403): a web page could have pointed it at this machine.
   * @default []
   */
  hosts?: readonly string[];
  /**
   * Origins of web pages that may use it, such as `https://app.test`, or `*` for all. Pages of this machine
   * (`http://localhost:3000`) need not be listed.
   * @default []
   */
  origins?: readonly string[];
}

/** Decides which hosts and origins a listening simulator serves. */
export class Access {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;

  /** @param host the host that it listens on. */
  constructor(host: string, { hosts = [], origins = [] }: AccessOptions) {
    this.#hosts = new Set([host, ...hosts].map((name) => name.toLowerCase()));
    this.#origins = new Set(origins);
  }

  /** The reason why a request is not served; `undefined` if it is. */
  refusal({ host }: IncomingHttpHeaders): string | undefined {
    const name = hostnameOf(host);
    if (name === undefined || isIP(name) !== 0 || isLocal(name) || this.#hosts.has(name)) return undefined;
    return `The simulator is not served at the host ${JSON.stringify(name)}: name it in "hosts" of listen(), or --allow-host of simulate`;
  }

  /** Whether a page of this origin may read answers; a program that is no browser sends none. */
  allows(origin: string): boolean {
    if (this.#origins.has('*') || this.#origins.has(origin)) return true;
    return URL.canParse(origin) && isLocal(unbracketed(new URL(origin).hostname));
  }

  /** The headers that let a page read an answer. */
  headersFor({ origin }: IncomingHttpHeaders): Record<string, string> {
    if (origin === undefined || !this.allows(origin)) return {};
    return { 'access-control-allow-origin': origin, 'access-control-expose-headers': '*', vary: 'origin' };
  }

  /** The headers of the answer to a browser that asks first, as it does for each request with a key. */
  preflight(headers: IncomingHttpHeaders): Record<string, string> | undefined {
    const asked = headers['access-control-request-method'];
    const allowed = this.headersFor(headers);
    if (asked === undefined || Object.keys(allowed).length === 0) return undefined;
    const wanted = headers['access-control-request-headers'];
    return {
      ...allowed,
      'access-control-allow-methods': 'GET, POST, DELETE',
      ...(wanted === undefined ? {} : { 'access-control-allow-headers': wanted }),
      'access-control-allow-private-network': 'true',
      'access-control-max-age': '600',
    };
  }
}

function hostnameOf(host: string | undefined): string | undefined {
  if (host === undefined || !URL.canParse(`http://${host}`)) return host;
  return unbracketed(new URL(`http://${host}`).hostname);
}

function unbracketed(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

function isLocal(name: string): boolean {
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (name.startsWith('127.') && isIP(name) === 4)
  );
}
