import { ConversationNotFoundError } from '../errors/conversation-not-found-error.ts';
import { statusOf } from '../history/api-error.ts';
import { failureReason } from './failure-reason.ts';

/** Turns the API's 404 for a conversation into our own error. */
export function asNotFound(error: unknown, conversationId: string): unknown {
  return statusOf(error) === 404
    ? new ConversationNotFoundError(conversationId, { cause: new Error(failureReason(error)) })
    : error;
}
