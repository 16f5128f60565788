import type { Exchange } from '../http/exchange.ts';
import { resolveInput } from '../responses/resolve-input.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { jsonTypeName } from '../wire/json.ts';
import { parseItem, type ParsedItem } from '../wire/parse-item.ts';
import { allIds, appendItems, type Lag } from '../world/conversation-list.ts';
import type { ConversationRecord } from '../world/records.ts';

/** The most items one request may write. */
const MAX_ITEMS = 20;

/**
 * Checks the `items` of a request.
 * @throws ApiError in the API's words.
 */
export function parseNewItems(items: unknown): ParsedItem[] {
  if (!Array.isArray(items)) throw errors.invalidType('items', 'an array of objects', jsonTypeName(items));
  if (items.length > MAX_ITEMS) throw errors.arrayTooLong('items', MAX_ITEMS, items.length);
  return items.map((item: unknown, index) => parseItem(item, `items[${index}]`));
}

/**
 * Writes items to the end of a conversation: new ones are stored, a known ID links the stored item.
 * @throws ApiError for an ID that is unknown or in the conversation already; nothing is written then.
 */
export function writeItems(
  exchange: Exchange,
  conversation: ConversationRecord,
  parsed: readonly ParsedItem[],
  lag: Lag,
): readonly SimulatorItem[] {
  const { world, account, unlinking } = exchange;
  const mint = (prefix: string): string => world.ids.beforeThread(prefix, conversation.thread);
  const { items, replayed } = resolveInput(world, account, parsed, 'items', mint);
  const present = new Set(allIds(conversation));
  if (replayed.some((item) => present.has(item.id))) throw errors.itemAlreadyInConversation();
  unlinking.beforeItems(account, conversation, items);
  for (const item of items) if (!account.items.has(item.id)) account.addItem(item);
  appendItems(
    account,
    conversation,
    items.map((item) => item.id),
    lag,
    world.clock.now(),
  );
  return items;
}
