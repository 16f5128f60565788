import type { AgentInputItem, ModelRequest } from '@openai/agents';
import { beforeEach, describe, expect, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import {
  historyReferenceItem,
  historyReferenceOf,
  type HistoryReference,
} from '../../src/chaining/history-reference.ts';
import type { ChainView } from '../../src/chaining/port.ts';
import { chainedModel } from '../../src/chaining/chained-model.ts';
import { enterTool, withPort } from '../../src/chaining/attribution.ts';
import { replayInputBytes } from '../../src/items/model-input.ts';
import { extendContext } from '../../src/chaining/request.ts';
import { servers } from '../../src/chaining/server.ts';
import { assistant, user } from '../support/conversation.ts';
import { HERE, knownPort, type KnownPort } from './known-port.ts';
import { answer, ScriptedModel } from './scripted-model.ts';
import { modelRequest } from './chained-calls.ts';

const history: AgentInputItem[] = [user('hi'), assistant('hello', 'msg_1')];
const reference: HistoryReference = {
  sessionId: 'conv_1',
  version: 4,
  length: 2,
  digest: extendContext(EMPTY_DIGEST, history),
};
const thanks = user('thanks');
const refusal = Object.assign(new Error('x'), { status: 400, code: 'previous_response_not_found' });

function request(...input: AgentInputItem[]): ModelRequest {
  return modelRequest(input);
}

beforeEach(() => {
  servers.clear();
});

/** A session with a history reference, and a record of its reads. */
function referencedHistory(fields: Partial<ChainView> = {}): {
  port: KnownPort;
  depths: string[];
  expanded: HistoryReference[];
} {
  const known = knownPort(history, fields);
  const depths: string[] = [];
  const expanded: HistoryReference[] = [];
  const port: KnownPort = {
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
  return { port, depths, expanded };
}

const sent = (model: ScriptedModel): unknown[] =>
  model.requests.map(({ previousResponseId, input }) => [previousResponseId, input]);

describe('a history reference', () => {
  test('a history reference is an item and is parsed from it', () => {
    expect(historyReferenceOf(historyReferenceItem(reference))).toEqual(reference);
    expect(
      historyReferenceOf(JSON.parse(JSON.stringify(historyReferenceItem(reference))) as AgentInputItem),
    ).toEqual(reference);
    expect(historyReferenceItem(reference)).toMatchObject({ type: 'unknown' });
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['a message', user('hi')],
    ['an item of another type', { ...historyReferenceItem(reference), type: 'message' }],
    ['an unknown item without data', { type: 'unknown' }],
    ['an unknown item of another kind', { type: 'unknown', providerData: { ...reference, type: 'other' } }],
    ['one without a version', { type: 'unknown', providerData: { ...providerData(), version: '4' } }],
    ['one without a length', { type: 'unknown', providerData: { ...providerData(), length: undefined } }],
  ])('a history reference is not parsed from %s', (_kind, item) => {
    expect(historyReferenceOf(item as AgentInputItem)).toBeUndefined();
  });

  test('a history reference with invalid names has empty ones', () => {
    const odd = { type: 'unknown', providerData: { ...providerData(), sessionId: 7, digest: null } };
    expect(historyReferenceOf(odd as AgentInputItem)).toEqual({ ...reference, sessionId: '', digest: '' });
  });
});

function providerData(): object {
  return Reflect.get(historyReferenceItem(reference), 'providerData') as object;
}

describe('a request with a history reference', () => {
  test('a request with a history reference continues from the newest response without reading the history', async () => {
    const { port, depths, expanded } = referencedHistory();
    const model = new ScriptedModel();
    await withPort(port, () =>
      chainedModel(model).getResponse(request(historyReferenceItem(reference), thanks)),
    );
    expect(sent(model)).toEqual([['resp_0', [thanks]]]);
    expect([depths, expanded]).toEqual([['tail'], []]);
    expect(port.plans).toMatchObject([{ plan: 'chain', reason: 'extends', sent: 1, context: 3 }]);
  });

  test('a request with a history reference is recorded with the whole context of its response', async () => {
    const { port } = referencedHistory({
      candidates: (digest) =>
        digest === reference.digest
          ? [{ id: 'resp_0', time: Date.now(), store: true, context: { bytes: 1000, server: HERE } }]
          : [],
    });
    await withPort(port, () =>
      chainedModel(new ScriptedModel()).getResponse(request(historyReferenceItem(reference), thanks)),
    );
    const { output } = answer('resp_1', 'hello');
    expect(port.answers).toMatchObject([
      {
        parent: 'resp_0',
        context: {
          length: 4,
          digest: extendContext(reference.digest, [thanks, ...output]),
          bytes: 1000 + replayInputBytes([thanks]) + replayInputBytes(output),
        },
      },
    ]);
  });

  test('a request with a history reference is sent with the history if the response cannot be continued', async () => {
    const { port, depths, expanded } = referencedHistory({ candidates: () => [] });
    const model = new ScriptedModel();
    await withPort(port, () =>
      chainedModel(model).getResponse(request(historyReferenceItem(reference), thanks)),
    );
    expect(sent(model)).toEqual([[undefined, [...history, thanks]]]);
    expect([depths, expanded]).toEqual([['tail', 'all'], [reference]]);
    expect(port.plans).toMatchObject([{ plan: 'replay', reason: 'diverged', sent: 3, context: 3 }]);
    expect(port.answers).toMatchObject([{ parent: undefined, context: { length: 4 } }]);
  });

  test('a request with a history reference is sent with the history if its parent is refused', async () => {
    const { port, expanded } = referencedHistory();
    const model = new ScriptedModel({
      json: (_request, attempt) => {
        if (attempt === 1) throw refusal;
        return answer('resp_1', 'hello');
      },
    });
    await withPort(port, () =>
      chainedModel(model).getResponse(request(historyReferenceItem(reference), thanks)),
    );
    expect(sent(model)).toEqual([
      ['resp_0', [thanks]],
      [undefined, [...history, thanks]],
    ]);
    expect(expanded).toEqual([reference]);
    expect(port.refusals).toMatchObject([['resp_0', expect.any(String)]]);
    // The size of the history is unknown.
    expect(port.answers[0]?.context).toMatchObject({ length: 4, bytes: undefined });
  });

  test.each([
    ['in no session', async (ask: () => Promise<unknown>) => withPort(undefined, ask)],
    ['outside of any run', async (ask: () => Promise<unknown>) => ask()],
    [
      'inside of a tool',
      async (ask: () => Promise<unknown>) =>
        withPort(referencedHistory().port, async () => {
          enterTool();
          return ask();
        }),
    ],
  ])('a history reference %s is refused', async (_where, within) => {
    const model = new ScriptedModel();
    const asked = within(() =>
      chainedModel(model).getResponse(request(historyReferenceItem(reference), thanks)),
    );
    await expect(asked).rejects.toMatchObject({ reason: 'no_session', sessionId: 'conv_1' });
    expect(model.requests).toEqual([]);
  });
});
