import type { AgentInputItem, ModelRequest } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import {
  completedResponse,
  type ReceivedResponse,
  type SentRequest,
} from '../../src/chaining/completed-response.ts';
import { historyReferenceItem } from '../../src/chaining/history-reference.ts';
import type { CompletedResponse, ContextTokens, Parent } from '../../src/chaining/port.ts';
import { extendContext, plannable } from '../../src/chaining/request.ts';
import { serverOf } from '../../src/chaining/server.ts';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { replayInputBytes } from '../../src/items/model-input.ts';
import { assistant, call, result, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { HERE } from './known-port.ts';
import { ScriptedModel } from './scripted-model.ts';
import { modelRequest } from './chained-calls.ts';

useVirtualTime();

const model = new ScriptedModel();
const question = user('hi');
const answer = assistant('hello');
const thought: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };

type Fields = Partial<Omit<ReceivedResponse, 'usage'>> & {
  readonly usage?: unknown;
  /** The request, with one question unless it says otherwise. */
  readonly request?: Partial<ModelRequest>;
  /** The parent's context; a request with one is chained behind it. */
  readonly behind?: Parent['context'];
};

const parentWith = (context: Parent['context']): Parent => ({
  id: 'resp_0',
  time: Date.now() - 500,
  store: true,
  context,
});

function sentOf({ request, behind }: Fields): SentRequest {
  const whole = modelRequest([question], request);
  const planned = plannable(whole, model);
  const parent = behind === undefined ? undefined : parentWith(behind);
  const extension: SentRequest['extension'] =
    parent === undefined
      ? undefined
      : { type: 'chain', reason: 'extends', parent, rest: planned.items.slice(-1) };
  return {
    request: whole,
    plannable: planned,
    server: serverOf(model),
    plan: extension ?? { type: 'replay', reason: 'no_parent' },
    extension,
    parent,
    lineage: [],
  };
}

const receivedOf = ({ output = [answer], id = 'resp_1', body = {}, usage }: Fields): ReceivedResponse => ({
  id,
  output,
  body,
  usage,
});

const completed = (fields: Fields = {}): CompletedResponse | undefined =>
  completedResponse(receivedOf(fields), sentOf(fields));

const usage = (inputTokens: unknown, outputTokens?: unknown, outputTokensDetails?: unknown): unknown => ({
  inputTokens,
  outputTokens,
  outputTokensDetails,
});

const tokensOf = (fields: Fields): ContextTokens | undefined => completed(fields)?.context.tokens;

/** The hash of a request besides its items. */
const frameOf = (request: Partial<ModelRequest> = {}): string | undefined =>
  tokensOf({ request, usage: usage(100) })?.frame;

