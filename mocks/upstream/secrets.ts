import { isJsonObject } from '../wire/json.ts';

const REMOVED = '[removed]';

/** Fields and parameters whose text is a secret; all values of `headers` are. `token` is a word of logprobs. */
const SECRET_NAME =
  /^(?:authorization|cookie|set-cookie|password|secret|client_secret|(?:x-)?api[-_]?key|(?:access|refresh|id|auth|session)[-_]?token)$/i;

/** Keys of the API and of its short-lived sessions, and bearers; long enough to be no words. */
const SECRET_TEXT = /\b(?:sk|ek|rk|pk)[-_][\w-]{16,}|\bBearer\s+[\w.~+/=-]{16,}/g;

/** A shorter key is one like `test`: a word that texts may have, too. */
const SHORTEST_KEY = 16;

/** Takes secrets out of everything that a recording keeps. */
export class Secrets {
  readonly #known: readonly string[];

  /** @param request the keys in its headers are secrets wherever they stand. */
  constructor({ headers }: Request) {
    const key = headers.get('authorization')?.replace(/^\S+\s+/, '');
    this.#known = [key, headers.get('api-key')].filter(
      (each): each is string => typeof each === 'string' && each.length >= SHORTEST_KEY,
    );
  }

  /** A JSON value without secrets. */
  removedFrom(value: unknown, name = ''): unknown {
    if (typeof value === 'string') return SECRET_NAME.test(name) ? REMOVED : this.removedFromText(value);
    if (Array.isArray(value)) return value.map((each: unknown) => this.removedFrom(each));
    if (!isJsonObject(value)) return value;
    const isHeaders = name === 'headers';
    return Object.fromEntries(
      Object.entries(value).map(([field, inner]) => [
        field,
        isHeaders && typeof inner === 'string' ? REMOVED : this.removedFrom(inner, field),
      ]),
    );
  }

  /** A text without secrets. */
  removedFromText(text: string): string {
    let left = text;
    for (const known of this.#known) left = left.replaceAll(known, REMOVED);
    return left.replaceAll(SECRET_TEXT, REMOVED);
  }

  /** A query with its parameters in order of their names, without secrets. */
  removedFromQuery(query: string): string {
    const params = new URLSearchParams(query);
    params.sort();
    const kept = Array.from(params, ([name, value]): [string, string] => [
      name,
      SECRET_NAME.test(name) ? REMOVED : this.removedFromText(value),
    ]);
    return new URLSearchParams(kept).toString();
  }
}
