import type { Model, ModelRequest } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/ledger/digest.ts';
import type { ChainView } from '../../src/model/chain.ts';
import { chainedModel } from '../../src/model/chained-model.ts';
import { currentRun, enterTool, withChain } from '../../src/model/current-chain.ts';
import { bytesForModel } from '../../src/model/for-model.ts';
import { extendContext } from '../../src/model/request.ts';
import { assistant, user } from '../support/conversation.ts';
import { knownChain, type KnownChain } from './known-chain.ts';
import { answer, ScriptedModel, streamed } from './scripted-model.ts';

const history = [user('hi'), assistant('hello', 'msg_1')];
const asked = [...history, user('thanks')];
const refusal = Object.assign(new Error('x'), { status: 400, code: 'previous_response_not_found' });

function request(fields: Partial<ModelRequest> = {}): ModelRequest {
  return {
    input: [...asked],
    modelSettings: {},
    tools: [],
    outputType: 'text',
    handoffs: [],
    tracing: false,
    ...fields,
  };
}

const ask = (chain: KnownChain, model: Model = new ScriptedModel(), one = request()): Promise<unknown> =>
  withChain(chain, () => chainedModel(model).getResponse(one));

/** A chain that knows how many bytes its response's context takes. */
function weighed(fields: Partial<ChainView> = {}, context: object = { bytes: 1000 }): KnownChain {
  const known = extendContext(EMPTY_DIGEST, history);
  return knownChain(history, {
    candidates: (digest) =>
      digest === known ? [{ id: 'resp_0', time: Date.now(), store: true, context }] : [],
    ...fields,
  });
}

describe('what is told of a request', () => {
  test('that is chained: its parent, what is sent and what is saved', async () => {
    const chain = weighed();
    await ask(chain);
    expect(chain.plans).toEqual([
      {
        plan: 'chain',
        reason: 'extends',
        parentId: 'resp_0',
        sent: 1,
        context: 3,
        savedBytes: 1000,
        would: undefined,
      },
    ]);
  });

  test('that is chained behind a context of unknown size: nothing is known to be saved', async () => {
    const chain = weighed({}, {});
    await ask(chain);
    expect(chain.plans).toEqual([expect.objectContaining({ plan: 'chain', savedBytes: 0 })]);
    expect(chain.answers[0]?.context.bytes).toBeUndefined();
  });

  test('that is replayed: everything is sent, and nothing saved', async () => {
    const chain = knownChain();
    await ask(chain);
    expect(chain.plans).toEqual([
      {
        plan: 'replay',
        reason: 'no-parent',
        parentId: undefined,
        sent: 3,
        context: 3,
        savedBytes: 0,
        would: undefined,
      },
    ]);
  });

  test('that only the mode is against: what it would have been', async () => {
    const chain = weighed({ enabled: false });
    await ask(chain);
    expect(chain.plans).toEqual([
      {
        plan: 'replay',
        reason: 'mode',
        parentId: undefined,
        sent: 3,
        context: 3,
        savedBytes: 0,
        would: { plan: 'chain', reason: 'extends', sent: 1, savedBytes: 1000 },
      },
    ]);
  });

  test('that more than the mode is against: the obstacle', async () => {
    const chain = weighed({ enabled: false });
    await ask(chain, new ScriptedModel(), request({ conversationId: 'conv_1' }));
    expect(chain.plans).toEqual([
      expect.objectContaining({ plan: 'replay', reason: 'caller-set', would: undefined }),
    ]);
  });

  test('that was refused: both decisions, the second with the parent it was about', async () => {
    const chain = weighed();
    const model = new ScriptedModel({
      json: ({ previousResponseId }) => {
        if (previousResponseId !== undefined) throw refusal;
        return answer('resp_1', 'hello');
      },
    });
    const one = request();
    await ask(chain, model, one);
    expect(chain.plans.map(({ plan, reason, parentId, sent }) => [plan, reason, parentId, sent])).toEqual([
      ['chain', 'extends', 'resp_0', 1],
      ['replay', 'parent-refused', 'resp_0', 3],
    ]);
    expect(chain.refusals).toEqual([['resp_0', 'not found']]);
    // The runner tries the same input again: it goes out whole at once.
    await ask(chain, model, one);
    expect(chain.plans.at(-1)).toMatchObject({
      plan: 'replay',
      reason: 'parent-refused',
      parentId: undefined,
    });
    await ask(chain, model, request({ input: [...asked] }));
    expect(chain.plans.at(-1)).toMatchObject({
      plan: 'replay',
      reason: 'parent-refused',
      parentId: 'resp_0',
    });
  });

  test('whose ledger cannot be read: it is replayed', async () => {
    const chain = { ...weighed(), view: () => Promise.reject(new Error('down')) };
    await ask(chain);
    expect(chain.plans).toEqual([expect.objectContaining({ plan: 'replay', reason: 'ledger-unavailable' })]);
  });
});

