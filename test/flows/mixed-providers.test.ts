import { Agent, OpenAIChatCompletionsModel, Usage, type AgentInputItem, type Model } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, chainedModel, type HybridSessionOptions } from '../../src/index.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { chatClient } from '../runner/chat-client.ts';
import { assistantAgent, converse, historyOf, listOf, recorder } from './support/story.ts';

/** A model behind an adapter like the AI SDK's: it notes its name, and its provider's own data, in every item. */
class AdaptedModel implements Model {
  readonly inputs: (string | readonly AgentInputItem[])[] = [];

  async getResponse({ input }: Parameters<Model['getResponse']>[0]): ReturnType<Model['getResponse']> {
    this.inputs.push(structuredClone(input));
    const providerData = { model: 'anthropic:claude', responseId: 'msg_0', anthropic: { signature: 'abc' } };
    const call = {
      type: 'function_call',
      callId: `call_${this.inputs.length}`,
      name: 'get_weather',
    } as const;
    const asksTool = this.inputs.length === 1;
    return {
      usage: new Usage(),
      responseId: `msg_${this.inputs.length}`,
      output: [
        {
          type: 'reasoning',
          id: `reasoning-${this.inputs.length}`,
          content: [{ type: 'input_text', text: 'hm' }],
          rawContent: [{ type: 'reasoning_text', text: 'hm' }],
          providerData,
        },
        asksTool
          ? { ...call, arguments: '{"city":"Oslo"}', status: 'completed', providerData }
          : {
              type: 'message',
              role: 'assistant',
              status: 'completed',
              content: [{ type: 'output_text', text: 'hello' }],
              providerData,
            },
      ],
    };
  }

  // oxlint-disable-next-line class-methods-use-this, require-yield
  async *getStreamedResponse(): ReturnType<Model['getStreamedResponse']> {
    throw new Error('Nobody streams');
  }
}

const cached: AgentInputItem = {
  type: 'message',
  role: 'user',
  content: [
    { type: 'input_text', text: 'hi', providerData: { anthropic: { cacheControl: { type: 'ephemeral' } } } },
  ],
  providerData: { anthropic: { cacheControl: { type: 'ephemeral' } } },
};

const reasons = assistantAgent('gpt-5');

function refusals({ simulator }: Simulated): unknown[] {
  return simulator.log.filter(({ status }) => (status ?? 0) >= 400).map(({ operation }) => operation);
}

const WAYS = [
  { way: 'run() of the SDK', runnerOf: ({ client }: Simulated) => simulatedRunner(client) },
  { way: 'HybridRunner', runnerOf: () => new HybridRunner({ tracingDisabled: true }) },
];

const OPTIONS: readonly HybridSessionOptions[] = [{}, { rollout: 'rebuild' }, { keepContent: false }];

describe.each(WAYS)('with $way', ({ runnerOf }) => {
  it.each(OPTIONS)("a session goes on with OpenAI's model after an adapted one, with %j", async (options) => {
    const world = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client: world.client, onEvent, ...options });
    const runner = runnerOf(world);
    const agent = reasons.clone({ model: chainedModel(new AdaptedModel()) });
    await runner.run(agent, [cached], { session });
    const [answer] = await converse(runner, session, ['thanks'], { agent: reasons });
    expect(answer).toContain('I see 5 items (2u 1c 1r 1a)');
    const [last] = await converse(runner, session, ['bye'], { agent: reasons });
    expect(last).toMatch(/I see [78] items/);
    expect(refusals(world)).toEqual([]);
    // Another provider's reasoning is all that no conversation can hold.
    expect(of('mirror_skipped').map(({ itemKind }) => itemKind)).toEqual(['reasoning', 'reasoning']);
    expect(listOf(world.simulator, await session.getSessionId())).toBe('u,c,r,a,u,t,a,u,t,a');
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], missing: [] });
  });

  it("a session goes on with OpenAI's model after a Chat Completions model", async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    const runner = runnerOf(world);
    const chat = new OpenAIChatCompletionsModel(chatClient('hello').client, 'chat');
    await converse(runner, session, ['hi'], { agent: reasons.clone({ model: chat }) });
    const [answer] = await converse(runner, session, ['thanks'], { agent: reasons });
    expect(answer).toContain('I see 3 items (2u 1a)');
    expect(refusals(world)).toEqual([]);
    expect(listOf(world.simulator, await session.getSessionId())).toBe('u,a,u,t,a');
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it("the history keeps another provider's fields", async () => {
    const world = simulated();
    const session = new HybridSession({ client: world.client });
    await runnerOf(world).run(reasons.clone({ model: new AdaptedModel() }), [cached], { session });
    const [message, step, call] = await session.getItems();
    expect(message).toMatchObject(cached);
    expect(step?.providerData).toMatchObject({ anthropic: { signature: 'abc' } });
    expect(call?.providerData).toMatchObject({ model: 'anthropic:claude', anthropic: { signature: 'abc' } });
  });
});

