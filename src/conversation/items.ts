import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/session.ts';
import { MAX_DEPTH } from '../util/copy-json.ts';
import { isDeeper, isObject, roughBytes, type JsonObject } from '../util/json.ts';
import { statusOf } from './api-error.ts';
import { sendRequest } from './request.ts';
import type { AgentInputItem } from '@openai/agents';

/** An item as the API gave it, with the ID that every stored item has. */
export interface ApiItem extends JsonObject {
  readonly id: string;
  readonly type: string;
}

/** Fields that a model reads and that a list contains only on request. */
export const INCLUDE = [
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'reasoning.encrypted_content',
] as const;

/** The number of attempts to read a list. */
const MAX_ATTEMPTS = 3;

/** The limit of pages: a faulty server could return pages without end. */
export const MAX_PAGES = 2500;

/** The limit of bytes in all pages. */
const MAX_LIST_BYTES = 512 * 2 ** 20;

/** Limits the pages and the bytes of a paginated answer. */
export class PageBudget {
  readonly #operation: string;
  readonly #mostBytes: number;
  #pages = 0;
  #bytes = 0;

  /** @param mostBytes default: 512 MiB. */
  constructor(operation: string, mostBytes = MAX_LIST_BYTES) {
    this.#operation = operation;
    this.#mostBytes = mostBytes;
  }

  /** @throws InvalidResponseError when this page exceeds a limit. */
  addPage(items: readonly unknown[]): void {
    this.#pages += 1;
    if (this.#pages > MAX_PAGES) throw new InvalidResponseError(this.#operation, 'its pages do not end');
    this.addItems(items);
  }

  /** The same for items that are not a page. */
  addItems(items: readonly unknown[]): void {
    this.#bytes += roughBytes(items);
    if (this.#bytes <= this.#mostBytes) return;
    const most = Math.floor(this.#mostBytes / 2 ** 20);
    throw new InvalidResponseError(this.#operation, `its pages hold more than ${most} MiB`);
  }
}

/** Reads one page that begins after the given item. */
export type PageReader = (after: string | undefined) => Promise<unknown>;

/** The options of a long read. */
export interface ReadOptions {
  /** Ends the request under way. */
  readonly signal?: AbortSignal | undefined;
  /** The retries by the client. Default: the client's own. */
  readonly maxRetries?: number | undefined;
  /** Receives the number of items read so far. */
  readonly onPage?: ((count: number) => void) | undefined;
}

/** The whole list of a conversation, oldest first. @throws InvalidResponseError, or the client's own errors. */
export function readConversation(
  client: OpenAI,
  conversationId: string,
  { onPage, ...how }: ReadOptions = {},
): Promise<ApiItem[]> {
  const operation = 'conversations.items.list';
  return readPages(
    operation,
    (after) =>
      sendRequest(
        client,
        operation,
        (options) =>
          client.conversations.items.list(
            conversationId,
            {
              order: 'asc',
              limit: 100,
              include: [...INCLUDE],
              ...(after === undefined ? {} : { after }),
            },
            options,
          ),
        how,
      ),
    onPage,
  );
}

/**
 * Reads all pages. `has_more` counts, not the cursor: a page without `last_id` would otherwise end the list silently. Begins
 * again when the item of a cursor was deleted meanwhile.
 *
 * @param mostBytes the limit of bytes. Default: 512 MiB.
 */
export async function readPages(
  operation: string,
  reader: PageReader,
  onPage?: (count: number) => void,
  mostBytes?: number,
): Promise<ApiItem[]> {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    const items = await readOnce(operation, reader, onPage, mostBytes);
    if (items !== undefined) return items;
  }
  throw new InvalidResponseError(operation, 'its items are taken out faster than they can be read');
}

/** @returns undefined when the item of a cursor was deleted: the API then answers 404. */
async function readOnce(
  operation: string,
  reader: PageReader,
  onPage: ((count: number) => void) | undefined,
  mostBytes: number | undefined,
): Promise<ApiItem[] | undefined> {
  const items: ApiItem[] = [];
  const cursors = new Set<string>();
  const budget = new PageBudget(operation, mostBytes);
  let after: string | undefined;
  for (;;) {
    const cursor = after;
    const page = await readPage(operation, reader(cursor)).catch((error: unknown) => {
      if (cursor === undefined || statusOf(error) !== 404) throw error;
      return undefined;
    });
    if (page === undefined) return undefined;
    budget.addPage(page.items);
    for (const item of page.items) items.push(item);
    onPage?.(items.length);
    after = page.items.at(-1)?.id;
    if (!page.hasMore || after === undefined) return items;
    if (cursors.has(after))
      throw new InvalidResponseError(operation, `page after '${after}' leads back to itself`);
    cursors.add(after);
  }
}

/** One page of items, as the server sent it. */
export async function readPage(
  operation: string,
  answer: PromiseLike<unknown>,
): Promise<{ readonly items: readonly ApiItem[]; readonly hasMore: boolean }> {
  const page = bodyOf(await answer);
  return { items: apiItems(operation, page['data']), hasMore: page['has_more'] === true };
}

/** The body of a page: the client turns an answer that is no page into an empty page, which would end the list silently. */
function bodyOf(page: unknown): JsonObject {
  const body = isObject(page) && 'body' in page ? page['body'] : page;
  return isObject(body) ? body : {};
}

/** @throws InvalidResponseError when it is not an array of items that have an ID and a type. */
export function apiItems(operation: string, data: unknown): ApiItem[] {
  if (!Array.isArray(data)) throw new InvalidResponseError(operation, 'it holds no array of items');
  return data.map((given: unknown, index) => {
    const item = typed(given);
    if (!isApiItem(item)) throw new InvalidResponseError(operation, `item ${index} has no ID or no type`);
    // A recursive reader would overflow its stack.
    if (isDeeper(item, MAX_DEPTH))
      throw new InvalidResponseError(operation, `item ${index} is nested deeper than ${MAX_DEPTH} levels`);
    return item;
  });
}

/** Some servers give back a message as it was sent: its type is optional in a request. */
function typed(item: unknown): unknown {
  const isMessage = isObject(item) && item['type'] === undefined && typeof item['role'] === 'string';
  return isMessage ? { ...item, type: 'message' } : item;
}

function isApiItem(item: unknown): item is ApiItem {
  return (
    isObject(item) && typeof item['id'] === 'string' && item['id'] !== '' && typeof item['type'] === 'string'
  );
}

/** An item of the conversation's list, in the SDK's form. */
export interface ListedItem {
  readonly id: string;
  readonly item: AgentInputItem;
}

/** The position of an entry in the list and its index in the history, from 0. */
export interface Match {
  readonly position: number;
  readonly index: number;
}
