import { asWord } from '../errors/as-word.ts';
import { apiCodeOf, statusOf } from '../history/api-error.ts';
import { isObject } from '../ledger/json.ts';

/** Why a request failed, in words that cannot hold content or a key: the error's name, status and code. */
export function failureReason(error: unknown): string {
  const name = (isObject(error) ? asWord(error['name']) : undefined) ?? 'Error';
  const facts = [statusOf(error), asWord(apiCodeOf(error))].filter((fact) => fact !== undefined);
  return facts.length === 0 ? name : `${name} (${facts.join(', ')})`;
}
