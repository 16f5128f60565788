import { randomUUID } from 'node:crypto';
import type { AgentInputItem, ModelRequest, ModelResponse } from '@openai/agents';
import OpenAI from 'openai';
import { beforeEach, describe, expect, test } from 'vitest';
import { recordServedHistory, withPort } from '../../src/chaining/attribution.ts';
import { chainedModel } from '../../src/chaining/chained-model.ts';
import { historyReferenceItem } from '../../src/chaining/history-reference.ts';
import type { ChainView, Parent } from '../../src/chaining/port.ts';
import { extendContext } from '../../src/chaining/request.ts';
import { serverOf, servers } from '../../src/chaining/server.ts';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { assistant, user } from '../support/conversation.ts';
import { knownPort, type KnownPort } from './known-port.ts';
import { answer, begun, delta, done, ScriptedModel, streamed, type Script } from './scripted-model.ts';
import { modelRequest, readChained } from './chained-calls.ts';

const history = [user('hi'), assistant('hello', 'msg_1')];
const thanks = user('thanks');
const thought: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
const encrypted: AgentInputItem = {
  type: 'reasoning',
  content: [],
  providerData: { encrypted_content: 'gAAAA' },
};
const search: ModelRequest['tools'][number] = { type: 'hosted_tool', name: 'web_search', providerData: {} };

const gone = Object.assign(new Error('x'), { status: 400, code: 'previous_response_not_found' });
const broken = Object.assign(new Error('Internal server error'), { status: 500 });
const itemGone = Object.assign(new Error("Item with id 'rs_1' not found."), { status: 404 });
const undecryptable = Object.assign(new Error('x'), { status: 400, code: 'invalid_encrypted_content' });

function request(fields: Partial<ModelRequest> = {}): ModelRequest {
  return modelRequest([...history, thanks], fields);
}

/** Moves a model to a server of its own, which is not known to continue from responses. */
function moved<T extends ScriptedModel>(model: T): T {
  Reflect.set(
    model,
    '_client',
    new OpenAI({ apiKey: 'test', baseURL: `https://${randomUUID()}.example/v1` }),
  );
  return model;
}

/** A session that knows one response of this model. */
function sessionOf(
  model: ScriptedModel,
  parent: Partial<Parent> = {},
  { context = history, ...fields }: Partial<ChainView> & { context?: readonly AgentInputItem[] } = {},
): KnownPort {
  const { context: facts, ...others } = parent;
  const known: Parent = {
    id: 'resp_0',
    time: Date.now(),
    store: true,
    context: { server: serverOf(model).mark, ...facts },
    ...others,
  };
  const digest = extendContext(EMPTY_DIGEST, context);
  return knownPort(context, { candidates: (asked) => (asked === digest ? [known] : []), ...fields });
}

const ask = (port: KnownPort, model: ScriptedModel, asked = request()): Promise<ModelResponse> =>
  withPort(port, () => chainedModel(model).getResponse(asked));

/** Everything that a stream tells, and the error that ends it. */
function read(port: KnownPort, model: ScriptedModel, asked = request()): Promise<unknown[]> {
  return readChained(port, model, asked);
}

/** The parent and the input of each request. */
const sent = (model: ScriptedModel): unknown[] =>
  model.requests.map(({ previousResponseId, input }) => [previousResponseId, input]);

const chained = ['resp_0', [thanks]];
const whole = [undefined, [...history, thanks]];

/** Throws once, and answers from then on. */
const failing =
  (error: Error, body: Record<string, unknown> = {}): Script =>
  (_request, attempt) => {
    if (attempt === 1) throw error;
    return answer('resp_1', 'fine', body);
  };

const withTools = (): ModelRequest => request({ tools: [search] });

/** A session that also records whether a refusal is permanent. */
const recording = (model: ScriptedModel, parent: Partial<Parent> = {}): [KnownPort, unknown[]] => {
  const refusals: unknown[] = [];
  const port = {
    ...sessionOf(model, parent, { responseTtl: 10 * 60 * 60_000 }),
    refused: (...refused: unknown[]) => void refusals.push(refused),
  };
  return [port, refusals];
};

