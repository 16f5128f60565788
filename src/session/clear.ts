import { ConversationNotFoundError } from '../errors/session.ts';
import { Ledger } from '../ledger/ledger.ts';
import { toNotFoundError, failureReason } from '../conversation/api-error.ts';
import {
  deleteClearedConversations,
  deleteWithBookmark,
  recordConversationDeleted,
} from '../conversation/delete-conversations.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';

/**
 * Clears the ledger in one rewrite, and then deletes the conversation. The session keeps its name; the next write creates
 * another conversation. If the conversation cannot be deleted now, a later use deletes it.
 *
 * @throws ConversationNotFoundError if neither the API nor the ledger knows the conversation.
 */
export async function clearSession(runtime: SessionRuntime): Promise<void> {
  const { ledger: store, bookmark } = runtime.options;
  await runtime.maintainIfBegun(async (session) => {
    const { sessionId, ledger, conversation } = session;
    await conversation?.mirror.idle();
    const isKnown = (await ledger.readAt()).version > 0;
    if (conversation === undefined) {
      if (isKnown) await ledger.clear();
      runtime.responses.clear();
      return;
    }
    const { client, conversationId } = conversation;
    await conversation.bookmark?.idle();
    const isDeleted = !isKnown && (await deleteUnknown(client, conversationId, bookmark));
    // The ledger lists the conversation for deletion from here on, so a crash cannot lose it.
    await ledger.clear();
    runtime.end({ sessionId, conversationId: undefined });
    const cleared = new Ledger({ store, sessionId });
    if (isDeleted) await recordConversationDeleted(cleared, conversationId);
    const failure = await deleteClearedConversations(client, cleared, bookmark);
    if (failure === undefined) return;
    runtime.remember(session);
    runtime.telemetry.warningsOf(sessionId)({
      code: 'mirror_failed',
      count: 1,
      reason: failureReason(failure),
    });
  });
}

/** Deletes a conversation that the ledger does not know. @returns false if the outcome is unknown. */
async function deleteUnknown(
  client: Parameters<typeof deleteWithBookmark>[0],
  conversationId: string,
  isBookmarked: boolean,
): Promise<boolean> {
  try {
    if (await deleteWithBookmark(client, conversationId, isBookmarked)) return true;
  } catch (error) {
    const known = toNotFoundError(error, conversationId);
    if (known !== error) throw known;
    return false;
  }
  throw new ConversationNotFoundError(conversationId);
}