describe('a completed response', () => {
  test('a completed response is recorded with all its facts', () => {
    const body = { status: 'completed', model: 'gpt-5', store: true, output: [{}] };
    expect(completed({ body })).toEqual({
      id: 'resp_1',
      time: Date.now(),
      store: true,
      model: 'gpt-5',
      parent: undefined,
      context: {
        length: 2,
        digest: extendContext(EMPTY_DIGEST, [question, answer]),
        bytes: replayInputBytes([question, answer]),
        server: HERE,
      },
      usage: undefined,
      plan: 'replay',
      agent: undefined,
      lineage: [],
    });
  });

  test('a completed response behind a parent goes back to the beginning of its chain', () => {
    const fields: Fields = { behind: { server: HERE, bytes: 1000 }, request: { input: [answer, question] } };
    expect(completed(fields)).toMatchObject({
      parent: 'resp_0',
      context: {
        length: 3,
        since: Date.now() - 500,
        bytes: 1000 + replayInputBytes([question, answer]),
        digest: extendContext(EMPTY_DIGEST, [answer, question, answer]),
      },
    });
    expect(completed({ behind: { server: HERE, since: 7 } })?.context).toMatchObject({
      since: 7,
      bytes: replayInputBytes([question, answer]),
    });
  });

  test('a completed response of a request that was sent whole after all has all its items', () => {
    const parent = parentWith({ server: HERE, bytes: 1000 });
    const chained = { type: 'chain', reason: 'extends', parent, rest: [question] } as const;
    const sent = { ...sentOf({ request: { input: [thought, answer, question] } }), plan: chained };
    const whole = completedResponse(receivedOf({ usage: usage(100) }), sent);
    expect(whole).toMatchObject({
      parent: undefined,
      context: { bytes: replayInputBytes([thought, answer, question, answer]) },
    });
    expect(whole?.context).not.toHaveProperty('tokens');
    expect(whole?.context).not.toHaveProperty('since');
    // The history behind a reference is as large as the context of its response.
    const digest = extendContext(EMPTY_DIGEST, [answer]);
    const reference = historyReferenceItem({ sessionId: 'conv_1', version: 1, length: 1, digest });
    const referenced = { ...sentOf({ request: { input: [reference, question] } }), plan: chained };
    expect(completedResponse(receivedOf({}), { ...referenced, extension: chained })?.context.bytes).toBe(
      1000 + replayInputBytes([question, answer]),
    );
    expect(completedResponse(receivedOf({}), referenced)?.context.bytes).toBeUndefined();
  });

  test('a completed response behind a parent without a known context has the size of its own items', () => {
    const parent = parentWith(undefined);
    const plan = { type: 'chain', reason: 'extends', parent, rest: [question] } as const;
    const response = completedResponse(receivedOf({ usage: usage(100) }), { ...sentOf({}), parent, plan });
    expect(response).toMatchObject({
      parent: 'resp_0',
      context: { since: parent.time, bytes: replayInputBytes([question, answer]) },
    });
    expect(response?.context).not.toHaveProperty('tokens');
  });

  test.each<[string, Fields]>([
    ['without an ID', { id: '' }],
    ['that is incomplete', { body: { status: 'incomplete' } }],
    ['of a request with another context', { request: { conversationId: 'conv_1' } }],
    ['with more items than the model returned', { body: { output: [{}, {}] } }],
    ['with fewer items than the model returned', { body: { output: [] } }],
  ])('a response %s is not recorded', (_what, fields) => {
    expect(completed(fields)).toBeUndefined();
  });

  test('a response whose ID is no text is not recorded', () => {
    expect(completedResponse({ ...receivedOf({}), id: undefined }, sentOf({}))).toBeUndefined();
  });

  test.each([undefined, null, 'a text', ['a list'], {}])(
    'a completed response with the body %j has no model and is stored as its request says',
    (body) => {
      expect(completed({ body })).toMatchObject({ model: undefined, store: true });
      expect(completed({ body, request: { modelSettings: { store: false } } })).toMatchObject({
        store: false,
      });
    },
  );

  test('a completed response that ends with calls names them', () => {
    const output = [call('c1', 'look', {}), call('c2', 'look', {})];
    expect(completed({ output })?.context.open).toEqual(['c1', 'c2']);
    expect(completed()?.context).not.toHaveProperty('open');
  });

  test('a completed response behind a history reference has the length and the digest of its whole context', () => {
    const digest = extendContext(EMPTY_DIGEST, [user('a'), assistant('b')]);
    const reference = historyReferenceItem({ sessionId: 'conv_1', version: 1, length: 2, digest });
    const context = completed({ request: { input: [reference, question] }, usage: usage(100) })?.context;
    expect(context).toMatchObject({ length: 4, digest: extendContext(digest, [question, answer]) });
    // The size of the history is unknown.
    expect(context).not.toHaveProperty('tokens');
  });
});

