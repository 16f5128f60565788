import { randomUUID } from 'node:crypto';
import type OpenAI from 'openai';
import { ConversationsUnavailableError, InvalidResponseError } from '../errors/session.ts';
import { sendRequest } from './request.ts';
import { isObject } from '../util/json.ts';
import { hasRoomForBookmark, withBookmarkId } from './metadata.ts';
import { toUnavailableError } from './api-error.ts';
import { isUrlSegment } from '../util/url-segment.ts';

/**
 * Creates an empty conversation.
 *
 * @returns its ID.
 * @throws ConversationsUnavailableError, InvalidResponseError, or the client's own errors.
 */
export async function createConversation(
  client: OpenAI,
  metadata?: Readonly<Record<string, string>>,
): Promise<string> {
  const created: unknown = await sendRequest(client, 'conversations.create', (how) =>
    client.conversations.create({ items: [], ...(metadata === undefined ? {} : { metadata }) }, how),
  ).catch((error: unknown) => {
    throw toUnavailableError(error) ?? error;
  });
  const id = isObject(created) ? created['id'] : undefined;
  if (typeof id !== 'string' || !isUrlSegment(id))
    throw new InvalidResponseError('conversations.create', 'it holds no conversation ID');
  return id;
}

/** A conversation that was created for a session. */
export interface CreatedConversation {
  readonly conversationId: string;
  /** The conversation that will hold the session's bookmark in its metadata. */
  readonly bookmarkId: string | undefined;
}

/**
 * Creates an empty conversation that holds the ID of its bookmark from the start: a later change could overwrite metadata
 * of the user.
 *
 * @param own the user's metadata for it.
 * @throws the errors of `createConversation`.
 */
export async function createBookmarkedConversation(
  client: OpenAI,
  isMarked: boolean,
  own: Readonly<Record<string, string>> = {},
): Promise<CreatedConversation> {
  const bookmarkId =
    isMarked && hasRoomForBookmark(own)
      ? await createConversation(client).catch((error: unknown) => {
          if (error instanceof ConversationsUnavailableError) throw error;
          // The first write of the bookmark creates its conversation.
          return undefined;
        })
      : undefined;
  const metadata = bookmarkId === undefined ? own : withBookmarkId(own, bookmarkId);
  const isBare = Object.keys(metadata).length === 0;
  return { conversationId: await createConversation(client, isBare ? undefined : metadata), bookmarkId };
}

const LOCAL = 'local_';

/** An ID for a session on a server without conversations. */
export function localSessionId(): string {
  return `${LOCAL}${randomUUID()}`;
}
