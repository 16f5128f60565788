import { json, type Answer, type Exchange } from './exchange.ts';
import { parseInclude } from '../wire/include.ts';
import { listBody, pageOf, parsePageQuery } from '../wire/list-page.ts';

/**
 * Answers with the page that the query asks for.
 * @param ids the whole list, oldest first.
 * @throws ApiError in the API's words.
 */
export function answerPage(exchange: Exchange, ids: readonly string[]): Answer {
  const { account, faults, query } = exchange;
  const include = parseInclude(query);
  const listed = faults.listed(ids, (each) => account.itemsOf(each));
  const page = pageOf(listed, parsePageQuery(query));
  return json(listBody(account.itemsOf(page.ids), page.hasMore, include));
}