describe('a handoff in one run', () => {
  it.each(['adapted', 'chat'] as const)(
    'a handoff from an %s model leaves its fields out of the next request',
    async (kind) => {
      const world = simulated();
      const session = new HybridSession({ client: world.client });
      const specialist = new Agent({ name: 'Specialist', model: 'gpt-5' });
      const model: Model = {
        getResponse: async () => ({
          usage: new Usage(),
          responseId: 'chatcmpl_1',
          output: [
            {
              type: 'message',
              role: 'assistant',
              status: 'completed',
              id: kind === 'chat' ? 'chatcmpl_1' : '0',
              content: [
                {
                  type: 'output_text',
                  text: 'one moment',
                  providerData: { role: 'assistant', refusal: null, annotations: [URL_CITATION] },
                },
              ],
              providerData: kind === 'chat' ? { extra_content: {} } : { model: 'a:b', responseId: 'x' },
            },
            {
              type: 'function_call',
              id: 'chatcmpl_1',
              callId: 'call_1',
              name: 'transfer_to_Specialist',
              arguments: '{}',
              status: 'completed',
              providerData: { type: 'function', extra_content: { google: { thought_signature: 'x' } } },
            },
          ],
        }),
        // oxlint-disable-next-line require-yield
        async *getStreamedResponse() {
          throw new Error('Nobody streams');
        },
      };
      const triage = Agent.create({ name: 'Triage', model, handoffs: [specialist] });
      const result = await new HybridRunner({ tracingDisabled: true }).run(triage, 'hi', { session });
      expect(String(result.finalOutput)).toContain('I see 4 items (1u 1a 1c 1r)');
      expect(refusals(world)).toEqual([]);
    },
  );
});

const URL_CITATION = {
  type: 'url_citation',
  url_citation: { start_index: 0, end_index: 1, title: 't', url: 'https://example.com' },
};

describe('the provider that made the items', () => {
  it('the provider of the items gets its fields and its reasoning back on later turns', async () => {
    const world = simulated();
    const model = new AdaptedModel();
    const session = new HybridSession({ client: world.client });
    const agent = reasons.clone({ model: chainedModel(model) });
    const runner = new HybridRunner({ tracingDisabled: true });
    await runner.run(agent, [cached], { session });
    await runner.run(agent, 'thanks', { session });
    const [message, step, call, result, again, answer] = model.inputs.at(-1) ?? [];
    expect(message).toMatchObject(cached);
    expect(step).toMatchObject({ type: 'reasoning', providerData: { anthropic: { signature: 'abc' } } });
    expect(call).toMatchObject({ type: 'function_call', providerData: { model: 'anthropic:claude' } });
    expect([result, again]).toMatchObject([{ type: 'function_call_result' }, { type: 'reasoning' }]);
    expect(answer).toMatchObject({ role: 'assistant', providerData: { model: 'anthropic:claude' } });
  });

  it("a provider's fields are lost if the SDK's runner does not tell the next model", async () => {
    const world = simulated();
    const model = new AdaptedModel();
    const session = new HybridSession({ client: world.client });
    const agent = reasons.clone({ model });
    const runner = simulatedRunner(world.client);
    await runner.run(agent, [cached], { session });
    await runner.run(agent, 'thanks', { session });
    expect(model.inputs.at(-1)?.[0]).toMatchObject({
      role: 'user',
      content: [{ type: 'input_text', text: 'hi' }],
    });
    expect(JSON.stringify(model.inputs.at(-1))).not.toContain('ephemeral');
  });

  it("a provider's fields are lost if an agent calls its own model past the boundary", async () => {
    const world = simulated();
    const model = new AdaptedModel();
    const session = new HybridSession({ client: world.client });
    const runner = new HybridRunner({ tracingDisabled: true });
    await runner.run(reasons.clone({ model }), [cached], { session });
    await runner.run(reasons.clone({ model }), 'thanks', { session });
    expect(JSON.stringify(model.inputs.at(-1))).not.toContain('ephemeral');
  });
});

it('a request is repeated once without the fields that the server does not know', async () => {
  const world = simulated();
  const { onEvent, of } = recorder();
  const session = new HybridSession({ client: world.client, rollout: 'rebuild', onEvent });
  const { client } = world;
  const pass = client.fetchWithTimeout.bind(client);
  let refused = 0;
  let answered = 0;
  client.fetchWithTimeout = async (url, init, ...rest) => {
    const body = typeof init?.body === 'string' ? init.body : '';
    if (body.includes('"note"')) {
      refused += 1;
      const error = {
        message: "Unknown parameter: 'input[1].note'.",
        type: 'invalid_request_error',
        param: 'input[1].note',
        code: 'unknown_parameter',
      };
      return Response.json({ error }, { status: 400 });
    }
    const response = await pass(url, init, ...rest);
    if (!body.includes('get_weather') || (answered += 1) > 1) return response;
    // A field that this server adds to its calls, and does not take back.
    const text = await response.text();
    return new Response(
      text.replace('"type":"function_call"', '"type":"function_call","note":"x"'),
      response,
    );
  };
  const [answer] = await converse(
    new HybridRunner({ tracingDisabled: true }),
    session,
    ['call get_weather {"city":"Oslo"}'],
    { agent: assistantAgent('gpt-4.1') },
  );
  expect(answer).toContain('sunny in Oslo');
  expect(refused).toBe(1);
  expect(of('foreign_fields_left_out')).toEqual([
    expect.objectContaining({
      code: 'foreign_fields_left_out',
      count: 1,
      ids: [expect.stringMatching(/^fc_/)],
    }),
  ]);
  expect(await historyOf(session)).toBe('u,c,r,a');
});
