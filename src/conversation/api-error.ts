import { isObject } from '../util/json.ts';
import { ConversationNotFoundError, ConversationsUnavailableError } from '../errors/session.ts';
import { safeToken } from '../errors/base.ts';

/**
 * The HTTP status of an error of the `openai` client, or undefined when there was no answer.
 *
 * Read by field, not by class: an app may hold two copies of the client.
 */
export function statusOf(error: unknown): number | undefined {
  return isObject(error) && typeof error['status'] === 'number' ? error['status'] : undefined;
}

/** The API's error code, such as `conversation_locked`. */
export function apiCodeOf(error: unknown): string | undefined {
  return isObject(error) && typeof error['code'] === 'string' ? error['code'] : undefined;
}

/** Whether the same request may work later. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  if (status === undefined) return isConnectionError(error);
  return (
    status === 408 ||
    status === 409 ||
    status === 429 ||
    status >= 500 ||
    apiCodeOf(error) === 'conversation_locked'
  );
}

/** Whether the server may have carried the request out although it looks failed. */
export function isAmbiguous(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 408 || status >= 500;
}

function isConnectionError(error: unknown): boolean {
  return isObject(error) && typeof error['name'] === 'string' && !(error instanceof SyntaxError);
}

/** Turns the API's 404 for a conversation into our own error; a server without conversations answers in other words. */
export function toNotFoundError(error: unknown, conversationId: string): unknown {
  const isNone = isNoConversationId(error) || (statusOf(error) === 404 && isAboutConversation(error));
  if (!isNone) return toUnavailableError(error) ?? error;
  return new ConversationNotFoundError(conversationId, { cause: new Error(failureReason(error)) });
}

/** The error of a server that has no such endpoint; undefined for any other. */
export function toUnavailableError(error: unknown): ConversationsUnavailableError | undefined {
  const status = statusOf(error);
  if (status !== 404 && status !== 405 && status !== 501) return undefined;
  return new ConversationsUnavailableError(status, { cause: new Error(failureReason(error)) });
}

/** Whether a conversation is missing: there is none of that ID, or no conversation can have it. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 || isNoConversationId(error);
}

/** Whether the API refused an ID by its form, which it checks first: no conversation can have that ID. */
function isNoConversationId(error: unknown): boolean {
  if (statusOf(error) !== 400) return false;
  return /^Invalid 'conversation(?:_id)?': .*Expected an ID/s.test(messageOf(error) ?? '');
}

/** Whether a 404 comes from an endpoint that knows conversations: its error speaks of one, and not of a path. */
function isAboutConversation(error: unknown): boolean {
  const message = messageOf(error) ?? '';
  return /\bconversation\b/i.test(message) && !message.includes('/conversations');
}

/** The server's own words. */
function messageOf(error: unknown): string | undefined {
  const body = isObject(error) ? error['error'] : undefined;
  const message = isObject(body) ? body['message'] : undefined;
  return typeof message === 'string' ? message : undefined;
}

/** Why a request failed, in words that cannot hold content or a key: the error's name, status and code. */
export function failureReason(error: unknown): string {
  const name = (isObject(error) ? safeToken(error['name']) : undefined) ?? 'Error';
  const facts = [statusOf(error), safeToken(apiCodeOf(error))].filter((fact) => fact !== undefined);
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}
