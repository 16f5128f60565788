import { expect, it } from 'vitest';
import { failureReason } from '../../src/session/failure-reason.ts';

it.each([
  [{ name: 'APIError', status: 429, code: 'rate_limit_exceeded' }, 'APIError (429, rate_limit_exceeded)'],
  [{ name: 'Error', code: 'ECONNRESET' }, 'Error (ECONNRESET)'],
  [{ name: 'Error' }, 'Error'],
  ['a text', 'Error'],
  [{ name: 'Error', status: 400, code: 'The user said: my name is Ada' }, 'Error (400)'],
  [{ name: 'Error', status: 401, code: 'sk-proj-secret' }, 'Error (401)'],
  [{ name: 'Error\nforged line', code: 'x'.repeat(65) }, 'Error'],
])('says what failed in words, never in what a server put there: %j', (error, reason) => {
  expect(failureReason(error)).toBe(reason);
});