describe('the tokens of a context', () => {
  test('the tokens of a context are those of the request and of a message, less an overhead', () => {
    expect(tokensOf({ usage: usage(100, 50) })).toEqual({
      least: 134,
      reasoning: 0,
      frame: expect.stringMatching(/^[\w-]{12}$/),
    });
    expect(tokensOf({ usage: usage(100, 17) })?.least).toBe(101);
    for (const short of [16, 3, 0, undefined, 'many'])
      expect(tokensOf({ usage: usage(100, short) })?.least).toBe(100);
  });

  test.each<[unknown, number]>([
    [[{ reasoning_tokens: 30 }], 94],
    [{ reasoning_tokens: 30 }, 94],
    [[{ reasoning_tokens: 30 }, {}, null, { reasoning_tokens: 'few' }, { reasoning_tokens: 2 }], 96],
  ])('the tokens of a context count no output with reasoning: %j', (details, reasoning) => {
    expect(tokensOf({ usage: usage(100, 50, details) })).toMatchObject({ least: 100, reasoning });
  });

  test('the tokens of a context count no output with a reasoning item or a call', () => {
    expect(tokensOf({ usage: usage(100, 50), output: [thought, answer] })).toMatchObject({
      least: 100,
      reasoning: 64,
    });
    expect(tokensOf({ usage: usage(100, 50), output: [answer, call('c1', 'look', {})] })).toMatchObject({
      least: 100,
      reasoning: 0,
    });
  });

  test.each<[string, Fields]>([
    ['the server counts none', { usage: undefined }],
    ['the usage is no object', { usage: 'many' }],
    ['the server counts no input', { usage: usage(0, 50) }],
    ['the count is no number', { usage: usage('100', 50) }],
    ['the request holds reasoning', { usage: usage(100), request: { input: [question, thought, answer] } }],
    [
      'an item of the request takes another number each time',
      {
        usage: usage(100),
        request: { input: [{ type: 'compaction', encrypted_content: 'x' }, question] },
      },
    ],
    [
      'an item of the response takes another number each time',
      {
        usage: usage(100),
        output: [{ type: 'hosted_tool_call', id: 'ws_1', name: 'web_search_call' }],
      },
    ],
    ['the server may truncate the context', { usage: usage(100), request: settings({ truncation: 'auto' }) }],
    [
      'the body lets the server truncate the context',
      { usage: usage(100), request: settings({ providerData: { truncation: 'auto' } }) },
    ],
    [
      'the server manages the context',
      { usage: usage(100), request: settings({ contextManagement: [{ type: 'compaction' }] }) },
    ],
    [
      'the body lets the server manage the context',
      { usage: usage(100), request: settings({ providerData: { context_management: [] } }) },
    ],
    ['the tokens of the parent are unknown', { usage: usage(100), behind: { server: HERE } }],
  ])('the tokens of a context are unknown if %s', (_why, fields) => {
    expect(completed(fields)?.context).not.toHaveProperty('tokens');
    expect(completed(fields)?.context).not.toHaveProperty('doubtful');
  });

  test('the tokens of a context are known if the server may not truncate it', () => {
    const request = settings({ truncation: 'disabled', providerData: { truncation: 'disabled' } });
    expect(tokensOf({ usage: usage(100), request })).toBeDefined();
  });

  test('the tokens of a context behind a parent may lack the reasoning of its chain', () => {
    const behind = { server: HERE, tokens: { least: 80, reasoning: 30, frame: frameOf() ?? '' } };
    expect(tokensOf({ behind, usage: usage(100, 50) })).toMatchObject({ least: 104, reasoning: 30 });
    expect(tokensOf({ behind, usage: usage(100, 50, { reasoning_tokens: 6 }) })).toMatchObject({
      least: 70,
      reasoning: 100,
    });
    // Only the items behind the parent were sent: reasoning before them does not count.
    const request = { input: [thought, answer, question] };
    expect(tokensOf({ behind, request, usage: usage(100) })).toMatchObject({ least: 70 });
  });

  test('a response that counts fewer tokens than the context of its parent is doubtful', () => {
    const behind = { server: HERE, tokens: { least: 80, reasoning: 0, frame: frameOf() ?? '' } };
    expect(completed({ behind, usage: usage(80) })?.context).not.toHaveProperty('doubtful');
    const doubtful = completed({ behind, usage: usage(79) })?.context;
    expect(doubtful).toMatchObject({ doubtful: true });
    expect(doubtful).not.toHaveProperty('tokens');
    for (const known of [
      { behind, usage: undefined },
      { behind, usage: usage(79), request: { systemInstructions: 'Be brief' } },
      { behind: { server: HERE }, usage: usage(79) },
      { usage: usage(79) },
    ])
      expect(completed(known)?.context).not.toHaveProperty('doubtful');
  });

  test.each<[string, Partial<ModelRequest>]>([
    ['instructions', { systemInstructions: 'Be brief' }],
    ['tools', { tools: [{ type: 'hosted_tool', name: 'web_search', providerData: {} }] }],
    [
      'handoffs',
      {
        handoffs: [
          {
            toolName: 'transfer',
            toolDescription: '',
            inputJsonSchema: {
              type: 'object',
              properties: {},
              required: [],
              additionalProperties: false,
            },
            strictJsonSchema: true,
          },
        ],
      },
    ],
    [
      'output type',
      {
        outputType: {
          type: 'json_schema',
          name: 'one',
          strict: true,
          schema: { type: 'object', properties: {}, required: [], additionalProperties: false },
        },
      },
    ],
    ['choice of tools', settings({ toolChoice: 'required' })],
    ['parallel calls', settings({ parallelToolCalls: true })],
    ['reasoning', settings({ reasoning: { effort: 'low' } })],
    ['text', settings({ text: { verbosity: 'low' } })],
    ['fields of the body', settings({ providerData: { user: 'me' } })],
  ])('the tokens of a context have another frame for other %s', (_what, request) => {
    expect(frameOf(request)).toMatch(/^[\w-]{12}$/);
    expect(frameOf(request)).not.toBe(frameOf());
    expect(frameOf(request)).toBe(frameOf({ ...request, input: [user('another'), result('c1', 'f', 'x')] }));
  });

  test('the tokens of a context have the same frame for other settings of the sampling', () => {
    expect(frameOf(settings({ temperature: 0, maxTokens: 5 }))).toBe(frameOf());
  });
});

function settings(modelSettings: ModelRequest['modelSettings']): Partial<ModelRequest> {
  return { modelSettings };
}
