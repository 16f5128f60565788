import { Agent, tool } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createSimulator, type Reply, type RequestMatch } from '../../../mocks/core.ts';
import { clientOf, collect, refusalOf } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

const weather = tool({
  name: 'get_weather',
  description: 'The weather',
  parameters: z.object({ city: z.string() }),
  execute: ({ city }) => `rain in ${city}`,
});

describe('replies', () => {
  it('replies of a rule are given once each, in order, and lasting ones for ever', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.when({ input: 'hi' }).reply('one', 'two');
    simulator.when({}).always('always');
    const texts = [];
    for (let request = 0; request < 4; request += 1)
      texts.push((await client.responses.create(hi)).output_text);
    expect(texts).toEqual(['one', 'two', 'always', 'always']);
  });

  it('a reply is a text, JSON, tool calls, a refusal, or made of the request', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.when({}).reply(
      { json: { sky: 'clear' } },
      { calls: [{ name: 'get_weather', arguments: { city: 'Oslo' } }] },
      { refusal: 'No.' },
      (context, { model }) => `${model} saw ${context.length}`,
      () => undefined,
    );
    const outputs = [];
    for (let request = 0; request < 5; request += 1)
      outputs.push((await client.responses.create(hi)).output[0]);
    expect(outputs).toMatchObject([
      { content: [{ text: '{"sky":"clear"}' }] },
      { type: 'function_call', name: 'get_weather', arguments: '{"city":"Oslo"}' },
      { content: [{ type: 'refusal', refusal: 'No.' }] },
      { content: [{ text: 'gpt-4.1 saw 1' }] },
      { content: [{ text: 'Answer 1: I see 1 item (1u): u "hi"' }] },
    ]);
  });

  it.each([false, true])('an error of a reply is the status of the request (stream: %s)', async (stream) => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    simulator.when({}).reply({ status: 429, code: 'slow_down', message: 'Slowly', retryAfter: 2 }, 'fine');
    expect(await refusalOf(client.responses.create({ ...hi, stream }))).toMatchObject({
      status: 429,
      code: 'slow_down',
      message: 'Slowly',
    });
    expect(simulator.snapshot().responses).toEqual([]);
    expect((await client.responses.create(hi)).output_text).toBe('fine');
  });

  it.each([
    [429, 'rate_limit_exceeded', 'Rate limit reached for requests'],
    [401, 'invalid_api_key', 'Incorrect API key provided'],
    [403, null, 'The request was refused (403).'],
    [503, null, 'The server had an error while processing your request. Sorry about that!'],
  ])('an error of the status %i alone has words that fit', async (status, code, message) => {
    const simulator = createSimulator();
    simulator.when({}).reply({ status });
    expect(await refusalOf(clientOf(simulator).responses.create(hi))).toMatchObject({
      status,
      code,
      message,
    });
  });

  it('raw items get the fields that the API gives each of their type', async () => {
    const simulator = createSimulator();
    const content = [{ type: 'output_text', text: 'raw' }];
    simulator.when({}).reply({ items: [{ type: 'web_search_call' }, { role: 'assistant', content }] });
    expect((await clientOf(simulator).responses.create(hi)).output).toMatchObject([
      { type: 'web_search_call', status: 'completed', id: expect.stringMatching(/^ws_/) },
      {
        type: 'message',
        status: 'completed',
        content: [{ type: 'output_text', text: 'raw', annotations: [], logprobs: [] }],
      },
    ]);
  });

  it('a client that retries gets the reply after the error', async () => {
    const simulator = createSimulator();
    simulator.when({}).reply({ status: 500, headers: { 'retry-after-ms': '1' } }, 'fine');
    const { output_text: text } = await simulator.client({ maxRetries: 1 }).responses.create(hi);
    expect(text).toBe('fine');
  });
});

