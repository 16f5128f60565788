import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { sendRequest, sendDelete, validateResponse } from '../../src/conversation/request.ts';
import { InvalidResponseError } from '../../src/errors/session.ts';
import { circuitBreakerOf } from '../../src/conversation/circuit-breaker.ts';
import { clientOn } from '../support/fake-client.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const SECRET = 'what the user said';
const RETRIEVE = 'conversations.retrieve';

function clientWith(timeout: number): OpenAI {
  return new OpenAI({ apiKey: 'test', timeout });
}

/** What became of a request that is never answered, as far as it is known now. */
function hanging(client: OpenAI, how?: Parameters<typeof sendRequest>[3]) {
  const seen: { signal?: AbortSignal; error?: unknown } = {};
  void sendRequest(
    client,
    RETRIEVE,
    ({ signal }) => {
      seen.signal = signal;
      return new Promise(() => undefined);
    },
    how,
  ).catch((error: unknown) => {
    seen.error = error;
  });
  return seen;
}

describe('a request without an answer', () => {
  test.each([
    ['the default timeout', 600_000, 20_000],
    ['a shorter timeout', 3000, 3000],
    ['a longer timeout than the default', 900_000, 900_000],
  ])(
    'a request fails at its deadline and is aborted, with a client with %s',
    async (_, timeout, deadline) => {
      const seen = hanging(clientWith(timeout));
      passTime(deadline - 1);
      await turns(1);
      expect(seen.error).toBeUndefined();
      passTime(1);
      await turns(1);
      expect(seen.error).toMatchObject({
        name: 'TimeoutError',
        message: `${RETRIEVE}: no answer within ${deadline} ms`,
      });
      expect(seen.signal?.aborted).toBe(true);
    },
  );

  test('a request fails at the given deadline', async () => {
    const seen = hanging(clientWith(600_000), { deadline: 5 });
    passTime(5);
    await turns(1);
    expect(seen.error).toMatchObject({ name: 'TimeoutError' });
  });

  test("the caller's signal aborts a request, which does not count as a failure of the server", async () => {
    const client = clientOn((_url, init) => {
      const { signal } = init ?? {};
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('aborted')));
      });
    });
    for (let request = 0; request < 3; request += 1) {
      const stop = new AbortController();
      const asked = sendRequest(client, RETRIEVE, (how) => client.conversations.retrieve('conv_1', how), {
        signal: stop.signal,
      });
      stop.abort();
      await expect(asked).rejects.toThrow('aborted');
    }
    expect(circuitBreakerOf(client).error).toBeUndefined();
  });
});

test('the client retries a request as often as its option says', async () => {
  let asked = 0;
  const client = clientOn(() => {
    asked += 1;
    return new Response('', { status: 503, headers: { 'retry-after-ms': '1' } });
  }).withOptions({ maxRetries: 2 });
  const retrieve = (maxRetries?: number): Promise<unknown> =>
    sendRequest(client, RETRIEVE, (how) => client.conversations.retrieve('conv_1', how), { maxRetries });
  await expect(retrieve(0)).rejects.toMatchObject({ status: 503 });
  expect(asked).toBe(1);
  await expect(retrieve()).rejects.toMatchObject({ status: 503 });
  expect(asked).toBe(4);
});

describe('a deletion', () => {
  const client = clientWith(1000);

  test.each([{ id: 'conv_1', deleted: true }, null, undefined, {}, { error: null }, []])(
    'a deletion is acknowledged by %j',
    async (answer) => {
      let asked = 0;
      await sendDelete(client, 'conversations.delete', async () => {
        asked += 1;
        return answer;
      });
      expect(asked).toBe(1);
    },
  );

  test.each(['<html>', '', { error: { message: SECRET } }, { id: 'conv_1', error: {} }])(
    'a deletion is not acknowledged by %j',
    async (answer) => {
      await expect(sendDelete(client, 'conversations.delete', async () => answer)).rejects.toMatchObject({
        code: 'invalid_response',
        message: 'Cannot use the response to conversations.delete: it does not say that it was done',
      });
    },
  );
});

function failing(client: OpenAI, error: object, operation = RETRIEVE): Promise<unknown> {
  return sendRequest(client, operation, async () => Promise.reject(error)).catch(() => undefined);
}

