import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { isObject } from '../ledger/json.ts';
import { statusOf } from './api-error.ts';
import { believed } from './believed.ts';
import { apiItems, INCLUDE, readPage, readPages, type ApiItem } from './conversation-list.ts';
import type { ContentCache } from './content-cache.ts';

/** How many responses are followed back: a server could name another parent for ever. */
export const LONGEST_CHAIN = 5000;

/** What a stored response holds. */
export interface StoredResponse {
  readonly id: string;
  readonly parent: string | undefined;
  readonly output: readonly ApiItem[];
  /** The API's word, such as `completed` or `failed`; undefined where a server says nothing. */
  readonly status: string | undefined;
  /** The conversation that it was made in, if it was made in one. */
  readonly conversationId: string | undefined;
  /** When it was made, in milliseconds since the epoch. */
  readonly time: number | undefined;
}

/** The end of a response's input, oldest first. */
export interface InputEnd {
  readonly items: readonly ApiItem[];
  /** Whether it is all of the input. */
  readonly isWhole: boolean;
}

const INPUT = 'responses.inputItems.list';

/** Reads responses and the inputs they answered; what does not change any more is read once. */
export class ResponseChain {
  readonly #client: OpenAI;
  readonly #cache: ContentCache;
  readonly #signal: AbortSignal | undefined;

  /**
   * @param cache scoped to the client: see `scopedCache`.
   * @param signal ends the request under way.
   */
  constructor(client: OpenAI, cache: ContentCache, signal?: AbortSignal) {
    this.#client = client;
    this.#cache = cache;
    this.#signal = signal;
  }

  /** The response, or undefined when it is deleted, expired or was never stored. */
  async response(id: string): Promise<StoredResponse | undefined> {
    const cached = this.#cache.get(`response ${id}`);
    if (isStored(cached, id)) return cached;
    const body: unknown = await ifFound(() =>
      believed('responses.retrieve', async () =>
        this.#client.responses.retrieve(id, { include: [...INCLUDE] }, { signal: this.#signal }),
      ),
    );
    if (body === undefined) return undefined;
    if (!isObject(body) || body['id'] !== id)
      throw new InvalidResponseError('responses.retrieve', `it is not response '${id}'`);
    const parent = body['previous_response_id'];
    const { status, conversation, created_at: created } = body;
    const conversationId = isObject(conversation) ? conversation['id'] : conversation;
    const response: StoredResponse = {
      id,
      parent: typeof parent === 'string' ? parent : undefined,
      output: apiItems('responses.retrieve', body['output']),
      status: typeof status === 'string' ? status : undefined,
      conversationId: typeof conversationId === 'string' ? conversationId : undefined,
      time: typeof created === 'number' ? created * 1000 : undefined,
    };
    if (status === 'completed') this.#cache.set(`response ${id}`, response);
    return response;
  }

  /** The input of a response, oldest first; whether that begins with what it inherited depends on the server. */
  async input(id: string): Promise<readonly ApiItem[] | undefined> {
    const cached = cachedItems(this.#cache.get(`input ${id}`));
    if (cached !== undefined) return cached;
    const items = await ifFound(() => readPages(INPUT, (after) => this.#inputPage(id, 'asc', after)));
    if (items !== undefined) this.#cache.set(`input ${id}`, items);
    return items;
  }

  /**
   * The end of a response's input, oldest first: all of it when it is short, else as much as is wanted.
   *
   * @param isEnough is asked of what was read so far when there is more.
   */
  async inputEnd(
    id: string,
    isEnough: (items: readonly ApiItem[]) => Promise<boolean>,
  ): Promise<InputEnd | undefined> {
    const cached = cachedItems(this.#cache.get(`input ${id}`));
    if (cached !== undefined) return { items: cached, isWhole: true };
    const beginning = await ifFound(() => readPage(INPUT, () => this.#inputPage(id, 'asc', undefined)));
    if (beginning === undefined) return undefined;
    if (!beginning.hasMore) return { items: beginning.items, isWhole: true };
    const newestFirst: ApiItem[] = [];
    for (let after: string | undefined; ; after = newestFirst.at(-1)?.id) {
      const from = after;
      const page = await readPage(INPUT, () => this.#inputPage(id, 'desc', from));
      const first = page.items[0]?.id;
      const isStuck = first === undefined || newestFirst.some((item) => item.id === first);
      // A server that knows one order alone begins where it began before.
      if (isStuck || (from === undefined && first === beginning.items[0]?.id)) break;
      newestFirst.push(...page.items);
      const items = newestFirst.toReversed();
      if (!page.hasMore) return { items, isWhole: true };
      if (await isEnough(items)) return { items, isWhole: false };
    }
    const whole = await this.input(id);
    return whole === undefined ? undefined : { items: whole, isWhole: true };
  }

  #inputPage(id: string, order: 'asc' | 'desc', after: string | undefined): PromiseLike<unknown> {
    const query = { order, limit: 100, include: [...INCLUDE], ...(after === undefined ? {} : { after }) };
    return this.#client.responses.inputItems.list(id, query, { signal: this.#signal });
  }

  /**
   * The whole context that a response ends: every input and output of its chain, oldest first, each item once.
   *
   * Works whether the server lists inherited input or only a response's own: a list that already holds the parent's
   * output is the whole context. A parent that is gone ends the walk.
   */
  async context(id: string): Promise<ApiItem[]> {
    const hops: (readonly ApiItem[])[] = [];
    const visited = new Set<string>();
    let next: string | undefined = id;
    while (next !== undefined && !visited.has(next)) {
      visited.add(next);
      if (visited.size > LONGEST_CHAIN)
        throw new InvalidResponseError('responses.retrieve', `the chain behind '${id}' does not end`);
      const response = await this.response(next);
      if (response === undefined) break;
      const input = (await this.input(next)) ?? [];
      hops.push(response.output, input);
      const parent = response.parent === undefined ? undefined : await this.response(response.parent);
      const listed = new Set(input.map((item) => item.id));
      next =
        parent !== undefined && parent.output.some((item) => listed.has(item.id)) ? undefined : parent?.id;
    }
    const items = new Map<string, ApiItem>();
    for (const hop of hops.toReversed()) for (const item of hop) items.set(item.id, item);
    return [...items.values()];
  }
}

/** A cache may be anybody's, and hold anything: what it should not hold is read again. */
function isStored(value: unknown, id: string): value is StoredResponse {
  return isObject(value) && value['id'] === id && cachedItems(value['output']) !== undefined;
}

function cachedItems(value: unknown): readonly ApiItem[] | undefined {
  try {
    return apiItems(INPUT, value);
  } catch {
    return undefined;
  }
}

async function ifFound<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}