describe('matches', () => {
  const other = { ...hi, model: 'gpt-5.4' };
  it.each<[RequestMatch, boolean]>([
    [{ model: 'gpt-4.1' }, true],
    [{ model: 'gpt-4' }, false],
    [{ model: /^gpt-4/g }, true],
    [{ input: 'h' }, true],
    [{ input: /^hi$/g }, true],
    [{ input: /bye/ }, false],
    [{ model: 'gpt-4.1', input: 'bye' }, false],
    [{ tool: 'get_weather' }, false],
    [{}, true],
  ])('the match %j fits a request: %s', async (match, isFitting) => {
    const simulator = createSimulator();
    simulator.when(match).always('fits');
    simulator.when({}).always('other');
    const client = clientOf(simulator);
    // Twice: a pattern with the flag g keeps its place otherwise.
    for (let request = 0; request < 2; request += 1)
      expect((await client.responses.create(hi)).output_text).toBe(isFitting ? 'fits' : 'other');
    expect((await client.responses.create({ ...other, input: 'x' })).output_text).toBe(
      Object.keys(match).length === 0 ? 'fits' : 'other',
    );
  });

  it('an agent goes through a tool call by two lasting rules', async () => {
    const simulator = createSimulator();
    simulator.when({ tool: 'get_weather' }).always((context) => `done after ${context.length}`);
    simulator.when({ input: /weather/ }).always({
      calls: ['Oslo', 'Rome'].map((city) => ({ name: 'get_weather', arguments: { city } })),
    });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });
    const result = await simulator.runner().run(agent, 'the weather?');
    expect(result.finalOutput).toBe('done after 5');
  });

  it('agents are told by their instructions', async () => {
    const simulator = createSimulator();
    const billing = new Agent({ name: 'Billing', model: 'gpt-4.1', instructions: 'You bill.' });
    const triage = Agent.create({
      name: 'Triage',
      model: 'gpt-4.1',
      instructions: 'You choose.',
      handoffs: [billing],
    });
    simulator.when({ agent: triage }).reply({ calls: [{ name: 'transfer_to_Billing' }] });
    simulator.when({ agent: billing }).reply('Paid.');
    expect((await simulator.runner().run(triage, 'pay')).finalOutput).toBe('Paid.');
  });
});

describe('a request that no rule fits', () => {
  it('a request that no rule fits is refused with the reason of each rule', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const agent = new Agent({ name: 'A', instructions: 'You bill.' });
    simulator.when({ input: /hi/ }).reply('once');
    simulator.when({ model: 'gpt-5', input: /hi/ }).reply('a', 'b');
    simulator.when({ input: 'bye' }).always('x');
    simulator.when({ tool: 'get_weather' }).always('x');
    simulator.when({ agent }).always('x');
    await client.responses.create(hi);
    for (const stream of [false, true])
      expect(await refusalOf(client.responses.create({ ...hi, stream }))).toEqual({
        status: 400,
        code: 'no_scripted_reply',
        param: null,
        message:
          'The simulator has no reply for this request. ' +
          '1. when({ input: /hi/ }): its reply is given. ' +
          '2. when({ model: "gpt-5", input: /hi/ }): the model is gpt-4.1. ' +
          '3. when({ input: "bye" }): the input is "hi". ' +
          '4. when({ tool: "get_weather" }): the newest item is no tool output. ' +
          '5. when({ agent: … }): the instructions are others.',
      });
  });

  it('respond() answers a request that no rule fits', async () => {
    const simulator = createSimulator({
      respond: (context) => (context.length === 1 ? 'from respond' : undefined),
    });
    const client = clientOf(simulator);
    simulator.when({ input: 'bye' }).always('scripted');
    expect((await client.responses.create(hi)).output_text).toBe('from respond');
    expect((await client.responses.create({ ...hi, input: 'bye' })).output_text).toBe('scripted');
    const input = ['a', 'b'].map((content) => ({ role: 'user' as const, content }));
    expect((await client.responses.create({ ...hi, input })).output_text).toContain('I see 2 items');
  });

  it('the built-in model answers again when the rules are taken back, or the simulator is reset', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const lift = simulator.when({ input: 'bye' }).always('x');
    await expect(client.responses.create(hi)).rejects.toThrow('no reply');
    lift();
    expect((await client.responses.create(hi)).output_text).toContain('I see');
    simulator.when({ input: 'bye' }).reply('x');
    simulator.reset();
    expect((await client.responses.create(hi)).output_text).toContain('I see');
  });
});

