import { isObject } from '../ledger/json.ts';

/** A turn waits at most this long for the conversation to be up to date; then the rest stays pending. */
const LONGEST_WAIT = 8000;

/**
 * Milliseconds to wait before trying again: what the server asks for, else half a second, doubled each time.
 *
 * @returns undefined when the server asks for more than a turn should wait.
 */
export function retryDelay(error: unknown, attempt: number): number | undefined {
  const asked = askedFor(error);
  if (asked !== undefined) return asked <= LONGEST_WAIT ? asked : undefined;
  return Math.min(LONGEST_WAIT, 500 * 2 ** attempt);
}

/** Milliseconds that the server asks to be left alone; undefined when it does not say. */
export function askedFor(error: unknown): number | undefined {
  const headers: unknown = isObject(error) ? error['headers'] : undefined;
  if (!(headers instanceof Headers)) return undefined;
  const milliseconds = Number(headers.get('retry-after-ms') ?? Number.NaN);
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  const asked = Number.isNaN(milliseconds) ? seconds * 1000 : milliseconds;
  return asked >= 0 ? asked : undefined;
}
