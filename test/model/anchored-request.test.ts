import type { AgentInputItem, ModelRequest } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/ledger/digest.ts';
import { anchorItem, anchorOf, type Anchor } from '../../src/model/anchor.ts';
import type { ChainView } from '../../src/model/chain.ts';
import { chainedModel } from '../../src/model/chained-model.ts';
import { enterTool, withChain } from '../../src/model/current-chain.ts';
import { bytesForModel } from '../../src/model/for-model.ts';
import { extendContext } from '../../src/model/request.ts';
import { assistant, user } from '../support/conversation.ts';
import { knownChain, type KnownChain } from './known-chain.ts';
import { answer, ScriptedModel } from './scripted-model.ts';

const history: AgentInputItem[] = [user('hi'), assistant('hello', 'msg_1')];
const anchor: Anchor = {
  sessionId: 'conv_1',
  version: 4,
  length: 2,
  digest: extendContext(EMPTY_DIGEST, history),
};
const thanks = user('thanks');
const refusal = Object.assign(new Error('x'), { status: 400, code: 'previous_response_not_found' });

function request(...input: AgentInputItem[]): ModelRequest {
  return { input, modelSettings: {}, tools: [], outputType: 'text', handoffs: [], tracing: false };
}

/** A session whose history an anchor stands for, and what was asked of it. */
function anchored(fields: Partial<ChainView> = {}): {
  chain: KnownChain;
  depths: string[];
  expanded: Anchor[];
} {
  const known = knownChain(history, fields);
  const depths: string[] = [];
  const expanded: Anchor[] = [];
  const chain: KnownChain = {
    ...known,
    view: (depth) => {
      depths.push(depth);
      return known.view(depth);
    },
    history: {
      ...known.history,
      expand: async (one) => {
        expanded.push(one);
        return history;
      },
    },
  };
  return { chain, depths, expanded };
}

const sent = (model: ScriptedModel): unknown[] =>
  model.requests.map(({ previousResponseId, input }) => [previousResponseId, input]);

describe('an anchor', () => {
  test('is an item, and is read off it again', () => {
    expect(anchorOf(anchorItem(anchor))).toEqual(anchor);
    expect(anchorOf(JSON.parse(JSON.stringify(anchorItem(anchor))) as AgentInputItem)).toEqual(anchor);
    expect(anchorItem(anchor)).toMatchObject({ type: 'unknown' });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a message', user('hi')],
    ['an item of another type', { ...anchorItem(anchor), type: 'message' }],
    ['an unknown item without data', { type: 'unknown' }],
    ['an unknown item of another kind', { type: 'unknown', providerData: { ...anchor, type: 'other' } }],
    ['one without a version', { type: 'unknown', providerData: { ...providerData(), version: '4' } }],
    ['one without a length', { type: 'unknown', providerData: { ...providerData(), length: undefined } }],
  ])('is not %s', (_what, item) => {
    expect(anchorOf(item as AgentInputItem)).toBeUndefined();
  });

  test('whose names are none has empty ones', () => {
    const odd = { type: 'unknown', providerData: { ...providerData(), sessionId: 7, digest: null } };
    expect(anchorOf(odd as AgentInputItem)).toEqual({ ...anchor, sessionId: '', digest: '' });
  });
});

function providerData(): object {
  return Reflect.get(anchorItem(anchor), 'providerData') as object;
}

describe('a request that begins with an anchor', () => {
  test('goes behind the response that ends the history, without reading it', async () => {
    const { chain, depths, expanded } = anchored();
    const model = new ScriptedModel();
    await withChain(chain, () => chainedModel(model).getResponse(request(anchorItem(anchor), thanks)));
    expect(sent(model)).toEqual([['resp_0', [thanks]]]);
    expect([depths, expanded]).toEqual([['tip'], []]);
    expect(chain.plans).toMatchObject([{ plan: 'chain', reason: 'extends', sent: 1, context: 3 }]);
  });

  test('is remembered with the whole context that its answer ends', async () => {
    const { chain } = anchored({
      candidates: (digest) =>
        digest === anchor.digest
          ? [{ id: 'resp_0', time: Date.now(), store: true, context: { bytes: 1000 } }]
          : [],
    });
    await withChain(chain, () =>
      chainedModel(new ScriptedModel()).getResponse(request(anchorItem(anchor), thanks)),
    );
    const { output } = answer('resp_1', 'hello');
    expect(chain.answers).toMatchObject([
      {
        parent: 'resp_0',
        context: {
          length: 4,
          digest: extendContext(anchor.digest, [thanks, ...output]),
          bytes: 1000 + bytesForModel([thanks]) + bytesForModel(output),
        },
      },
    ]);
  });

  test('is sent with the history where it cannot be continued from', async () => {
    const { chain, depths, expanded } = anchored({ candidates: () => [] });
    const model = new ScriptedModel();
    await withChain(chain, () => chainedModel(model).getResponse(request(anchorItem(anchor), thanks)));
    expect(sent(model)).toEqual([[undefined, [...history, thanks]]]);
    expect([depths, expanded]).toEqual([['tip', 'whole'], [anchor]]);
    expect(chain.plans).toMatchObject([{ plan: 'replay', reason: 'diverged', sent: 3, context: 3 }]);
    expect(chain.answers).toMatchObject([{ parent: undefined, context: { length: 4 } }]);
  });

  test('is sent with the history when its parent is refused', async () => {
    const { chain, expanded } = anchored();
    const model = new ScriptedModel({
      json: (_request, attempt) => {
        if (attempt === 1) throw refusal;
        return answer('resp_1', 'hello');
      },
    });
    await withChain(chain, () => chainedModel(model).getResponse(request(anchorItem(anchor), thanks)));
    expect(sent(model)).toEqual([
      ['resp_0', [thanks]],
      [undefined, [...history, thanks]],
    ]);
    expect(expanded).toEqual([anchor]);
    expect(chain.refusals).toMatchObject([['resp_0', expect.any(String)]]);
    // What the history takes is not known.
    expect(chain.answers[0]?.context).toMatchObject({ length: 4, bytes: undefined });
  });

  test.each([
    ['in no session', async (ask: () => Promise<unknown>) => withChain(undefined, ask)],
    ['outside of any run', async (ask: () => Promise<unknown>) => ask()],
    [
      'inside of a tool',
      async (ask: () => Promise<unknown>) =>
        withChain(anchored().chain, async () => {
          enterTool();
          return ask();
        }),
    ],
  ])('means nothing %s', async (_where, within) => {
    const model = new ScriptedModel();
    const asked = within(() => chainedModel(model).getResponse(request(anchorItem(anchor), thanks)));
    await expect(asked).rejects.toMatchObject({ reason: 'no-session', sessionId: 'conv_1' });
    expect(model.requests).toEqual([]);
  });
});
