import { errors } from './error-catalogue.ts';
import { shownItem } from './include.ts';
import type { SimulatorItem } from './item.ts';
import type { JsonObject } from './json-object.ts';

/** Which page of a list a client wants. */
export interface PageQuery {
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  readonly after: string | undefined;
}

const MOST = 100;
const DEFAULT = 20;

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
  if (text === null || text === '') return DEFAULT;
  const limit = Number(text);
  if (!Number.isInteger(limit)) throw errors.invalidType('limit', 'an integer', 'a string');
  if (limit > MOST) throw errors.integerTooLarge('limit', MOST, limit);
  if (limit < 1) throw errors.integerTooSmall('limit', 1, limit);
  return limit;
}

/**
 * Cuts one page out of a list that is in its own order, oldest first.
 * @throws ApiError 404 if the cursor names no item of the list.
 */
export function listPage(
  items: readonly SimulatorItem[],
  query: PageQuery,
  include: readonly string[],
): JsonObject {
  const ordered = query.order === 'asc' ? items : items.toReversed();
  const start = query.after === undefined ? 0 : positionAfter(ordered, query.after);
  const data = ordered.slice(start, start + query.limit);
  return {
    object: 'list',
    data: data.map((item) => shownItem(item, include)),
    first_id: data.at(0)?.id ?? null,
    has_more: start + data.length < ordered.length,
    last_id: data.at(-1)?.id ?? null,
  };
}

function positionAfter(items: readonly SimulatorItem[], cursor: string): number {
  const position = items.findIndex((item) => item.id === cursor);
  if (position === -1) throw errors.cursorNotFound(cursor);
  return position + 1;
}
