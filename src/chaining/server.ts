import { hash, randomUUID } from 'node:crypto';
import type { Model } from '@openai/agents';
import { isObject, textOf } from '../util/json.ts';
import { boundedMap } from '../util/bounded-map.ts';
import type { KnownContext, ServerRefusals } from './port.ts';

/** The server and account of a model's requests. */
export interface ModelServer {
  /**
   * Identifies the server and account. The ledger stores it, so it holds no address and no key: only 18 bits of the credentials'
   * hash, which detect a change but do not confirm a guess.
   */
  readonly mark: string;
  /** The client's name of the model. */
  readonly model: string;
  /** Whether the server is OpenAI's API, which continues from responses. */
  readonly isOfficial: boolean;
}

/** Marks of models without a readable client: each counts as a server of its own in this process. */
const unknown = new WeakMap<Model, string>();

/** Headers and query parameters that choose an account. */
const CREDENTIAL = /auth|key|token|secret|organi[sz]ation|project|account|tenant/i;

/** The client of a model; undefined for a class without one. */
export function clientOf(model: Model): object | undefined {
  const client: unknown = Reflect.get(model, '_client');
  return isObject(client) && typeof client['baseURL'] === 'string' ? client : undefined;
}

/** The key of what this process knows about a model's server: models of one client share it. */
export function clientKeyOf(model: Model): object {
  return clientOf(model) ?? model;
}

export function serverOf(model: Model): ModelServer {
  const name = textOf(Reflect.get(model, '_model'));
  const client = clientOf(model);
  const place = client === undefined ? undefined : placeOf(client);
  if (place !== undefined) return { ...place, model: name };
  let mark = unknown.get(model);
  if (mark === undefined) unknown.set(model, (mark = `unknown-${randomUUID()}`));
  return { mark, model: name, isOfficial: false };
}

type Place = Omit<ModelServer, 'model'>;

/** The newest facts about each client, as text, and what they say. An app can change them between two requests. */
const places = new WeakMap<object, { readonly facts: string; readonly place: Place | undefined }>();

/** The server and account of a client; undefined if it has no address. */
function placeOf(client: object): Place | undefined {
  const facts = factsOf(client);
  const text = JSON.stringify(facts);
  const known = places.get(client);
  if (known?.facts === text) return known.place;
  const place = placeIn(facts);
  places.set(client, { facts: text, place });
  return place;
}

/** The facts of which a server's mark is made. */
interface ClientFacts {
  readonly address: unknown;
  readonly owner: readonly string[];
  /** Empty for a rotating key, which does not identify an account. */
  readonly key: string;
  /** The texts in the query and in the headers of every request. */
  readonly fields: readonly (readonly NamedText[])[];
}

type NamedText = readonly [name: string, text: string];

function factsOf(client: object): ClientFacts {
  const options: unknown = Reflect.get(client, '_options');
  const { apiKey, azureADTokenProvider, workloadIdentity, defaultHeaders, defaultQuery } = isObject(options)
    ? options
    : {};
  const rotates = [apiKey, azureADTokenProvider].some((source) => typeof source === 'function');
  return {
    address: Reflect.get(client, 'baseURL'),
    owner: ['organization', 'project'].map((field) => textOf(Reflect.get(client, field))),
    key: rotates || workloadIdentity ? '' : textOf(Reflect.get(client, 'apiKey')),
    fields: [entriesOf(defaultQuery), entriesOf(defaultHeaders)].map((entries) =>
      entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : [])),
    ),
  };
}

function placeIn({ address, owner, key, fields }: ClientFacts): Place | undefined {
  const url = parseUrl(address);
  if (url === undefined) return undefined;
  const place = [url.host, url.pathname.replace(/\/+$/, ''), ...owner];
  const groups = [[...url.searchParams], ...fields];
  const account = [key, url.username, url.password, ...groups.flatMap((group) => credentials(group))];
  return {
    mark: `${shortHash(place, 12)}.${shortHash(account, 3)}`,
    isOfficial: url.host === 'api.openai.com',
  };
}

