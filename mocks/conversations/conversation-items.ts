import { conversationBody, namedConversation } from './conversations.ts';
import { parseNewItems, writeItems } from './write-items.ts';
import { answerPage } from '../http/answer-page.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { checkKeys } from '../requests/checks.ts';
import { parseKnownFields } from '../requests/known-fields.ts';
import { errors } from '../wire/error-catalogue.ts';
import { parseInclude, shownItem } from '../wire/include.ts';
import { listBody } from '../wire/list-page.ts';
import { visibleIds } from '../world/conversation-list.ts';

/** `POST /conversations/{id}/items` */
export function createItems(exchange: Exchange): Answer {
  const conversation = namedConversation(exchange);
  const { body, world } = exchange;
  const parsed = parseKnownFields(body, world.settings, (sent) => {
    if (sent['items'] === undefined) throw errors.missingParameter('items');
    checkKeys(sent, ['items']);
    return parseNewItems(sent['items']);
  });
  const items = writeItems(exchange, conversation, parsed, world.settings.lag);
  return json(listBody(items, false, parseInclude(exchange.query)));
}

/** `GET /conversations/{id}/items` */
export function listItems(exchange: Exchange): Answer {
  const conversation = namedConversation(exchange);
  return answerPage(exchange, visibleIds(conversation, exchange.world.clock.now(), true));
}

/** `GET /conversations/{id}/items/{item_id}` */
export function retrieveItem(exchange: Exchange): Answer {
  const conversation = namedConversation(exchange);
  const [, itemId = ''] = exchange.params;
  const item = exchange.account.items.get(itemId);
  const isListed = visibleIds(conversation, exchange.world.clock.now(), false).includes(itemId);
  if (!item || !isListed) throw errors.itemNotInConversation(itemId);
  return json({ ...shownItem(item, parseInclude(exchange.query)) });
}

/** `DELETE /conversations/{id}/items/{item_id}`: takes the item out of this list and answers with the conversation. */
export function deleteItem(exchange: Exchange): Answer {
  const conversation = namedConversation(exchange);
  const [, itemId = ''] = exchange.params;
  const isListed = visibleIds(conversation, exchange.world.clock.now(), false).includes(itemId);
  if (!isListed) throw errors.itemNotInConversation(itemId);
  exchange.account.markForRemoval(conversation, new Set([itemId]));
  return json(conversationBody(conversation));
}
