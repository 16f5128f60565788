import { apiCodeOf, statusOf } from '../history/api-error.ts';
import { isObject } from '../ledger/json.ts';

/** Names and codes are words; a server can put anything into the place of one. */
const WORD = /^\w{1,64}$/;

/** Why a request failed, in words that cannot hold content or a key: the error's name, status and code. */
export function failureReason(error: unknown): string {
  const name = isObject(error) && isWord(error['name']) ? error['name'] : 'Error';
  const code = apiCodeOf(error);
  const facts = [statusOf(error), isWord(code) ? code : undefined].filter((fact) => fact !== undefined);
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value);
}
