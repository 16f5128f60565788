import type { Model, ModelRequest } from '@openai/agents';
import { beforeEach, describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import type { ChainView } from '../../src/chaining/port.ts';
import { chainedModel } from '../../src/chaining/chained-model.ts';
import { currentRun, enterTool, withPort } from '../../src/chaining/attribution.ts';
import { replayInputBytes } from '../../src/items/model-input.ts';
import { extendContext } from '../../src/chaining/request.ts';
import { servers } from '../../src/chaining/server.ts';
import { assistant, user } from '../support/conversation.ts';
import { HERE, knownPort, type KnownPort } from './known-port.ts';
import { answer, ScriptedModel, streamed } from './scripted-model.ts';
import { modelRequest } from './chained-calls.ts';

const history = [user('hi'), assistant('hello', 'msg_1')];
const asked = [...history, user('thanks')];
const refusal = Object.assign(new Error('x'), { status: 400, code: 'previous_response_not_found' });

function request(fields: Partial<ModelRequest> = {}): ModelRequest {
  return modelRequest([...asked], fields);
}

const ask = (port: KnownPort, model: Model = new ScriptedModel(), one = request()): Promise<unknown> =>
  withPort(port, () => chainedModel(model).getResponse(one));

beforeEach(() => {
  servers.clear();
});

/** A chain that knows how many bytes its response's context takes. */
function weighed(fields: Partial<ChainView> = {}, context: object = { bytes: 1000 }): KnownPort {
  const known = extendContext(EMPTY_DIGEST, history);
  return knownPort(history, {
    candidates: (digest) =>
      digest === known
        ? [{ id: 'resp_0', time: Date.now(), store: true, context: { server: HERE, ...context } }]
        : [],
    ...fields,
  });
}

describe('what is told of a request', () => {
  test('the plan of a chained request names its parent, the sent items and the saved ones', async () => {
    const port = weighed();
    await ask(port);
    expect(port.plans).toEqual([
      {
        plan: 'chain',
        reason: 'extends',
        parentId: 'resp_0',
        sent: 1,
        context: 3,
        savedBytes: 1000,
        shadowPlan: undefined,
      },
    ]);
  });

  test('the plan of a request chained behind a context of unknown size names no savings', async () => {
    const port = weighed({}, {});
    await ask(port);
    expect(port.plans).toEqual([expect.objectContaining({ plan: 'chain', savedBytes: 0 })]);
    expect(port.answers[0]?.context.bytes).toBeGreaterThan(replayInputBytes(asked));
  });

  test('the plan of a replayed request names all items as sent, and none as saved', async () => {
    const port = knownPort();
    await ask(port);
    expect(port.plans).toEqual([
      {
        plan: 'replay',
        reason: 'no_parent',
        parentId: undefined,
        sent: 3,
        context: 3,
        savedBytes: 0,
        shadowPlan: undefined,
      },
    ]);
  });

  test('the plan of a request in another mode names the shadow plan', async () => {
    const port = weighed({ enabled: false });
    await ask(port);
    expect(port.plans).toEqual([
      {
        plan: 'replay',
        reason: 'mode',
        parentId: undefined,
        sent: 3,
        context: 3,
        savedBytes: 0,
        shadowPlan: { plan: 'chain', reason: 'extends', sent: 1, savedBytes: 1000 },
      },
    ]);
  });

  test('the plan of a request with another obstacle than the mode names that', async () => {
    const port = weighed({ enabled: false });
    await ask(port, new ScriptedModel(), request({ conversationId: 'conv_1' }));
    expect(port.plans).toEqual([
      expect.objectContaining({ plan: 'replay', reason: 'caller_set', shadowPlan: undefined }),
    ]);
  });

  test('the plans of a refused request are both reported, the second with the refused parent', async () => {
    const port = weighed();
    const model = new ScriptedModel({
      json: ({ previousResponseId }) => {
        if (previousResponseId !== undefined) throw refusal;
        return answer('resp_1', 'hello');
      },
    });
    const one = request();
    await ask(port, model, one);
    expect(port.plans.map(({ plan, reason, parentId, sent }) => [plan, reason, parentId, sent])).toEqual([
      ['chain', 'extends', 'resp_0', 1],
      ['replay', 'parent_refused', 'resp_0', 3],
    ]);
    expect(port.refusals).toEqual([['resp_0', 'not found']]);
    // The runner tries the same input again: it goes out whole at once.
    await ask(port, model, one);
    expect(port.plans.at(-1)).toMatchObject({
      plan: 'replay',
      reason: 'parent_refused',
      parentId: undefined,
    });
    // Another input would ask again, once the response may be readable.
    servers.clear();
    await ask(port, model, request({ input: [...asked] }));
    expect(port.plans.at(-1)).toMatchObject({
      plan: 'replay',
      reason: 'parent_refused',
      parentId: 'resp_0',
    });
  });

  test('the plan of a request whose ledger cannot be read is a replay', async () => {
    const port = { ...weighed(), view: () => Promise.reject(new Error('down')) };
    await ask(port);
    expect(port.plans).toEqual([expect.objectContaining({ plan: 'replay', reason: 'ledger_unavailable' })]);
  });
});

describe('what is remembered of an answer', () => {
  test('behind a chain: the parent, the digest and the bytes of the whole context', async () => {
    const port = weighed();
    await ask(port);
    const output = answer('resp_1', 'hello').output;
    expect(port.answers).toEqual([
      expect.objectContaining({
        id: 'resp_1',
        parent: 'resp_0',
        store: true,
        lineage: [],
        context: {
          length: 4,
          digest: extendContext(extendContext(EMPTY_DIGEST, asked), output),
          bytes: 1000 + replayInputBytes([user('thanks')]) + replayInputBytes(output),
          since: expect.any(Number),
          server: HERE,
        },
      }),
    ]);
  });

  test('behind a replay: no parent, and the bytes of what was sent', async () => {
    const port = knownPort();
    await ask(port);
    const [remembered] = port.answers;
    expect(remembered?.parent).toBeUndefined();
    expect(remembered?.context).toEqual({
      length: 4,
      digest: expect.any(String),
      bytes: replayInputBytes(asked) + replayInputBytes(answer('resp_1', 'hello').output),
      server: HERE,
    });
  });

  test('a response replayed after a refusal has no parent', async () => {
    const port = weighed();
    await ask(
      port,
      new ScriptedModel({
        json: ({ previousResponseId }) => {
          if (previousResponseId !== undefined) throw refusal;
          return answer('resp_1', 'hello');
        },
      }),
    );
    expect(port.answers[0]?.parent).toBeUndefined();
    expect(port.answers[0]?.context.since).toBeUndefined();
  });

  test('the answers that it grew from, each once', async () => {
    const known = extendContext(EMPTY_DIGEST, history);
    const port = weighed({ unrecorded: (digest) => (digest === known ? ['resp_a', 'resp_b'] : []) });
    await ask(port);
    expect(port.answers[0]?.lineage).toEqual(['resp_a', 'resp_b']);
  });

  test.each<[object, boolean | undefined, boolean]>([
    [{ store: false }, true, false],
    [{ store: true }, false, true],
    [{}, false, false],
    [{}, true, true],
    [{}, undefined, true],
  ])('whether it is stored: %j with the setting %j', async (body, store, expected) => {
    const port = knownPort();
    const model = new ScriptedModel({
      json: () => ({ ...answer('resp_1', 'hello'), providerData: { status: 'completed', ...body } }),
    });
    await ask(port, model, request({ modelSettings: store === undefined ? {} : { store } }));
    expect(port.answers[0]?.store).toBe(expected);
  });

  test.each<[object, number]>([
    [{ status: 'completed' }, 1],
    [{}, 1],
    [{ status: 'incomplete' }, 0],
    [{ status: 'completed', output: [{}, {}] }, 0],
    [{ status: 'completed', output: [{}] }, 1],
    [{ status: 'completed', output: 'none' }, 1],
  ])('only when it is whole: %j', async (providerData, count) => {
    const port = knownPort();
    await ask(port, new ScriptedModel({ json: () => ({ ...answer('resp_1', 'hello'), providerData }) }));
    expect(port.answers).toHaveLength(count);
  });

  test.each([
    [{ model: 'gpt-5.4' }, 'gpt-5.4'],
    [{ model: 7 }, undefined],
  ])('the model, where it is one: %j', async (providerData, model) => {
    const port = knownPort();
    await ask(port, new ScriptedModel({ json: () => ({ ...answer('resp_1', 'hello'), providerData }) }));
    expect(port.answers[0]?.model).toBe(model);
  });

  test('a streamed response has a parent if it was chained, and none otherwise', async () => {
    for (const [port, parent] of [
      [weighed(), 'resp_0'],
      [knownPort(), undefined],
    ] as const) {
      await withPort(port, async () => {
        for await (const event of chainedModel(new ScriptedModel()).getStreamedResponse(request()))
          void event;
      });
      expect(port.answers.map((one) => one.parent)).toEqual([parent]);
    }
  });

  test('a streamed response that was refused has no parent', async () => {
    const port = weighed();
    const model = new ScriptedModel({
      stream: ({ previousResponseId }) =>
        previousResponseId === undefined ? streamed('resp_1', 'hello') : [refusal],
    });
    await withPort(port, async () => {
      for await (const event of chainedModel(model).getStreamedResponse(request())) void event;
    });
    expect(port.answers.map(({ parent }) => parent)).toEqual([undefined]);
  });
});

describe('a request inside a tool', () => {
  test('a request inside a tool belongs neither to the run that called the tool nor to a foreign session', async () => {
    const port = weighed();
    await withPort(port, async () => {
      enterTool();
      expect(currentRun()).toMatchObject({ port: undefined, around: [port] });
      await chainedModel(new ScriptedModel()).getResponse(request());
    });
    expect(port.plans).toEqual([]);
    const model = new ScriptedModel();
    const one = request();
    await withPort(undefined, () => chainedModel(model).getResponse(one));
    expect(model.requests).toEqual([one]);
  });
});
