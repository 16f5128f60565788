import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { DEEPEST } from '../ledger/copy-json.ts';
import { isDeeper, isObject, type JsonObject } from '../ledger/json.ts';
import { statusOf } from './api-error.ts';
import { believed } from './believed.ts';

/** An item as the API gave it, with the ID that every stored item has. */
export interface ApiItem extends JsonObject {
  readonly id: string;
  readonly type: string;
}

/** What a list leaves out unless it is asked for, and a model reads. */
export const INCLUDE = [
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'reasoning.encrypted_content',
] as const;

/** How often to begin a list again. */
const ATTEMPTS = 3;

/** How many pages a list may have: a server could say for ever that there are more. */
export const MOST_PAGES = 2500;

/** Reads one page that begins after the given item. */
export type PageReader = (after: string | undefined) => PromiseLike<unknown>;

/** How a long read can be watched and ended. */
export interface ReadOptions {
  /** Ends the request under way. */
  readonly signal?: AbortSignal | undefined;
  /** Is told how many items were read so far. */
  readonly onPage?: ((count: number) => void) | undefined;
}

/** The whole list of a conversation, oldest first. @throws InvalidResponseError, or the client's own errors. */
export function readConversation(
  client: OpenAI,
  conversationId: string,
  { signal, onPage }: ReadOptions = {},
): Promise<ApiItem[]> {
  return readPages(
    'conversations.items.list',
    (after) =>
      client.conversations.items.list(
        conversationId,
        {
          order: 'asc',
          limit: 100,
          include: [...INCLUDE],
          ...(after === undefined ? {} : { after }),
        },
        { signal },
      ),
    onPage,
  );
}

/**
 * Reads page after page, and believes `has_more` rather than the cursor: a page that forgets its `last_id` would
 * otherwise end the list silently. Begins again when the item that a page begins after was taken out meanwhile.
 */
export async function readPages(
  operation: string,
  reader: PageReader,
  onPage?: (count: number) => void,
): Promise<ApiItem[]> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const items = await readOnce(operation, reader, onPage);
    if (items !== undefined) return items;
  }
  throw new InvalidResponseError(operation, 'its items are taken out faster than they can be read');
}

/** @returns undefined when the item that a page begins after is gone: the API then answers as if the list were. */
async function readOnce(
  operation: string,
  reader: PageReader,
  onPage: ((count: number) => void) | undefined,
): Promise<ApiItem[] | undefined> {
  const items: ApiItem[] = [];
  const cursors = new Set<string>();
  let after: string | undefined;
  for (;;) {
    const cursor = after;
    const page = await readPage(operation, () => reader(cursor)).catch((error: unknown) => {
      if (cursor === undefined || statusOf(error) !== 404) throw error;
      return undefined;
    });
    if (page === undefined) return undefined;
    for (const item of page.items) items.push(item);
    onPage?.(items.length);
    after = page.items.at(-1)?.id;
    if (!page.hasMore || after === undefined) return items;
    if (cursors.has(after))
      throw new InvalidResponseError(operation, `page after '${after}' leads back to itself`);
    cursors.add(after);
    if (cursors.size > MOST_PAGES) throw new InvalidResponseError(operation, 'its pages do not end');
  }
}

/** One page of items, as the server sent it. */
export async function readPage(
  operation: string,
  request: () => PromiseLike<unknown>,
): Promise<{ readonly items: readonly ApiItem[]; readonly hasMore: boolean }> {
  const page = bodyOf(await believed(operation, async () => request()));
  return { items: apiItems(operation, page['data']), hasMore: page['has_more'] === true };
}

/** What the server sent: the client makes an empty page of an answer that is no page, which would end the list silently. */
function bodyOf(page: unknown): JsonObject {
  const body = isObject(page) && 'body' in page ? page['body'] : page;
  return isObject(body) ? body : {};
}

/** @throws InvalidResponseError when it is not an array of items that have an ID and a type. */
export function apiItems(operation: string, data: unknown): ApiItem[] {
  if (!Array.isArray(data)) throw new InvalidResponseError(operation, 'it holds no array of items');
  return data.map((item: unknown, index) => {
    if (!isApiItem(item)) throw new InvalidResponseError(operation, `item ${index} has no ID or no type`);
    // It would end the stack of whoever reads it.
    if (isDeeper(item, DEEPEST))
      throw new InvalidResponseError(operation, `item ${index} is nested deeper than ${DEEPEST} levels`);
    return item;
  });
}

function isApiItem(item: unknown): item is ApiItem {
  return (
    isObject(item) && typeof item['id'] === 'string' && item['id'] !== '' && typeof item['type'] === 'string'
  );
}
