import { parseNewItems, writeItems } from './write-items.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { checkKeys } from '../requests/checks.ts';
import { parseKnownFields } from '../requests/known-fields.ts';
import { checkId } from '../wire/check-id.ts';
import { errors } from '../wire/error-catalogue.ts';
import { parseMetadata } from '../wire/parse-metadata.ts';
import type { JsonObject } from '../wire/json.ts';
import type { ConversationRecord } from '../world/records.ts';

/** The conversation that the path names. @throws ApiError 404 if there is none, 400 for an ID of another kind. */
export function namedConversation(exchange: Exchange): ConversationRecord {
  const [id = ''] = exchange.params;
  checkId('conversation_id', id, 'conv');
  const conversation = exchange.account.conversation(id);
  if (!conversation) throw errors.conversationNotFound(id);
  return conversation;
}

/** A conversation as the API sends it; its items are not part of it. */
export function conversationBody(conversation: ConversationRecord): JsonObject {
  const { id, createdAt, metadata } = conversation;
  return { id, object: 'conversation', created_at: createdAt, metadata };
}

/** `POST /conversations` */
export function createConversation(exchange: Exchange): Answer {
  const { world, account, body } = exchange;
  const { items, metadata } = parseKnownFields(body, world.settings, (sent) => {
    checkKeys(sent, ['items', 'metadata']);
    return { items: parseNewItems(sent['items'] ?? []), metadata: parseMetadata(sent['metadata']) };
  });
  const thread = world.ids.thread();
  const conversation: ConversationRecord = {
    id: world.ids.beforeThread('conv', thread),
    createdAt: world.clock.seconds(),
    thread,
    metadata,
    ids: [],
    pending: [],
    lockedBy: undefined,
  };
  writeItems(exchange, conversation, items, 0);
  account.addConversation(conversation);
  return json(conversationBody(conversation));
}

/** `GET /conversations/{id}` */
export function retrieveConversation(exchange: Exchange): Answer {
  return json(conversationBody(namedConversation(exchange)));
}

/** `POST /conversations/{id}`: the given metadata replaces all of the former. */
export function updateConversation(exchange: Exchange): Answer {
  const conversation = namedConversation(exchange);
  conversation.metadata = parseKnownFields(exchange.body, exchange.world.settings, (sent) => {
    checkKeys(sent, ['metadata']);
    if (!('metadata' in sent)) throw errors.missingParameter('metadata');
    return parseMetadata(sent['metadata']);
  });
  return json(conversationBody(conversation));
}

/** `DELETE /conversations/{id}`: its items stay, wherever else they are listed. */
export function deleteConversation(exchange: Exchange): Answer {
  const { id } = namedConversation(exchange);
  exchange.account.deleteConversation(id);
  return json({ id, object: 'conversation.deleted', deleted: true });
}