describe('an outage of the conversation endpoints', () => {
  test.each([
    ['a 500', { status: 500 }],
    ['a 408', { status: 408 }],
    ['a connection error', new Error('reset')],
  ])(
    'an outage of the conversation endpoints begins with the third consecutive failure: %s',
    async (_, error) => {
      const client = clientWith(1000);
      const outage = circuitBreakerOf(client);
      for (let request = 0; request < 2; request += 1) await failing(client, error);
      expect(outage.allowsRequest()).toBe(true);
      await failing(client, error);
      expect(outage.allowsRequest()).toBe(false);
      expect(outage.error).toBe(error);
    },
  );

  test.each([
    ['a success', () => Promise.resolve()],
    ['a refusal', () => Promise.reject(Object.assign(new Error('no'), { status: 404 }))],
  ])('an outage does not begin if %s comes between', async (_, answer) => {
    const client = clientWith(1000);
    for (let request = 0; request < 4; request += 1) {
      if (request === 2) await sendRequest(client, RETRIEVE, answer).catch(() => undefined);
      await failing(client, { status: 500 });
    }
    expect(circuitBreakerOf(client).allowsRequest()).toBe(true);
  });

  test('failures of other endpoints do not begin an outage of the conversation endpoints', async () => {
    const client = clientWith(1000);
    for (let request = 0; request < 5; request += 1)
      await failing(client, { status: 500 }, 'responses.retrieve');
    expect(circuitBreakerOf(client).allowsRequest()).toBe(true);
  });

  test('an outage allows one trial request after each pause, and the pauses grow from 1 to 60 seconds', async () => {
    const client = clientWith(1000);
    const outage = circuitBreakerOf(client);
    for (let request = 0; request < 3; request += 1) await failing(client, { status: 503 });
    for (const pause of [1, 2, 4, 8, 16, 32, 60, 60]) {
      passTime(pause * 1000 - 1);
      expect(outage.allowsRequest()).toBe(false);
      passTime(1);
      expect([outage.allowsRequest(), outage.allowsRequest()]).toEqual([true, false]);
      await failing(client, { status: 503 });
    }
    passTime(60_000);
    await sendRequest(client, RETRIEVE, async () => undefined);
    expect([outage.allowsRequest(), outage.allowsRequest()]).toEqual([true, true]);
  });
});

test('validateResponse returns the result of the request', async () => {
  expect(await validateResponse('responses.retrieve', async () => 7)).toBe(7);
});

test('validateResponse names the operation of an unparsable answer without quoting the answer', async () => {
  const failure = validateResponse(
    'responses.retrieve',
    async () => JSON.parse(`{"text":"${SECRET}`) as unknown,
  );
  await expect(failure).rejects.toMatchObject({
    code: 'invalid_response',
    operation: 'responses.retrieve',
    message: 'Cannot use the response to responses.retrieve: it is not JSON',
    cause: new Error('SyntaxError'),
  });
});

test('validateResponse names the operation of an empty answer', async () => {
  const body: { data: unknown } | null = JSON.parse('null');
  const failure = validateResponse('conversations.items.list', async () =>
    Reflect.apply(readData, undefined, [body]),
  );
  await expect(failure).rejects.toThrow('Cannot use the response to conversations.items.list: it is empty');
  await expect(failure).rejects.toBeInstanceOf(InvalidResponseError);
});

function readData(body: { data: unknown }): unknown {
  return body.data;
}

test('validateResponse passes other errors on unchanged', async () => {
  for (const error of [
    new Error('x'),
    new TypeError('not a function'),
    Object.assign(new Error('y'), { status: 404 }),
  ]) {
    await expect(validateResponse('responses.retrieve', async () => Promise.reject(error))).rejects.toBe(
      error,
    );
  }
});

test.each<[Error, string, string]>([
  [new TypeError("Cannot read properties of null (reading 'data')"), 'it is empty', 'TypeError'],
  [new TypeError("Cannot read properties of undefined (reading 'data')"), 'it is empty', 'TypeError'],
  [new TypeError('terminated'), 'it is not what was asked for', 'TypeError'],
  [new SyntaxError('x'), 'it is not JSON', 'SyntaxError'],
])('validateResponse turns %s into the problem "%s"', async (error, problem, cause) => {
  await expect(validateResponse('responses.retrieve', () => Promise.reject(error))).rejects.toMatchObject({
    message: `Cannot use the response to responses.retrieve: ${problem}`,
    cause: new Error(cause),
  });
});
