import type OpenAI from 'openai';
import { isMissing } from './api-error.ts';
import { sendRequest } from './request.ts';
import { InvalidResponseError } from '../errors/session.ts';
import { isObject } from '../util/json.ts';

/** The metadata of a conversation. */
export interface ConversationMetadata {
  /** The user's own pairs, which a heal copies to the new conversation. */
  readonly own: Readonly<Record<string, string>>;
  /** The conversation that holds the session's bookmark in its metadata. */
  readonly bookmark: string | undefined;
  /** The source of a heal without a ledger (`agents-hybrid-session heal`) to this conversation. */
  readonly heals: string | undefined;
}

/**
 * Reads the metadata of a conversation.
 *
 * @returns undefined when there is no such conversation.
 * @throws InvalidResponseError when the answer cannot be read, or the client's own errors.
 */
export async function conversationMetadata(
  client: OpenAI,
  conversationId: string,
): Promise<ConversationMetadata | undefined> {
  const metadata = await readMetadata(client, conversationId);
  if (metadata === undefined) return undefined;
  const { [BOOKMARK_KEY]: bookmark, [HEALS_KEY]: heals, ...own } = metadata;
  return { own, bookmark, heals };
}

/** Whether metadata can hold the ID of a bookmark. Pure. */
export function hasRoomForBookmark(metadata: Readonly<Record<string, string>>): boolean {
  return BOOKMARK_KEY in metadata || Object.keys(metadata).length < MAX_METADATA_PAIRS;
}

/** Metadata that also hold the ID of the bookmark's conversation. Pure. */
export function withBookmarkId(
  metadata: Readonly<Record<string, string>>,
  bookmarkId: string,
): Readonly<Record<string, string>> {
  return metadata[BOOKMARK_KEY] === bookmarkId ? metadata : { ...metadata, [BOOKMARK_KEY]: bookmarkId };
}

/** All metadata of a conversation; undefined when there is no such conversation. */
export async function readMetadata(
  client: OpenAI,
  conversationId: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  try {
    const conversation: unknown = await sendRequest(client, 'conversations.retrieve', (how) =>
      client.conversations.retrieve(conversationId, how),
    );
    return parseMetadata(conversation, conversationId);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

const OPERATION = 'conversations.retrieve';

/**
 * The metadata in a conversation as the API answers it. Pure.
 *
 * An answer that is not the conversation must not count as empty metadata: the user's own pairs would be lost.
 *
 * @throws InvalidResponseError
 */
function parseMetadata(conversation: unknown, conversationId: string): Record<string, string> {
  if (!isObject(conversation) || isObject(conversation['error']) || conversation['id'] !== conversationId)
    throw new InvalidResponseError(OPERATION, `it is not conversation '${conversationId}'`);
  const metadata = conversation['metadata'] ?? {};
  if (!isObject(metadata)) throw new InvalidResponseError(OPERATION, 'its metadata is no object');
  const pairs = Object.entries(metadata).map(([key, value]): [string, string] => {
    if (typeof value !== 'string')
      throw new InvalidResponseError(OPERATION, 'its metadata holds something other than strings');
    return [key, value];
  });
  return Object.fromEntries(pairs);
}

/** The key of the metadata that holds the ID of the bookmark's conversation. */
const BOOKMARK_KEY = 'hybrid_session';

/** The key of the metadata that holds the source conversation of a heal without a ledger. */
export const HEALS_KEY = 'hybrid_session_heals';

/** The limit of the API for pairs of metadata. */
export const MAX_METADATA_PAIRS = 16;
