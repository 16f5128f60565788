import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/session.ts';
import { isObject } from '../util/json.ts';
import { isTime } from '../util/utc-time.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import { statusOf } from './api-error.ts';
import { sendRequest } from './request.ts';
import { apiItems, INCLUDE, PageBudget, readPage, readPages, type ApiItem } from './items.ts';
import type { ContentCache } from './content-cache.ts';

/** The limit of responses in a chain: a faulty server could return parents without end. */
export const MAX_CHAIN_LENGTH = 5000;

/** A stored response. */
export interface StoredResponse {
  readonly id: string;
  readonly parent: string | undefined;
  readonly output: readonly ApiItem[];
  /** The status of the API, such as `completed` or `failed`; undefined if a server sends none. */
  readonly status: string | undefined;
  /** The conversation of the response, if it has one. */
  readonly conversationId: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number | undefined;
}

/** The end of a response's input, oldest first. */
export interface InputEnd {
  readonly items: readonly ApiItem[];
  /** Whether the items are the whole input. */
  readonly isWhole: boolean;
}

const INPUT = 'responses.inputItems.list';

/** Reads responses and their inputs; completed responses are cached. */
export class ResponseReader {
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

  /** The response, or undefined if it was deleted, expired or never stored. */
  async response(id: string): Promise<StoredResponse | undefined> {
    const cached = this.#cache.get(`response ${id}`);
    if (isStored(cached, id)) return cached;
    if (!isUrlSegment(id)) return undefined;
    const body: unknown = await ifFound(() =>
      sendRequest(
        this.#client,
        'responses.retrieve',
        (options) => this.#client.responses.retrieve(id, { include: [...INCLUDE] }, options),
        { signal: this.#signal },
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
      time: typeof created === 'number' && isTime(created * 1000) ? created * 1000 : undefined,
    };
    if (status === 'completed') this.#cache.set(`response ${id}`, response);
    return response;
  }

  /** The input of a response, oldest first; some servers include the inherited input. */
  async input(id: string): Promise<readonly ApiItem[] | undefined> {
    const cached = cachedItems(this.#cache.get(`input ${id}`));
    if (cached !== undefined) return cached;
    if (!isUrlSegment(id)) return undefined;
    const items = await ifFound(() => readPages(INPUT, (after) => this.#inputPage(id, 'asc', after)));
    if (items !== undefined) this.#cache.set(`input ${id}`, items);
    return items;
  }

  /**
   * The end of a response's input, oldest first.
   *
   * @param isEnough receives each page, oldest first, and ends the read.
   */
  async inputEnd(
    id: string,
    isEnough: (items: readonly ApiItem[]) => Promise<boolean>,
  ): Promise<InputEnd | undefined> {
    const cached = cachedItems(this.#cache.get(`input ${id}`));
    if (cached !== undefined) return { items: cached, isWhole: true };
    if (!isUrlSegment(id)) return undefined;
    const beginning = await ifFound(() => readPage(INPUT, this.#inputPage(id, 'asc', undefined)));
    if (beginning === undefined) return undefined;
    if (!beginning.hasMore) return { items: beginning.items, isWhole: true };
    const newestFirst: ApiItem[] = [];
    const seen = new Set<string>();
    const budget = new PageBudget(INPUT);
    for (let after: string | undefined; ; after = newestFirst.at(-1)?.id) {
      const from = after;
      const page = await readPage(INPUT, this.#inputPage(id, 'desc', from));
      const first = page.items[0]?.id;
      const isStuck = first === undefined || seen.has(first);
      // A server that ignores the order returns the first page again.
      if (isStuck || (from === undefined && first === beginning.items[0]?.id)) break;
      budget.addPage(page.items);
      for (const item of page.items) {
        newestFirst.push(item);
        seen.add(item.id);
      }
      if (!page.hasMore) return { items: newestFirst.toReversed(), isWhole: true };
      if (await isEnough(page.items.toReversed())) return { items: newestFirst.toReversed(), isWhole: false };
    }
    const whole = await this.input(id);
    return whole === undefined ? undefined : { items: whole, isWhole: true };
  }

  #inputPage(id: string, order: 'asc' | 'desc', after: string | undefined): Promise<unknown> {
    const query = { order, limit: 100, include: [...INCLUDE], ...(after === undefined ? {} : { after }) };
    return sendRequest(
      this.#client,
      INPUT,
      (options) => this.#client.responses.inputItems.list(id, query, options),
      {
        signal: this.#signal,
      },
    );
  }

  /**
   * The whole context of a response: every input and output of its chain, oldest first, each item once.
   *
   * A server may list the inherited input or only a response's own: a list with the parent's output is the whole context. A
   * deleted parent ends the walk.
   *
   * @param most the limit of responses that are read. A longer context is cut at its beginning. Default: no limit.
   * @param visited the IDs of the responses that earlier calls have read: the walk ends there, and adds its own.
   */
  async context(id: string, most = Infinity, visited: Set<string> = new Set()): Promise<ApiItem[]> {
    const hops: (readonly ApiItem[])[] = [];
    let count = 0;
    const budget = new PageBudget('responses.retrieve');
    let next: string | undefined = id;
    while (next !== undefined && !visited.has(next)) {
      if (count === most) break;
      visited.add(next);
      count += 1;
      if (count > MAX_CHAIN_LENGTH)
        throw new InvalidResponseError('responses.retrieve', `the chain behind '${id}' does not end`);
      const response = await this.response(next);
      if (response === undefined) break;
      const input = (await this.input(next)) ?? [];
      hops.push(response.output, input);
      budget.addItems(response.output);
      budget.addItems(input);
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

/** Whether a value of the app's cache is this response; another value is read again. */
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

/** The statuses of a response that does not exist, and of a server that gives none back. */
const MISSING = new Set<number | undefined>([404, 405, 410, 501]);

async function ifFound<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (MISSING.has(statusOf(error))) return undefined;
    throw error;
  }
}
