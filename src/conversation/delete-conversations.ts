import type OpenAI from 'openai';
import { isMissing } from './api-error.ts';
import { sendDelete } from './request.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { conversationsToDelete } from '../ledger/state.ts';
import { findBookmarkId } from './bookmark.ts';
import { isUrlSegment } from '../util/url-segment.ts';

/**
 * Deletes the cleared conversations, each with its bookmark. A failed deletion stays pending.
 *
 * @param isBookmarked whether the session keeps bookmarks.
 * @returns the first error; undefined when nothing is left to delete.
 */
export async function deleteClearedConversations(
  client: OpenAI,
  ledger: Ledger,
  isBookmarked: boolean,
): Promise<unknown> {
  let failure: unknown;
  for (const id of conversationsToDelete(await ledger.read())) {
    try {
      await deleteWithBookmark(client, id, isBookmarked);
      await recordConversationDeleted(ledger, id);
    } catch (error) {
      failure ??= error;
    }
  }
  return failure;
}

/** Records that a cleared conversation no longer exists. */
export async function recordConversationDeleted(ledger: Ledger, id: string): Promise<void> {
  await ledger.append(({ former }) =>
    former.get(id) === 'due' ? [{ type: 'mirror', added: [], removed: [], deleted: [id] }] : [],
  );
}

/**
 * Deletes a conversation, after its bookmark: the conversation alone knows the ID of the bookmark.
 *
 * @param isBookmarked whether the session keeps bookmarks.
 * @returns false for a conversation that did not exist.
 */
export async function deleteWithBookmark(
  client: OpenAI,
  id: string,
  isBookmarked: boolean,
): Promise<boolean> {
  if (isBookmarked) await deleteBookmark(client, id);
  return deleteConversation(client, id);
}

/** Deletes the bookmark of a conversation, which must still exist: it alone knows the ID of its bookmark. */
export async function deleteBookmark(client: OpenAI, conversationId: string): Promise<void> {
  if (!isUrlSegment(conversationId)) return;
  const bookmarkId = await findBookmarkId(client, conversationId);
  if (bookmarkId !== undefined) await deleteConversation(client, bookmarkId);
}

/** @returns false for a conversation that did not exist. @throws the client's errors, and InvalidResponseError. */
export async function deleteConversation(client: OpenAI, id: string): Promise<boolean> {
  if (!isUrlSegment(id)) return false;
  try {
    await sendDelete(client, 'conversations.delete', (how) => client.conversations.delete(id, how));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