function credentials(entries: readonly NamedText[]): unknown[] {
  return entries
    .filter(([name]) => CREDENTIAL.test(name))
    .map(([name, value]) => [name.toLowerCase(), value])
    .toSorted((one, other) => (String(one) < String(other) ? -1 : 1));
}

/** The entries of headers in any form that a client accepts. */
function entriesOf(given: unknown): (readonly [string, unknown])[] {
  if (given instanceof Headers) return [...given.entries()];
  if (Array.isArray(given))
    return given.flatMap((one: unknown) => (Array.isArray(one) ? [[String(one[0]), one[1]]] : []));
  return isObject(given) ? Object.entries(given) : [];
}

function parseUrl(value: unknown): URL | undefined {
  return typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
}

function shortHash(facts: readonly unknown[], length: number): string {
  return hash('sha256', JSON.stringify(facts), 'base64url').slice(0, length);
}

const MINUTE_MS = 60 * 1000;

/** The number of consecutive failures before chaining pauses for a server. */
export const MAX_FAILURES = 3;

/** The first pause; each further failure doubles it. */
const FIRST_PAUSE_MS = 5 * MINUTE_MS;

const MAX_PAUSE_MS = 6 * 60 * MINUTE_MS;

/** So many requests that continue from one response may fail without an answer. */
export const MAX_UNANSWERED = 2;

interface Facts extends ServerRefusals {
  /** Whether the newest response to a chained request was confirmed; undefined if there was none in this process. */
  readonly continues: boolean | undefined;
}

const NO_REFUSALS: ServerRefusals = { count: 0, pause: 0, until: 0 };

/**
 * The servers that continue from responses, as seen by this process, by base URL, account and model.
 *
 * Chaining pauses for a server that ignores or refuses its own new responses, so that not every turn costs a failed request. The
 * record of a response holds the refusals before it: a process per request does not count from the beginning.
 */
class ServerMemory {
  readonly #facts = boundedMap<Facts>(1000);
  /** The time from which a response may be used, by response: it may not be readable yet. */
  readonly #waiting = boundedMap<number>(10_000);

  /** The number of requests that continued from a response and got no answer, by response. */
  readonly #unanswered = boundedMap<number>(1000);

  /** Whether a server continues from responses; undefined if it is unknown. */
  continues(server: ModelServer): boolean | undefined {
    return this.#facts.get(keyOf(server))?.continues;
  }

  isPaused(server: ModelServer, now: number): boolean {
    return now < (this.#facts.get(keyOf(server))?.until ?? 0);
  }

  /** Records that the server continued from a response. */
  confirmed(server: ModelServer): void {
    this.#facts.set(keyOf(server), { ...NO_REFUSALS, continues: true });
  }

  /**
   * Records that the server did not continue from a response.
   *
   * @param times the number of failures to count; `MAX_FAILURES` pauses at once.
   */
  failed(server: ModelServer, now: number, times = 1): void {
    const key = keyOf(server);
    const { count, pause, until } = this.#facts.get(key) ?? NO_REFUSALS;
    const facts = { count: count + times, pause, until, continues: false };
    // Parallel requests fail together and count once.
    if (now < until) facts.count = count;
    else if (facts.count >= MAX_FAILURES) {
      facts.pause = pause === 0 ? FIRST_PAUSE_MS : Math.min(2 * pause, MAX_PAUSE_MS);
      facts.until = now + facts.pause;
    }
    this.#facts.set(key, facts);
  }

  /** Records a response that named the parent but probably lacks its context. Every such response is wrong, so the pause is long. */
  doubted(server: ModelServer, now: number): void {
    const refusals = { count: MAX_FAILURES, pause: MAX_PAUSE_MS, until: now + MAX_PAUSE_MS };
    this.#facts.set(keyOf(server), { ...refusals, continues: false });
  }

  /** The refusals of a server since it last continued from a response, for the record of its answer. */
  refusals(server: ModelServer): Pick<KnownContext, 'refusals'> {
    const { count, pause, until } = this.#facts.get(keyOf(server)) ?? NO_REFUSALS;
    return count === 0 ? {} : { refusals: { count, pause, until } };
  }

  /** Learns of the refusals that the newest response of a session names, unless this process knows the server. */
  learn(server: ModelServer, newest: KnownContext | undefined, now: number): void {
    const { refusals } = newest ?? {};
    const key = keyOf(server);
    if (refusals === undefined || newest?.server !== server.mark || this.#facts.has(key)) return;
    const pause = Math.min(Math.max(0, refusals.pause), MAX_PAUSE_MS);
    const until = Math.min(refusals.until, now + pause);
    this.#facts.set(key, {
      count: Math.min(refusals.count, MAX_FAILURES),
      pause,
      until,
      continues: undefined,
    });
  }