const withUsage = (response: ModelResponse, inputTokens: number): ModelResponse => ({
  ...response,
  usage: Object.assign(response.usage, { inputTokens, outputTokens: 1 }),
});

const policy = (): boolean => true;
const retried = (): ModelRequest => request({ modelSettings: { retry: { maxRetries: 1, policy } } });
const retry = (): ModelRequest => Object.assign(retried(), { _internal: { runnerManagedRetry: true } });

/** Whether a request is sent as a stream. */
const isStreamed = async (
  model: ScriptedModel,
  asked: ModelRequest = withTools(),
  parent: Partial<Parent> = {},
): Promise<boolean> => {
  const response = await ask(sessionOf(model, parent), model, asked);
  expect(response).toMatchObject({ responseId: 'resp_1' });
  expect(model.requests).toHaveLength(1);
  return model.closed === 1;
};

beforeEach(() => {
  servers.clear();
});

describe('a request with hosted tools', () => {
  test('a request with hosted tools is sent as a stream if its server is not known to continue', async () => {
    expect(await isStreamed(moved(new ScriptedModel()))).toBe(true);
    servers.clear();
    const tools = request({ modelSettings: { providerData: { tools: [{ type: 'web_search' }] } } });
    expect(await isStreamed(moved(new ScriptedModel()), tools)).toBe(true);
  });

  test('a request with functions alone is not sent as a stream', async () => {
    const look: ModelRequest['tools'][number] = {
      type: 'function',
      name: 'look',
      description: '',
      parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
      strict: true,
    };
    expect(await isStreamed(moved(new ScriptedModel()), request({ tools: [look] }))).toBe(false);
  });

  test('a request with hosted tools is not sent as a stream if it is not chained', async () => {
    const model = moved(new ScriptedModel());
    await ask(knownPort(), model, withTools());
    expect([sent(model), model.closed]).toEqual([[whole], 0]);
  });

  test('a request with hosted tools is not sent as a stream to the official server', async () => {
    expect(await isStreamed(new ScriptedModel())).toBe(false);
  });

  test('a request with hosted tools goes by the newest response of its server', async () => {
    const proven = moved(new ScriptedModel());
    servers.confirmed(serverOf(proven));
    expect(await isStreamed(proven)).toBe(false);
    const official = new ScriptedModel();
    servers.failed(serverOf(official), Date.now());
    expect(await isStreamed(official)).toBe(true);
  });

  test.each<[Partial<Parent>, boolean]>([
    [{ model: 'gpt-4.1-2025-04-14', context: { since: 1 } }, false],
    [{ model: 'gpt-4.1', context: { since: 1 } }, false],
    [{ model: 'gpt-4.1-2025-04-14' }, true],
    [{ model: 'gpt-5', context: { since: 1 } }, true],
    [{ model: 'my-gpt-4.1', context: { since: 1 } }, true],
    [{ context: { since: 1 } }, true],
  ])(
    'a request with hosted tools behind the response %j is sent as a stream: %s',
    async (parent, expected) => {
      const time = Date.now();
      const { context } = parent;
      const known = { ...parent, time, ...(context === undefined ? {} : { context: { since: time } }) };
      expect(await isStreamed(moved(new ScriptedModel()), withTools(), known)).toBe(expected);
    },
  );

  test.each<[string, readonly (ReturnType<typeof delta> | Error)[]]>([
    ['ends before its response', begun('resp_1')],
    ['fails because the server has none', [new Error('This model cannot be streamed')]],
    ['fails because of its setting', [new Error('The setting `stream` is unknown')]],
  ])('a request with hosted tools is sent whole if its stream %s', async (_how, events) => {
    const model = moved(new ScriptedModel({ stream: () => events }));
    const port = sessionOf(model);
    expect(await ask(port, model, withTools())).toMatchObject({ responseId: 'resp_1' });
    expect(sent(model)).toEqual([chained, whole]);
    expect(port.refusals).toEqual([['resp_0', 'not streamed']]);
  });

  test('a request with hosted tools is answered by a stream that names its parent once', async () => {
    const body = { previous_response_id: undefined };
    const events = [...begun('resp_1'), delta('fine'), done('resp_1', 'fine', body)];
    const model = moved(new ScriptedModel({ stream: () => events }));
    expect(await ask(sessionOf(model), model, withTools())).toMatchObject({ responseId: 'resp_1' });
    expect(sent(model)).toEqual([chained]);
  });

  test('an error about streams is not repaired if the request was no trial', async () => {
    const error = new Error('This model cannot be streamed');
    const model = moved(new ScriptedModel({ stream: () => [error] }));
    expect(await read(sessionOf(model), model)).toEqual([error]);
    expect(sent(model)).toEqual([chained]);
  });

  test('a request with hosted tools fails with an error that has another cause', async () => {
    const error = new Error('The upstream is away');
    const model = moved(new ScriptedModel({ stream: () => [error] }));
    await expect(ask(sessionOf(model), model, withTools())).rejects.toBe(error);
    expect(sent(model)).toEqual([chained]);
  });
});

