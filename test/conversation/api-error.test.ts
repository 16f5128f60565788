import { APIConnectionError, APIConnectionTimeoutError, APIError } from 'openai';
import { describe, expect, test } from 'vitest';
import {
  apiCodeOf,
  failureReason,
  isAmbiguous,
  isTransient,
  statusOf,
} from '../../src/conversation/api-error.ts';

function apiError(status: number, code?: string): unknown {
  const error = { message: 'm', type: 't', param: null, code: code ?? null };
  return APIError.generate(status, { error }, 'm', new Headers());
}

describe('an error of the client', () => {
  test.each<[string, unknown, { transient: boolean; ambiguous: boolean }]>([
    ['a bad request', apiError(400), { transient: false, ambiguous: false }],
    [
      'a conversation that is busy',
      apiError(400, 'conversation_locked'),
      { transient: true, ambiguous: false },
    ],
    ['a wrong key', apiError(401), { transient: false, ambiguous: false }],
    ['a missing conversation', apiError(404), { transient: false, ambiguous: false }],
    ['a timeout of the server', apiError(408), { transient: true, ambiguous: true }],
    ['a conflict', apiError(409), { transient: true, ambiguous: false }],
    ['too many requests', apiError(429), { transient: true, ambiguous: false }],
    ['a failing server', apiError(500), { transient: true, ambiguous: true }],
    ['an overloaded server', apiError(503), { transient: true, ambiguous: true }],
    ['a lost connection', new APIConnectionError({ message: 'm' }), { transient: true, ambiguous: true }],
    ['a timeout of the client', new APIConnectionTimeoutError(), { transient: true, ambiguous: true }],
    ['an answer that is not JSON', new SyntaxError('m'), { transient: false, ambiguous: true }],
    ['something that is no error', 'oops', { transient: false, ambiguous: true }],
    ['an object without a name', { message: 'm' }, { transient: false, ambiguous: true }],
    ['an object with a name that is none', { name: 7 }, { transient: false, ambiguous: true }],
  ])('isTransient and isAmbiguous classify %s', (_kind, error, { transient, ambiguous }) => {
    expect({ transient: isTransient(error), ambiguous: isAmbiguous(error) }).toEqual({
      transient,
      ambiguous,
    });
  });

  test('an API error is read by its fields, for any copy of the client', () => {
    const foreign = { name: 'APIError', status: 404, code: 'gone' };
    expect([statusOf(foreign), apiCodeOf(foreign)]).toEqual([404, 'gone']);
    const strange = [
      statusOf(null),
      apiCodeOf(undefined),
      statusOf({ status: '404' }),
      apiCodeOf({ code: 7 }),
    ];
    expect(strange).toEqual([undefined, undefined, undefined, undefined]);
  });
});

test.each([
  [{ name: 'APIError', status: 429, code: 'rate_limit_exceeded' }, 'APIError (429, rate_limit_exceeded)'],
  [{ name: 'Error', code: 'ECONNRESET' }, 'Error (ECONNRESET)'],
  [{ name: 'Error' }, 'Error'],
  ['a text', 'Error'],
  [{ name: 'Error', status: 400, code: 'The user said: my name is Ada' }, 'Error (400)'],
  [{ name: 'Error', status: 401, code: 'sk-proj-secret' }, 'Error (401)'],
  [{ name: 'Error\nforged line', code: 'x'.repeat(65) }, 'Error'],
])("failureReason names an error without the server's text: %j", (error, reason) => {
  expect(failureReason(error)).toBe(reason);
});