  /** Avoids a refused response until the given time. */
  wait(server: ModelServer, id: string, until: number): void {
    this.#waiting.set(responseKey(server, id), until);
  }

  isWaiting(server: ModelServer, id: string, now: number): boolean {
    return now < (this.#waiting.get(responseKey(server, id)) ?? 0);
  }

  /** Records that requests which continued from a response got no answer: a broken connection, a timeout. */
  unanswered(server: ModelServer, id: string, times = 1): void {
    const key = responseKey(server, id);
    this.#unanswered.set(key, (this.#unanswered.get(key) ?? 0) + times);
  }

  /** Whether a server may not answer at all to requests that continue from this response. */
  isUnanswered(server: ModelServer, id: string): boolean {
    return (this.#unanswered.get(responseKey(server, id)) ?? 0) >= MAX_UNANSWERED;
  }

  /** Records that a server answered to everything after it had not answered to requests that continue from a response. */
  answeredWhole(server: ModelServer, now: number): void {
    this.failed(server, now, this.continues(server) === true ? 1 : MAX_FAILURES);
  }

  clear(): void {
    this.#facts.clear();
    this.#waiting.clear();
    this.#unanswered.clear();
  }
}

/** The memory of this process; sessions and runners share it. */
export const servers = new ServerMemory();

function keyOf({ mark, model }: ModelServer): string {
  return `${mark} ${model}`;
}

/** Response IDs are unique within one server only. */
function responseKey({ mark }: ModelServer, id: string): string {
  return `${mark} ${id}`;
}

/** The number of remembered responses of each client. */
const MAX_RESPONSES = 10_000;

/** The newest response with an ID. */
interface Answered {
  /** The digest of its context; undefined if no request may continue from it. */
  readonly context: string | undefined;
}

/**
 * The IDs of the responses of one client's server, as seen by this process.
 *
 * Some servers give one ID to several responses: a constant, or a count that begins again. They continue from the newest, which may
 * belong to another session.
 */
export class ResponseIds {
  readonly #newest = boundedMap<Answered>(MAX_RESPONSES);

  /** Records a response. A server may give it no ID. */
  answered(id: unknown, context: string | undefined): void {
    if (typeof id === 'string' && id !== '') this.#newest.set(id, { context });
  }

  isKnown(id: unknown): boolean {
    return typeof id === 'string' && this.#newest.has(id);
  }

  /** Whether a newer response with another context has the ID. */
  isTaken(id: string, context: string): boolean {
    const newest = this.#newest.get(id);
    return newest !== undefined && newest.context !== context;
  }
}

const responseIds = new WeakMap<object, ResponseIds>();

export function responseIdsOf(model: Model): ResponseIds {
  const key = clientKeyOf(model);
  let ids = responseIds.get(key);
  if (ids === undefined) responseIds.set(key, (ids = new ResponseIds()));
  return ids;
}