describe('a response that names no parent', () => {
  test.each([undefined, null, ''])(
    'a response that names no parent is repeated with the whole history: %j',
    async (parent) => {
      const body = { previous_response_id: parent };
      const model = new ScriptedModel({ json: () => answer('resp_1', 'fine', body) });
      const port = sessionOf(model);
      await ask(port, model);
      expect(sent(model)).toEqual([chained, whole]);
      expect(port.warnings).toEqual([{ code: 'parent_ignored', ids: ['resp_0'] }]);
      expect(port.answers).toMatchObject([{ parent: undefined }]);
      expect(port.refusals).toEqual([]);
      expect(servers.isPaused(serverOf(model), Date.now())).toBe(true);
      expect(servers.continues(serverOf(model))).toBe(false);
      // The next request does not try it.
      await ask(port, model, request());
      expect(port.plans.at(-1)).toMatchObject({ plan: 'replay', reason: 'server_paused' });
    },
  );

  test('a response without a body names no parent', async () => {
    const model = new ScriptedModel({
      json: () => {
        const { providerData: _body, ...rest } = answer('resp_1', 'fine');
        return rest;
      },
    });
    await ask(sessionOf(model), model);
    expect(sent(model)).toEqual([chained, whole]);
  });

  test('a response that names another parent counts, as a gateway may rewrite IDs', async () => {
    const body = { previous_response_id: 'resp_of_gateway' };
    const model = new ScriptedModel({ json: () => answer('resp_1', 'fine', body) });
    const port = sessionOf(model);
    await ask(port, model);
    expect(sent(model)).toEqual([chained]);
    expect(port.warnings).toEqual([]);
    expect(servers.continues(serverOf(model))).toBe(true);
  });

  test('a response that names no parent fails if the caller aborted its request', async () => {
    const controller = new AbortController();
    const model = new ScriptedModel({
      json: () => {
        controller.abort();
        return answer('resp_1', 'fine', { previous_response_id: null });
      },
    });
    const asked = request({ signal: controller.signal });
    await expect(ask(sessionOf(model), model, asked)).rejects.toThrow('The parent was ignored');
    expect(sent(model)).toEqual([chained]);
  });

  test.each<[string, readonly ReturnType<typeof delta>[]]>([
    ['at its beginning', [...begun('resp_x', null), delta('no'), done('resp_x', 'no')]],
    [
      'in a queue',
      [
        {
          type: 'model',
          event: { type: 'response.queued', response: { id: 'resp_x', previous_response_id: null } },
        },
        delta('no'),
      ],
    ],
    ['at its first output', [delta('no'), done('resp_x', 'no')]],
    ['at its end', [done('resp_x', 'no', { previous_response_id: null })]],
    ['ever', [{ type: 'model', event: { type: 'keepalive' } }]],
    ['because it is empty', []],
  ])('a stream that names no parent %s is not shown', async (_when, events) => {
    const model = new ScriptedModel({
      stream: (_request, attempt) => (attempt === 1 ? events : streamed('resp_1', 'fine')),
    });
    const port = sessionOf(model);
    expect(await read(port, model)).toEqual(streamed('resp_1', 'fine'));
    expect(sent(model)).toEqual([chained, whole]);
    expect(port.warnings).toEqual([{ code: 'parent_ignored', ids: ['resp_0'] }]);
    expect(model.closed).toBe(2);
  });

  test.each<[string, readonly ReturnType<typeof delta>[]]>([
    ['in its first event', begun('resp_1').slice(0, 1)],
    ['in a later event', begun('resp_1').slice(1, 2)],
    ['in an event of progress', begun('resp_1').slice(2)],
    [
      'in an event behind those of its connection',
      [{ type: 'model', event: { type: 'keepalive' } }, ...begun('resp_1').slice(1)],
    ],
    [
      'in a queue',
      [{ type: 'model', event: { type: 'response.queued', response: { previous_response_id: 'a' } } }],
    ],
    ['at its end', []],
    ['behind an event without a body', [{ type: 'response_started' }, ...begun('resp_1').slice(1)]],
  ])('a stream that names its parent %s is shown', async (_when, first) => {
    const output = first.length === 0 ? [] : [delta('fine')];
    const events = [...first, ...output, done('resp_1', 'fine')];
    const model = new ScriptedModel({ stream: () => events });
    const port = sessionOf(model);
    expect(await read(port, model)).toEqual(events);
    expect(sent(model)).toEqual([chained]);
    expect(port.warnings).toEqual([]);
  });
});