describe('a script that makes no sense', () => {
  it.each<[RequestMatch, RegExp]>([
    [{ inputs: 'x' } as object, /the match has no field "inputs"; there are model, input, tool, agent/],
    [{ input: 5 } as object, /"input" must be a text or a pattern/],
    [undefined as never, /the match must be an object/],
    [{ agent: new Agent({ name: 'A', instructions: () => 'x' }) }, /"agent" must have instructions/],
    [{ agent: new Agent({ name: 'A' }) }, /"agent" must have instructions/],
  ])('the match %o is refused', (match, words) => {
    expect(() => createSimulator().when(match)).toThrow(words);
  });

  it.each<[Reply, RegExp]>([
    [{ txt: 'x' } as object, /it has no field "txt"; there are text, json, calls/],
    [{ status: 500, text: 'x' }, /it has no field "text"; there are status, type/],
    [{ text: 'x', pace: { rate: 0 } }, /"pace.rate" must be more than 0, but it is 0/],
    [{ text: 'x', pace: { rat: 1 } as object }, /"pace" has no field "rat"; there are firstToken, rate/],
    [5 as never, /"reply" must be a text, an object or a function, but it is an integer/],
    [{ text: 5 } as object, /"text" must be a text, but it is an integer/],
    [{ calls: [{ name: 'f', args: {} }] as never }, /"calls\[0\]" has no field "args"; there are name, arg/],
    [{ calls: [{}] as never }, /"calls\[0\].name" must be a text/],
    [{ calls: { name: 'f' } as never }, /"calls" must be an array, but it is an object/],
    [{ items: ['x'] as never }, /"items\[0\]" must be an object, but it is a string/],
    [{ incomplete: true as never }, /"incomplete" cannot be true; there are max_output_tokens, content_f/],
    [{ failed: { code: 'server_error' } as never }, /"failed.message" must be a text/],
    [{ items: [{}] }, /"items\[0\].content" must be an array/],
    [
      { items: [{ role: 'assistant', content: 'hi' }] },
      /"items\[0\].content" must be an array, but it is a s/,
    ],
    [
      { items: [{ type: 'function_call', name: 'f', arguments: '{}' }] },
      /"items\[0\].call_id" must be there/,
    ],
    [{ status: 429, headers: { 'x y': 'z' } }, /"headers" must be an object of headers/],
    [{ status: 200 }, /"status" must be from 400 to 599, but it is 200/],
  ])('the reply %j is refused', (reply, words) => {
    expect(() => createSimulator().when({}).reply('fine', reply)).toThrow(words);
    expect(() => createSimulator().when({}).always(reply)).toThrow(words);
  });

  it('the answer of a function that makes no sense is an error of the server', async () => {
    const simulator = createSimulator({ respond: () => ({ txt: 'x' }) as object });
    const client = clientOf(simulator);
    const words = /respond\(\) threw: Cannot script a reply: it has no field "txt"/;
    expect(await refusalOf(client.responses.create(hi))).toMatchObject({
      status: 500,
      message: expect.stringMatching(words),
    });
    simulator.when({}).always(() => ({ txt: 'x' }) as object);
    expect(await refusalOf(client.responses.create(hi))).toMatchObject({
      status: 500,
      message: expect.stringMatching(words),
    });
  });

  it('no reply at all is refused', () => {
    expect(() => createSimulator().when({}).reply()).toThrow('Cannot script a reply: there is none');
  });
});

const elapsed = async (task: () => Promise<unknown>): Promise<number> => {
  const before = performance.now();
  await task();
  return performance.now() - before;
};

describe('the pace of an answer', () => {
  it('a stream keeps the time to the first token and the rate', async () => {
    const simulator = createSimulator({ pace: { firstToken: 60, rate: 100 } });
    const client = clientOf(simulator);
    simulator.when({}).always('one two three four');
    const times: Record<string, number> = {};
    const before = performance.now();
    for await (const event of await client.responses.create({ ...hi, stream: true }))
      times[event.type] ??= performance.now() - before;
    const first = times['response.output_text.delta'] ?? 0;
    expect(first - (times['response.content_part.added'] ?? 0)).toBeGreaterThan(65);
    expect((times['response.completed'] ?? 0) - first).toBeGreaterThan(28);
  });

  it('a whole answer comes when its stream would end, and a reply has a pace of its own', async () => {
    const simulator = createSimulator({ pace: { rate: 0.001 } });
    const client = clientOf(simulator);
    simulator.when({}).always({ text: 'one two three four', pace: { firstToken: 60, rate: 100 } });
    expect(await elapsed(() => client.responses.create(hi))).toBeGreaterThan(95);
    const stream = await client.responses.create({ ...hi, stream: true });
    expect(await elapsed(() => collect(stream))).toBeGreaterThan(90);
    simulator.reset();
    simulator.when({}).always({ text: '', pace: { firstToken: 1e9 } });
    expect((await client.responses.create(hi)).output_text).toBe('');
  });

  it.each<[object, string]>([
    [{ firstToken: -1 }, '"pace.firstToken" must be at least 0, but it is -1'],
    [{ rate: Number.NaN }, '"pace.rate" must be more than 0, but it is NaN'],
    [{ speed: 1 }, '"pace" has no field "speed"; there are firstToken, rate'],
  ])('the pace %j is refused', (pace, words) => {
    expect(() => createSimulator({ pace })).toThrow(new RangeError(`Cannot create the simulator: ${words}`));
  });
});
