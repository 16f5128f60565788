import { isObject } from '../ledger/json.ts';

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
