import { isObject } from './json.ts';

/** A number of at least 0, as a header writes it. */
const NUMBER = /^\d{1,15}(?:\.\d{1,15})?$/;

/** The forms of a date in HTTP, and ISO 8601, which servers send instead. */
const DATE = /^(?:[A-Z][a-z]{2,8},? |\d{4}-\d\d-\d\dT)/;

/**
 * The pause that a server asks for, in milliseconds: by `retry-after-ms`, else by `retry-after`, in seconds or as a date. A date
 * that has passed is 0. Undefined for a header in another form, such as a negative number.
 *
 * @param headers of a response or an error, as a `Headers` or a plain object with names in lower case.
 * @param now milliseconds since the epoch.
 */
export function retryAfter(headers: unknown, now: number): number | undefined {
  const milliseconds = textIn(headers, 'retry-after-ms');
  if (NUMBER.test(milliseconds)) return Number(milliseconds);
  const text = textIn(headers, 'retry-after');
  if (NUMBER.test(text)) return Number(text) * 1000;
  if (!DATE.test(text)) return undefined;
  // The form without a zone is in GMT, too.
  const date = Date.parse(/(?:GMT|UTC|Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text} GMT`);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** The same for an error of the client: undefined when its answer has no such header. */
export function retryAfterOf(error: unknown, now: number): number | undefined {
  return isObject(error) ? retryAfter(error['headers'], now) : undefined;
}

function textIn(headers: unknown, name: string): string {
  if (typeof headers !== 'object' || headers === null) return '';
  const value: unknown =
    'get' in headers && typeof headers.get === 'function' ? headers.get(name) : Reflect.get(headers, name);
  return typeof value === 'string' ? value.trim() : '';
}
