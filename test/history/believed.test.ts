import { describe, expect, test } from 'vitest';
import { InvalidResponseError } from '../../src/errors/invalid-response-error.ts';
import { acknowledged, believed } from '../../src/history/believed.ts';

const SECRET = 'what the user said';

test('gives what the request gave', async () => {
  expect(await believed('responses.retrieve', async () => 7)).toBe(7);
});

test('an answer that cannot be parsed is named, not quoted', async () => {
  const failure = believed('responses.retrieve', async () => JSON.parse(`{"text":"${SECRET}`) as unknown);
  await expect(failure).rejects.toMatchObject({
    code: 'invalid_response',
    operation: 'responses.retrieve',
    message: 'Cannot use the answer to responses.retrieve: it is not JSON',
    cause: new Error('SyntaxError'),
  });
});

test('an answer of null is named, wherever the client stumbles over it', async () => {
  const body: { data: unknown } | null = JSON.parse('null');
  const failure = believed('conversations.items.list', async () =>
    Reflect.apply(readData, undefined, [body]),
  );
  await expect(failure).rejects.toThrow('Cannot use the answer to conversations.items.list: it is empty');
  await expect(failure).rejects.toBeInstanceOf(InvalidResponseError);
});

function readData(body: { data: unknown }): unknown {
  return body.data;
}

test('every other error is passed on as it is', async () => {
  for (const error of [
    new Error('x'),
    new TypeError('not a function'),
    Object.assign(new Error('y'), { status: 404 }),
  ]) {
    await expect(believed('responses.retrieve', async () => Promise.reject(error))).rejects.toBe(error);
  }
});

describe('a deletion', () => {
  test.each([{ id: 'conv_1', deleted: true }, null, undefined, {}, { error: null }, []])(
    'is done when the answer does not say otherwise: %j',
    async (answer) => {
      let asked = 0;
      await acknowledged('conversations.delete', async () => {
        asked += 1;
        return answer;
      });
      expect(asked).toBe(1);
    },
  );

  test.each(['<html>', '', { error: { message: SECRET } }, { id: 'conv_1', error: {} }])(
    'is not done by %j',
    async (answer) => {
      await expect(acknowledged('conversations.delete', async () => answer)).rejects.toMatchObject({
        code: 'invalid_response',
        message: 'Cannot use the answer to conversations.delete: it does not say that it was done',
      });
    },
  );
});

test.each<[Error, string, string]>([
  [new TypeError("Cannot read properties of null (reading 'data')"), 'it is empty', 'TypeError'],
  [new TypeError("Cannot read properties of undefined (reading 'data')"), 'it is empty', 'TypeError'],
  [new TypeError('terminated'), 'it is not what was asked for', 'TypeError'],
  [new SyntaxError('x'), 'it is not JSON', 'SyntaxError'],
])('%s says that %s', async (error, problem, cause) => {
  await expect(believed('responses.retrieve', () => Promise.reject(error))).rejects.toMatchObject({
    message: `Cannot use the answer to responses.retrieve: ${problem}`,
    cause: new Error(cause),
  });
});