describe('a request with refused reasoning', () => {
  const withThought = [user('hi'), thought, assistant('hello', 'msg_1')];
  const plain = [user('hi'), assistant('hello')];

  test('a request with refused reasoning is sent without it, once, and the session is warned', async () => {
    const model = new ScriptedModel({ json: failing(itemGone) });
    const port = knownPort();
    await ask(port, model, request({ input: [...withThought, thanks] }));
    expect(sent(model)).toEqual([
      [undefined, [...withThought, thanks]],
      [undefined, [...plain, thanks]],
    ]);
    expect(port.warnings).toEqual([{ code: 'reasoning_left_out', ids: ['rs_1'], count: 1 }]);
    expect(port.lostKeys).toEqual(['rs_1']);
    expect(port.answers).toHaveLength(1);
    const stubborn = new ScriptedModel({
      json: () => {
        throw itemGone;
      },
    });
    await expect(ask(knownPort(), stubborn, request({ input: [...withThought, thanks] }))).rejects.toBe(
      itemGone,
    );
    expect(stubborn.requests).toHaveLength(2);
  });

  test('a request with refused reasoning stays unchanged in a session like the stock session', async () => {
    const model = new ScriptedModel({ json: failing(itemGone) });
    const port = knownPort(undefined, { isStock: true, enabled: false });
    await expect(ask(port, model, request({ input: [...withThought, thanks] }))).rejects.toBe(itemGone);
    expect(model.requests).toHaveLength(1);
    expect(port.warnings).toEqual([]);
  });

  test('a chained request whose parent may hold the reasoning is sent whole without it', async () => {
    const model = new ScriptedModel({ json: failing(itemGone) });
    const port = sessionOf(model, {}, { context: withThought });
    await ask(port, model, request({ input: [...withThought, thanks] }));
    expect(sent(model)).toEqual([chained, [undefined, [...plain, thanks]]]);
    expect(port.refusals).toEqual([['resp_0', 'reasoning lost']]);
    expect(port.warnings).toEqual([{ code: 'reasoning_left_out', ids: ['rs_1'], count: 1 }]);
    expect(port.answers).toMatchObject([{ parent: undefined }]);
  });

  test('a chained request behind a history reference is sent whole, without a warning if the history has no reasoning', async () => {
    const digest = extendContext(EMPTY_DIGEST, history);
    const reference = historyReferenceItem({ sessionId: 'conv_1', version: 1, length: 2, digest });
    const model = new ScriptedModel({ json: failing(itemGone) });
    const known = sessionOf(model);
    const port = { ...known, history: { ...known.history, expand: async () => [...history] } };
    await ask(port, model, request({ input: [reference, thanks] }));
    expect(sent(model)).toEqual([chained, whole]);
    expect(port.refusals).toEqual([['resp_0', 'reasoning lost']]);
    expect(port.warnings).toEqual([]);
    expect(port.plans.map(({ plan, sent: count, context }) => [plan, count, context])).toEqual([
      ['chain', 1, 3],
      ['replay', 3, 3],
    ]);
  });

  test('a chained request without any reasoning fails with the error about it', async () => {
    const model = new ScriptedModel({ json: failing(itemGone) });
    const port = sessionOf(model);
    await expect(ask(port, model)).rejects.toBe(itemGone);
    expect(sent(model)).toEqual([chained]);
    expect(port.refusals).toEqual([]);
  });

  test.each([[[...history, thanks]], ['hi']])(
    'a request without any reasoning fails with the error about it: %j',
    async (input) => {
      const model = new ScriptedModel({ json: failing(itemGone) });
      await expect(ask(knownPort(), model, request({ input }))).rejects.toBe(itemGone);
      expect(model.requests).toHaveLength(1);
    },
  );

  test('a chained request that is sent again without its reasoning has to name its parent anew', async () => {
    const more = user('and?');
    const rest = [more, encrypted, assistant('yes', 'msg_2'), thanks];
    const model = new ScriptedModel({
      stream: (_request, attempt) => {
        if (attempt === 1) return [...begun('resp_x'), undecryptable];
        return streamed('resp_1', 'fine').map((event) =>
          attempt === 2 && event.type === 'response_started' ? (begun('resp_1', null)[0] ?? event) : event,
        );
      },
    });
    const port = sessionOf(model);
    expect(await read(port, model, request({ input: [...history, ...rest] }))).toEqual(
      streamed('resp_1', 'fine'),
    );
    expect(sent(model)).toEqual([
      ['resp_0', [more, encrypted, assistant('yes'), thanks]],
      ['resp_0', [more, assistant('yes'), thanks]],
      [undefined, [user('hi'), assistant('hello'), more, assistant('yes'), thanks]],
    ]);
    expect(port.warnings).toEqual([
      { code: 'reasoning_left_out', ids: [], count: 1 },
      { code: 'parent_ignored', ids: ['resp_0'] },
    ]);
  });

  test('a request with refused fields is sent without them', async () => {
    const unknown = Object.assign(new Error("Unknown parameter: 'input[0].note'."), {
      status: 400,
      code: 'unknown_parameter',
      param: 'input[0].note',
    });
    const model = new ScriptedModel({ json: failing(unknown) });
    const port = knownPort();
    const input: AgentInputItem[] = [{ type: 'unknown', id: 'x_1', providerData: { note: 1 } }, thanks];
    await ask(port, model, request({ input }));
    expect(model.requests.map((one) => JSON.stringify(one.input).includes('note'))).toEqual([true, false]);
    expect(port.warnings).toEqual([{ code: 'foreign_fields_left_out', ids: ['x_1'], count: 1 }]);
    const other = new ScriptedModel({ json: failing(unknown) });
    await expect(ask(knownPort(), other)).rejects.toBe(unknown);
    // The parent holds no field that its server does not know.
    const behind = new ScriptedModel({ json: failing(unknown) });
    const context = [user('hi'), thought, assistant('hello', 'msg_1')];
    await expect(
      ask(sessionOf(behind, {}, { context }), behind, request({ input: [...context, thanks] })),
    ).rejects.toBe(unknown);
    expect([other.requests.length, behind.requests.length]).toEqual([1, 1]);
  });

  test('a session is not told of a loss if nothing is lost', async () => {
    const losses: unknown[] = [];
    await ask({ ...knownPort(), lost: (keys) => void losses.push(keys) }, new ScriptedModel());
    expect(losses).toEqual([]);
  });

  test('a response to an incomplete input is not recorded', async () => {
    const searched: AgentInputItem = { type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call' };
    const searchGone = Object.assign(new Error("Item with id 'ws_1' not found."), { status: 404 });
    const model = new ScriptedModel({ json: failing(searchGone) });
    const port = knownPort();
    await ask(port, model, request({ input: [user('hi'), searched, assistant('yes'), thanks] }));
    expect(model.requests).toHaveLength(2);
    expect(port.lostKeys).toEqual(['ws_1']);
    expect(port.answers).toEqual([]);
  });
});

describe('a request of no session', () => {
  test('a request of no session keeps the fields of other providers', async () => {
    const called: AgentInputItem = {
      type: 'function_call',
      callId: 'c1',
      name: 'look',
      arguments: '{}',
      providerData: { thought_signature: 'x' },
    };
    const input = [user('asked by no session'), called];
    const alone = new ScriptedModel();
    await chainedModel(alone).getResponse(request({ input }));
    const model = new ScriptedModel();
    await ask(knownPort(), model, request({ input }));
    expect([alone, model].map(({ requests }) => requests[0]?.input)).toEqual([
      input,
      [input[0], { ...called, providerData: {} }],
    ]);
  });

  test('a request of no session with a history reference fails', async () => {
    const reference = historyReferenceItem({ sessionId: 'conv_1', version: 1, length: 2, digest: 'x' });
    const model = new ScriptedModel();
    await expect(
      chainedModel(model).getResponse(request({ input: [reference, thanks] })),
    ).rejects.toMatchObject({ name: 'HistoryReferenceError', reason: 'no_session' });
    expect(model.requests).toEqual([]);
  });

  test('a request of no session is repaired without a warning', async () => {
    const model = new ScriptedModel({ json: failing(itemGone) });
    const input = [user('asked by no session'), thought, assistant('hello'), thanks];
    await chainedModel(model).getResponse(request({ input }));
    expect(sent(model)).toEqual([
      [undefined, input],
      [undefined, [input[0], assistant('hello'), thanks]],
    ]);
  });
});

describe('the first events of a stream', () => {
  /** Counts the events that it told. */
  class CountingModel extends ScriptedModel {
    told = 0;

    override async *getStreamedResponse(
      asked: ModelRequest,
    ): ReturnType<ScriptedModel['getStreamedResponse']> {
      for await (const event of super.getStreamedResponse(asked)) {
        this.told += 1;
        yield event;
      }
    }
  }

  test.each<[string, KnownPort, number]>([
    ['at once if the request can have no repair', knownPort(undefined, { isStock: true }), 1],
    ['with the first output if the request may be repaired', knownPort(), 4],
    ['with the first output if the request is chained', knownPort(history, { isStock: true }), 4],
  ])('the first events of a stream are shown %s', async (_when, port, told) => {
    const model = new CountingModel();
    await withPort(port, async () => {
      for await (const event of chainedModel(model).getStreamedResponse(request())) {
        expect(event).toEqual(begun('resp_1')[0]);
        break;
      }
    });
    expect(model.told).toBe(told);
  });
});

describe('over a WebSocket', () => {
  class OpenAIResponsesWSModel extends ScriptedModel {}

  test.each<[string, ModelRequest['input'], Partial<ChainView>, boolean]>([
    ['with reasoning', [thought, assistant('hello'), thanks], {}, true],
    ['without reasoning', [thanks], {}, false],
    ['of a text', 'hi', {}, false],
    ['of a session like the stock session', [thought, assistant('hello'), thanks], { isStock: true }, false],
  ])('a request %s is sent as a stream where it may be refused', async (_what, input, fields, isStreamed) => {
    const model = new OpenAIResponsesWSModel();
    await ask(knownPort(undefined, fields), model, request({ input }));
    expect([model.requests.length, model.closed === 1]).toEqual([1, isStreamed]);
  });
});

describe('a server error', () => {
  test.each<[string, ModelRequest['modelSettings']]>([
    ['without retries', {}],
    ['without a policy', { retry: { maxRetries: 1 } }],
    ['with a policy and no retries', { retry: { policy } }],
    ['with a policy and no number of retries', { retry: { maxRetries: 0, policy } }],
  ])(
    'a server error on a chained request %s is answered by the whole history',
    async (_how, modelSettings) => {
      const model = moved(new ScriptedModel({ json: failing(broken) }));
      const port = sessionOf(model);
      await ask(port, model, request({ modelSettings }));
      expect(sent(model)).toEqual([chained, whole]);
      expect(port.refusals).toEqual([['resp_0', 'server error']]);
      // The next request tries the parent again.
      servers.clear();
      await ask(port, model);
      expect(sent(model)).toEqual([chained, whole, chained]);
    },
  );

  test('a server error on a chained request is left to the retries of the runner, and the next request is whole', async () => {
    const model = moved(new ScriptedModel({ json: failing(broken) }));
    const port = sessionOf(model);
    await expect(ask(port, model, retried())).rejects.toBe(broken);
    expect(port.refusals).toEqual([]);
    await ask(port, model, retry());
    await ask(port, model, request());
    expect(sent(model)).toEqual([chained, chained, whole]);
    expect(port.plans.at(-1)).toMatchObject({
      plan: 'replay',
      reason: 'parent_refused',
      parentId: undefined,
    });
    // Another server has other responses of that name.
    const other = moved(new ScriptedModel());
    await ask(sessionOf(other), other);
    expect(sent(other)).toEqual([chained]);
  });

  test('a server error on a retry of the runner is answered by the whole history', async () => {
    const model = moved(new ScriptedModel({ json: failing(broken) }));
    const port = sessionOf(model);
    await ask(port, model, retry());
    expect(sent(model)).toEqual([chained, whole]);
  });

  test('a server error after the parent was named reaches the caller', async () => {
    const events = [...begun('resp_x'), broken];
    const model = new ScriptedModel({ stream: () => events });
    const port = sessionOf(model);
    expect(await read(port, model)).toEqual(events);
    expect([model.requests.length, port.refusals]).toEqual([1, []]);
  });

  test.each(['response.output_item.added', undefined])(
    'a refusal after an event of the output is not repaired: %s',
    async (type) => {
      const events = [...begun('resp_x'), { type: 'model', event: { type } } as const, gone];
      const model = new ScriptedModel({ stream: () => events });
      expect(await read(sessionOf(model), model)).toEqual(events);
      expect(sent(model)).toEqual([chained]);
    },
  );

  test('a refusal after the parent was named is answered by the whole history', async () => {
    const model = new ScriptedModel({
      stream: (_request, attempt) =>
        attempt === 1 ? [...begun('resp_x'), gone] : streamed('resp_1', 'fine'),
    });
    expect(await read(sessionOf(model), model)).toEqual(streamed('resp_1', 'fine'));
    expect(sent(model)).toEqual([chained, whole]);
  });
});

describe('a refusal of a parent', () => {
  test('a refusal of a new response lasts two minutes, and counts as a failure of its server', async () => {
    const model = new ScriptedModel({ json: failing(gone) });
    const [port, refusals] = recording(model);
    await ask(port, model);
    expect(refusals).toEqual([['resp_0', 'not found', false]]);
    expect(servers.continues(serverOf(model))).toBe(false);
    expect(servers.isWaiting(serverOf(model), 'resp_0', Date.now() + 60_000)).toBe(true);
    expect(servers.isWaiting(serverOf(model), 'resp_0', Date.now() + 120_000)).toBe(false);
    await ask(port, model, request());
    expect(sent(model)).toEqual([chained, whole, whole]);
    expect(port.plans.at(-1)).toMatchObject({ plan: 'replay', reason: 'parent_refused' });
  });

  test('a refusal that the session knows rules out the response', async () => {
    const model = new ScriptedModel();
    const port = sessionOf(model, {}, { isRefused: (id) => id === 'resp_0' });
    await ask(port, model);
    expect(sent(model)).toEqual([whole]);
    expect(port.plans).toMatchObject([{ reason: 'parent_refused', parentId: undefined }]);
  });

  test('a refusal of an old response is permanent, and says nothing about its server', async () => {
    const model = new ScriptedModel({ json: failing(gone) });
    const [port, refusals] = recording(model, { time: Date.now() - 2 * 60 * 60_000 });
    await ask(port, model);
    expect(refusals).toEqual([['resp_0', 'not found', true]]);
    expect(servers.continues(serverOf(model))).toBeUndefined();
    expect(servers.isWaiting(serverOf(model), 'resp_0', Date.now())).toBe(false);
  });

  test('a request that does not name its session tells it of neither a refusal nor a loss', async () => {
    const context = [user('a story of its own'), thought, assistant('hello', 'msg_1')];
    for (const [error, requests] of [
      [gone, 2],
      [itemGone, 2],
    ] as const) {
      const model = new ScriptedModel({ json: failing(error) });
      const known = sessionOf(model, {}, { context });
      const port = { ...known, client: Reflect.get(model, '_client') as OpenAI };
      recordServedHistory(port, extendContext(EMPTY_DIGEST, context), context);
      await chainedModel(model).getResponse(request({ input: [...context, thanks] }));
      expect(model.requests).toHaveLength(requests);
      expect(model.requests[0]?.previousResponseId).toBe('resp_0');
      expect([port.refusals, port.lostKeys]).toEqual([[], []]);
      expect(servers.isWaiting(serverOf(model), 'resp_0', Date.now())).toBe(false);
      expect(port.answers).toHaveLength(1);
      servers.clear();
    }
  });
});

describe('a response that counts too few tokens', () => {
  test('a response that counts too few tokens is recorded as doubtful, and pauses its server', async () => {
    const earlier = knownPort();
    await ask(earlier, new ScriptedModel({ json: () => withUsage(answer('resp_1', 'fine'), 100) }));
    const tokens = earlier.answers[0]?.context.tokens;
    expect(tokens).toMatchObject({ least: 100 });
    for (const [counted, isDoubtful] of [
      [99, true],
      [100, false],
    ] as const) {
      servers.clear();
      const model = new ScriptedModel({ json: () => withUsage(answer('resp_2', 'fine'), counted) });
      const port = sessionOf(model, { context: { tokens } });
      await ask(port, model);
      expect(port.answers[0]?.context.doubtful ?? false).toBe(isDoubtful);
      expect(port.warnings).toEqual(isDoubtful ? [{ code: 'parent_maybe_ignored', ids: ['resp_2'] }] : []);
      expect(servers.isPaused(serverOf(model), Date.now())).toBe(isDoubtful);
      expect(servers.continues(serverOf(model))).toBe(!isDoubtful);
    }
  });

  test('a replayed response says nothing about its server', async () => {
    const model = new ScriptedModel();
    await ask(knownPort(), model);
    expect(servers.continues(serverOf(model))).toBeUndefined();
  });
});

test('an input that was sent whole after a refusal is sent whole again, and another one is not', async () => {
  const model = new ScriptedModel({ json: failing(gone) });
  const port = sessionOf(model);
  const asked = request();
  await ask(port, model, asked);
  servers.clear();
  await ask(port, model, { ...asked });
  await ask(port, model, request());
  expect(sent(model)).toEqual([chained, whole, whole, chained]);
});