describe('what is remembered of an answer', () => {
  test('behind a chain: the parent, the digest and the bytes of the whole context', async () => {
    const chain = weighed();
    await ask(chain);
    const output = answer('resp_1', 'hello').output;
    expect(chain.answers).toEqual([
      expect.objectContaining({
        id: 'resp_1',
        parent: 'resp_0',
        store: true,
        lineage: [],
        context: {
          length: 4,
          digest: extendContext(extendContext(EMPTY_DIGEST, asked), output),
          bytes: 1000 + bytesForModel([user('thanks')]) + bytesForModel(output),
          since: expect.any(Number),
        },
      }),
    ]);
  });

  test('behind a replay: no parent, and the bytes of what was sent', async () => {
    const chain = knownChain();
    await ask(chain);
    const [remembered] = chain.answers;
    expect(remembered?.parent).toBeUndefined();
    expect(remembered?.context).toEqual({
      length: 4,
      digest: expect.any(String),
      bytes: bytesForModel(asked) + bytesForModel(answer('resp_1', 'hello').output),
    });
  });

  test('that was replayed after a refusal: no parent', async () => {
    const chain = weighed();
    await ask(
      chain,
      new ScriptedModel({
        json: ({ previousResponseId }) => {
          if (previousResponseId !== undefined) throw refusal;
          return answer('resp_1', 'hello');
        },
      }),
    );
    expect(chain.answers[0]?.parent).toBeUndefined();
    expect(chain.answers[0]?.context.since).toBeUndefined();
  });

  test('the answers that it grew from, each once', async () => {
    const known = extendContext(EMPTY_DIGEST, history);
    const chain = weighed({ unrecorded: (digest) => (digest === known ? ['resp_a', 'resp_b'] : []) });
    await ask(chain);
    expect(chain.answers[0]?.lineage).toEqual(['resp_a', 'resp_b']);
  });

  test.each<[object, boolean | undefined, boolean]>([
    [{ store: false }, true, false],
    [{ store: true }, false, true],
    [{}, false, false],
    [{}, true, true],
    [{}, undefined, true],
  ])('whether it is stored: %j with the setting %j', async (body, store, expected) => {
    const chain = knownChain();
    const model = new ScriptedModel({
      json: () => ({ ...answer('resp_1', 'hello'), providerData: { status: 'completed', ...body } }),
    });
    await ask(chain, model, request({ modelSettings: store === undefined ? {} : { store } }));
    expect(chain.answers[0]?.store).toBe(expected);
  });

  test.each<[object, number]>([
    [{ status: 'completed' }, 1],
    [{}, 1],
    [{ status: 'incomplete' }, 0],
    [{ status: 'completed', output: [{}, {}] }, 0],
    [{ status: 'completed', output: [{}] }, 1],
    [{ status: 'completed', output: 'none' }, 1],
  ])('only when it is whole: %j', async (providerData, count) => {
    const chain = knownChain();
    await ask(chain, new ScriptedModel({ json: () => ({ ...answer('resp_1', 'hello'), providerData }) }));
    expect(chain.answers).toHaveLength(count);
  });

  test.each([
    [{ model: 'gpt-5.4' }, 'gpt-5.4'],
    [{ model: 7 }, undefined],
  ])('the model, where it is one: %j', async (providerData, model) => {
    const chain = knownChain();
    await ask(chain, new ScriptedModel({ json: () => ({ ...answer('resp_1', 'hello'), providerData }) }));
    expect(chain.answers[0]?.model).toBe(model);
  });

  test('in a stream: a parent where it was chained, none where it was not', async () => {
    for (const [chain, parent] of [
      [weighed(), 'resp_0'],
      [knownChain(), undefined],
    ] as const) {
      await withChain(chain, async () => {
        for await (const event of chainedModel(new ScriptedModel()).getStreamedResponse(request()))
          void event;
      });
      expect(chain.answers.map((one) => one.parent)).toEqual([parent]);
    }
  });

  test('in a stream that was refused: none', async () => {
    const chain = weighed();
    const model = new ScriptedModel({
      stream: ({ previousResponseId }) =>
        previousResponseId === undefined ? streamed('resp_1', 'hello') : [refusal],
    });
    await withChain(chain, async () => {
      for await (const event of chainedModel(model).getStreamedResponse(request())) void event;
    });
    expect(chain.answers.map(({ parent }) => parent)).toEqual([undefined]);
  });
});

describe('a request inside a tool', () => {
  test('is none of the run that called the tool, and none of a session that is not ours', async () => {
    const chain = weighed();
    await withChain(chain, async () => {
      enterTool();
      expect(currentRun()).toMatchObject({ chain: undefined, around: [chain] });
      await chainedModel(new ScriptedModel()).getResponse(request());
    });
    expect(chain.plans).toEqual([]);
    const model = new ScriptedModel();
    const one = request();
    await withChain(undefined, () => chainedModel(model).getResponse(one));
    expect(model.requests).toEqual([one]);
  });
});
