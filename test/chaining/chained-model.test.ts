import { OpenAIResponsesModel, type Model, type ModelRequest } from '@openai/agents';
import { beforeEach, describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { chainedModel, isChainedModel } from '../../src/chaining/chained-model.ts';
import { withPort, takeUnattributedResponse } from '../../src/chaining/attribution.ts';
import type { StreamEvent } from '../../src/chaining/gather-response.ts';
import { extendContext } from '../../src/chaining/request.ts';
import { servers } from '../../src/chaining/server.ts';
import { assistant, call, user } from '../support/conversation.ts';
import { knownPort, type KnownPort } from './known-port.ts';
import { answer, begun, delta, done, ScriptedModel, streamed } from './scripted-model.ts';
import { modelRequest, readChained } from './chained-calls.ts';

const history = [user('hi'), assistant('hello', 'msg_1')];
const refusal = Object.assign(new Error("Previous response with id 'resp_0' not found."), {
  status: 400,
  code: 'previous_response_not_found',
});
const other = Object.assign(new Error('Rate limit reached'), { status: 429 });

function request(fields: Partial<ModelRequest> = {}): ModelRequest {
  return modelRequest([...history, user('thanks')], fields);
}

beforeEach(() => {
  servers.clear();
});

/** Everything that a stream tells, and what it throws in the end. */
function read(port: KnownPort | undefined, model: Model, asked = request()): Promise<unknown[]> {
  return readChained(port, model, asked);
}

const ask = (port: KnownPort | undefined, model: Model, asked = request()): Promise<unknown> =>
  withPort(port, () => chainedModel(model).getResponse(asked));

const parents = (model: ScriptedModel): unknown[] =>
  model.requests.map(({ previousResponseId, input }) => [previousResponseId, input.length]);

describe('is the model that it wraps', () => {
  test('a chained model has the class, the fields and the methods of its inner model', () => {
    const model = new ScriptedModel();
    const wrapped = chainedModel(model);
    expect(wrapped).toBeInstanceOf(ScriptedModel);
    expect(wrapped).toBeInstanceOf(OpenAIResponsesModel);
    expect(wrapped.constructor).toBe(ScriptedModel);
    expect(wrapped.secret).toBe(1);
    expect(wrapped.countUp()).toBe(2);
    wrapped.closed = 7;
    expect(model.closed).toBe(7);
    const error = new Error('x');
    expect(wrapped.getRetryAdvice({ request: request(), error, stream: false, attempt: 1 })).toEqual(
      model.getRetryAdvice({ request: request(), error, stream: false, attempt: 1 }),
    );
  });

  test('wrapped once, however often it is asked for', () => {
    const model = new ScriptedModel();
    expect(chainedModel(model)).toBe(chainedModel(model));
    expect(chainedModel(chainedModel(model))).toBe(chainedModel(model));
  });

  test('even when its methods can neither be changed nor replaced', async () => {
    const frozen: Model = Object.freeze({
      getResponse: async () => answer('resp_1', 'frozen'),
      async *getStreamedResponse() {
        yield* streamed('resp_1', 'frozen');
      },
    });
    expect(await ask(knownPort(history), frozen)).toMatchObject({ responseId: 'resp_1' });
    expect(await read(knownPort(history), frozen)).toHaveLength(5);
    const instance = Object.freeze(new ScriptedModel());
    expect(chainedModel(instance).secret).toBe(1);
  });

  test('a chained model passes requests through if the session is not ours', async () => {
    const model = new ScriptedModel();
    const asked = request();
    await ask(undefined, model, asked);
    await read(undefined, model, asked);
    expect(model.requests[0]).toBe(asked);
    expect(model.requests[1]).toBe(asked);
  });
});

describe('remembers an answer', () => {
  const ended = extendContext(EMPTY_DIGEST, [...history, user('thanks'), assistant('fine')]);

  test.each(['as JSON', 'as a stream'])(
    'a chained model remembers a response with its context, %s',
    async (way) => {
      const port = knownPort(history);
      const model = new ScriptedModel({
        json: () => answer('resp_1', 'fine'),
        stream: () => streamed('resp_1', 'fine'),
      });
      await (way === 'as JSON' ? ask(port, model) : read(port, model));
      expect(port.answers).toMatchObject([
        {
          id: 'resp_1',
          time: expect.any(Number),
          store: true,
          model: 'gpt-4.1-2025-04-14',
          parent: 'resp_0',
          // The response that it continues is the oldest that it goes back to.
          context: { length: 4, digest: ended, since: expect.any(Number), server: expect.any(String) },
          lineage: [],
        },
      ]);
    },
  );

  test('a chained model remembers a response before the reader of a stream sees its end', async () => {
    const port = knownPort(history);
    const model = new ScriptedModel({ stream: () => streamed('resp_1', 'fine') });
    await withPort(port, async () => {
      for await (const event of chainedModel(model).getStreamedResponse(request())) {
        if (event.type === 'response_done') break;
      }
    });
    expect(port.answers).toHaveLength(1);
    expect(model.closed).toBe(1);
  });

  test.each([
    ['by what the server says', { store: false }, {}, false],
    ['by the settings when the server says nothing', { store: undefined }, { store: false }, false],
    ['as the API does when nobody says anything', { store: undefined }, {}, true],
  ])(
    'a chained model remembers a response as stored or not %s',
    async (_how, body, modelSettings, stored) => {
      const port = knownPort();
      await ask(
        port,
        new ScriptedModel({ json: () => answer('resp_1', 'fine', body) }),
        request({ modelSettings }),
      );
      expect(port.answers).toMatchObject([{ store: stored }]);
    },
  );

  test.each<[string, Record<string, unknown>]>([
    ['that is incomplete', { status: 'incomplete' }],
    ['that failed', { status: 'failed' }],
    ['that is still in the queue', { status: 'queued' }],
    ['of which the model class left something out', { output: [{}, {}] }],
    ['without an ID', { id: '' }],
  ])('a chained model does not remember %s', async (_what, body) => {
    const port = knownPort(history);
    const id = body['id'] === '' ? '' : 'resp_1';
    const script = { json: () => answer(id, 'fine', body), stream: () => streamed(id, 'fine', body) };
    await ask(port, new ScriptedModel(script));
    await read(port, new ScriptedModel(script));
    expect(port.answers).toEqual([]);
  });

  test('a chained model remembers no response to a request with context beyond its input', async () => {
    const port = knownPort(history);
    await ask(port, new ScriptedModel(), request({ prompt: { promptId: 'pmpt_1' } }));
    await ask(port, new ScriptedModel(), request({ previousResponseId: 'resp_9' }));
    expect(port.answers).toEqual([]);
    expect(port.plans.map(({ reason }) => reason)).toEqual(['prompt', 'caller_set']);
  });

  test('a response to a request without a session can be claimed later', async () => {
    const model = new ScriptedModel({ json: () => answer('resp_unclaimed', 'fine') });
    await chainedModel(model).getResponse(request({ input: 'said by nobody known' }));
    expect(takeUnattributedResponse('resp_unclaimed')).toMatchObject({
      id: 'resp_unclaimed',
      context: { length: 2 },
    });
  });
});

describe('sends everything when the parent is refused', () => {
  test('everything is sent, as JSON, if the parent is refused', async () => {
    const port = knownPort(history);
    const model = new ScriptedModel({
      json: (_request, attempt) => {
        if (attempt === 1) throw refusal;
        return answer('resp_1', 'fine');
      },
    });
    const asked = request();
    expect(await ask(port, model, asked)).toMatchObject({ responseId: 'resp_1' });
    expect(parents(model)).toEqual([
      ['resp_0', 1],
      [undefined, 3],
    ]);
    // The very request of the caller, with everything that the runner attached to it.
    expect(model.requests[1]).toBe(asked);
    expect(port.refusals).toEqual([['resp_0', 'not found']]);
    expect(port.answers).toMatchObject([{ parent: undefined }]);
  });

  test.each<[string, readonly (StreamEvent | Error)[]]>([
    ['at once', [refusal]],
    ['after the stream began', [...begun('resp_x'), refusal]],
    [
      'by an event before an error that says nothing',
      [
        ...begun('resp_x'),
        { type: 'model', event: { type: 'error', error: { code: 'previous_response_not_found' } } },
        new Error('The stream failed'),
      ],
    ],
    [
      'by a response that failed',
      [
        ...begun('resp_x'),
        {
          type: 'model',
          event: { type: 'response.failed', response: { error: { code: 'previous_response_not_found' } } },
        },
        new Error('unsuccessful'),
      ],
    ],
  ])(
    'everything is sent, as a stream, %s, if the parent is refused, and one answer is shown',
    async (_when, first) => {
      const port = knownPort(history);
      const model = new ScriptedModel({
        stream: (_request, attempt) => (attempt === 1 ? first : streamed('resp_1', 'fine')),
      });
      expect(await read(port, model)).toEqual(streamed('resp_1', 'fine'));
      expect(parents(model)).toEqual([
        ['resp_0', 1],
        [undefined, 3],
      ]);
      expect(port.refusals).toEqual([['resp_0', 'not found']]);
      expect(model.closed).toBe(2);
    },
  );

  test('everything is sent once only after a refusal', async () => {
    const port = knownPort(history);
    const model = new ScriptedModel({
      json: () => {
        throw refusal;
      },
      stream: () => [refusal],
    });
    await expect(ask(port, model)).rejects.toBe(refusal);
    servers.clear();
    expect(await read(port, model)).toEqual([refusal]);
    expect(model.requests).toHaveLength(4);
  });

  test('everything is sent at once if the runner repeats a refused request', async () => {
    const port = knownPort(history);
    const model = new ScriptedModel({
      json: (_request, attempt) => {
        if (attempt === 1) throw refusal;
        if (attempt === 2) throw other;
        return answer('resp_1', 'fine');
      },
    });
    const asked = request();
    await expect(ask(port, model, asked)).rejects.toBe(other);
    await ask(port, model, { ...asked });
    expect(parents(model)).toEqual([
      ['resp_0', 1],
      [undefined, 3],
      [undefined, 3],
    ]);
  });

  test('a refusal after the first output is not repeated', async () => {
    const events = [...begun('resp_x'), delta('fi'), refusal];
    const model = new ScriptedModel({ stream: () => events });
    expect(await read(knownPort(history), model)).toEqual(events);
    expect(model.requests).toHaveLength(1);
  });

  test.each(['as JSON', 'as a stream'])(
    'a refusal is not repeated if the caller aborted, %s',
    async (way) => {
      const controller = new AbortController();
      const model = new ScriptedModel({
        json: () => {
          controller.abort();
          throw refusal;
        },
        stream: () => {
          controller.abort();
          return [refusal];
        },
      });
      const asked = request({ signal: controller.signal });
      const port = knownPort(history);
      const failed =
        way === 'as JSON'
          ? ask(port, model, asked).catch((error: unknown) => [error])
          : read(port, model, asked);
      expect(await failed).toEqual([refusal]);
      expect(model.requests).toHaveLength(1);
      expect(port.refusals).toEqual([]);
    },
  );

  test('a refusal is not repeated if no parent was sent', async () => {
    const port = knownPort();
    const model = new ScriptedModel({
      json: () => {
        throw refusal;
      },
    });
    await expect(ask(port, model)).rejects.toBe(refusal);
    expect(model.requests).toHaveLength(1);
    expect(port.refusals).toEqual([]);
  });
});

describe('lets any other error through', () => {
  test('any other error passes through after all events before it', async () => {
    const events = [...begun('resp_x'), other];
    const model = new ScriptedModel({
      json: () => {
        throw other;
      },
      stream: () => events,
    });
    await expect(ask(knownPort(history), model)).rejects.toBe(other);
    expect(await read(knownPort(history), model)).toEqual(events);
    expect(model.requests).toHaveLength(2);
  });

  test('everything is sent if the chain cannot be read', async () => {
    const port = { ...knownPort(history), view: () => Promise.reject(new Error('unreadable')) };
    const model = new ScriptedModel();
    await ask(port, model);
    expect(parents(model)).toEqual([[undefined, 3]]);
    expect(port.plans).toMatchObject([{ plan: 'replay', reason: 'ledger_unavailable' }]);
  });
});

test('a chained model changes nothing about the request that it was given', async () => {
  const asked = request({ modelSettings: { temperature: 1 }, systemInstructions: 'be brief' });
  Object.freeze(asked);
  Object.freeze(asked.input);
  const model = new ScriptedModel();
  await ask(knownPort(history), model, asked);
  const { input, previousResponseId, ...rest } = model.requests[0] ?? request();
  const { input: whole, ...expected } = asked;
  expect(rest).toEqual(expected);
  expect(previousResponseId).toBe('resp_0');
  expect(input).toEqual(whole.slice(2));
});

test('a chained model closes the stream of a reader that leaves before the first output', async () => {
  const model = new ScriptedModel({
    stream: () => [...begun('resp_x'), delta('fi'), done('resp_x', 'fine')],
  });
  await withPort(knownPort(history), async () => {
    for await (const event of chainedModel(model).getStreamedResponse(request())) {
      expect(event.type).toBe('response_started');
      break;
    }
  });
  expect(model.closed).toBe(1);
});

describe('a stream', () => {
  const three = [...begun('resp_1'), delta('he'), delta('l'), delta('lo'), done('resp_1', 'hello')];

  test.each([
    ['behind a chain', knownPort(history)],
    ['where nothing is chained', knownPort()],
  ])('a stream is passed on event by event, each once, %s', async (_where, port) => {
    const model = new ScriptedModel({ stream: () => three });
    expect(await read(port, model)).toEqual(three);
  });

  test('a stream that ends before its first output is passed on as it is', async () => {
    const model = new ScriptedModel({ stream: () => begun('resp_1') });
    expect(await read(knownPort(history), model)).toEqual(begun('resp_1'));
  });

  test('a stream is not repeated if no parent was sent', async () => {
    const model = new ScriptedModel({ stream: () => [...begun('resp_1'), refusal] });
    expect(await read(knownPort(), model)).toEqual([...begun('resp_1'), refusal]);
    expect(model.requests).toHaveLength(1);
  });
});

test('chainedModel tells what is wrapped from what is not', () => {
  const model = new ScriptedModel();
  expect(isChainedModel(model)).toBe(false);
  expect(isChainedModel(chainedModel(model))).toBe(true);
});

test('chainedModel chains a model whose methods are its own and cannot be written, as long as they can be replaced', async () => {
  const model = new ScriptedModel();
  const getResponse = model.getResponse.bind(model);
  Object.defineProperty(model, 'getResponse', { value: getResponse, writable: false, configurable: true });
  await ask(knownPort(history), model);
  expect(parents(model)).toEqual([['resp_0', 1]]);
});

describe('over a WebSocket', () => {
  class OpenAIResponsesWSModel extends ScriptedModel {}

  test('a chained request is streamed, and answered as one', async () => {
    const model = new OpenAIResponsesWSModel();
    expect(await ask(knownPort(history), model)).toMatchObject({ responseId: 'resp_1' });
    expect([parents(model), model.closed]).toEqual([[['resp_0', 1]], 1]);
  });

  test('what only the stream tells of a refusal is heard', async () => {
    const event: StreamEvent = { type: 'model', event: { type: 'error', error: { code: refusal.code } } };
    const model = new OpenAIResponsesWSModel({ stream: () => [event, new Error('stream failed')] });
    expect(await ask(knownPort(history), model)).toMatchObject({ responseId: 'resp_1' });
    expect(parents(model)).toEqual([
      ['resp_0', 1],
      [undefined, 3],
    ]);
  });

  test('what is not chained is asked as ever', async () => {
    const model = new OpenAIResponsesWSModel();
    await ask(knownPort(), model);
    expect([model.requests.length, model.closed]).toEqual([1, 0]);
  });
});

describe('the calls that an answer ends with', () => {
  test('the open calls of a response are remembered if the client has to answer them', async () => {
    const calls = [call('c1', 'look', {}), call('c2', 'look', {})];
    const port = knownPort(history);
    const model = new ScriptedModel({
      json: () => ({ ...answer('resp_1', ''), output: calls }),
    });
    await ask(port, model);
    expect(port.answers[0]?.context.open).toEqual(['c1', 'c2']);
    await ask(port, new ScriptedModel());
    expect(Object.keys(port.answers[1]?.context ?? {})).not.toContain('open');
  });
});

test('a chained model remembers an answer without what it grew from where the ledger could not be read', async () => {
  const port: KnownPort = { ...knownPort(history), view: () => Promise.reject(new Error('down')) };
  await ask(port, new ScriptedModel());
  expect(port.answers).toMatchObject([{ id: 'resp_1', lineage: [] }]);
});

test.each([
  [undefined, true],
  [true, true],
  [false, false],
])(
  'a chained model takes an answer that says nothing of it for stored as it was asked for: %s',
  async (store, stored) => {
    const port = knownPort(history);
    const model = new ScriptedModel({ json: () => answer('resp_1', 'hello', { store: undefined }) });
    await ask(port, model, request({ modelSettings: store === undefined ? {} : { store } }));
    expect(port.answers[0]?.store).toBe(stored);
  },
);
