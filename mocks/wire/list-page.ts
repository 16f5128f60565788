import { errors } from './error-catalogue.ts';
import { shownItem } from './include.ts';
import type { SimulatorItem } from './item.ts';
import type { JsonObject } from './json.ts';

/** Which page of a list a client wants. */
export interface PageQuery {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after: string | undefined;
}

const MAX_LIMIT = 100;
const DEFAULT_LIMIT = 20;

/**
 * Reads `limit`, `order` and `after`.
 * @throws ApiError in the API's words.
 */
export function parsePageQuery(query: URLSearchParams): PageQuery {
  const order = query.get('order') ?? 'desc';
  if (order !== 'asc' && order !== 'desc') throw errors.invalidValue('order', order, ['asc', 'desc']);
  return { limit: parseLimit(query.get('limit')), order, after: query.get('after') ?? undefined };
}

function parseLimit(text: string | null): number {
  if (text === null || text === '') return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!Number.isInteger(limit)) throw errors.invalidType('limit', 'an integer', 'a string');
  if (limit > MAX_LIMIT) throw errors.integerTooLarge('limit', MAX_LIMIT, limit);
  if (limit < 1) throw errors.integerTooSmall('limit', 1, limit);
  return limit;
}

/** Which IDs a page shows, and whether there are more. */
export interface Page {
  readonly ids: readonly string[];
  readonly hasMore: boolean;
}

/**
 * Cuts one page out of a list of IDs that is in its own order, oldest first.
 * @throws ApiError 404 if the cursor names none of them.
 */
export function pageOf(ids: readonly string[], query: PageQuery): Page {
  const { order, after, limit } = query;
  const ordered = order === 'asc' ? ids : ids.toReversed();
  const start = after === undefined ? 0 : ordered.indexOf(after) + 1;
  if (after !== undefined && start === 0) throw errors.cursorNotFound(after);
  return { ids: ordered.slice(start, start + limit), hasMore: start + limit < ordered.length };
}

/** A list as the API sends it: without items it has no cursors. */
export function listBody(
  items: readonly SimulatorItem[],
  hasMore: boolean,
  include: readonly string[],
): JsonObject {
  return {
    object: 'list',
    data: items.map((item) => shownItem(item, include)),
    first_id: items.at(0)?.id ?? null,
    has_more: hasMore,
    last_id: items.at(-1)?.id ?? null,
  };
}
