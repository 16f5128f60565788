import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { clientOf, refusalOf } from '../support.ts';

const tool = (name: string): { type: 'function'; name: string; parameters: object; strict: boolean } => ({
  type: 'function',
  name,
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
});

const TOOLS = [tool('get_weather'), tool('transfer_to_billing')] as never[];

describe('the built-in model', () => {
  it('an answer names all items in the context, earlier answers by number, foreign ones in short', async () => {
    const client = clientOf(createSimulator());
    const response = await client.responses.create({
      model: 'gpt-4.1',
      input: [
        { role: 'system', content: 'be   brief' },
        { role: 'developer', content: 'be kind' },
        { role: 'user', content: `a text ${'that goes on and on '.repeat(10)}` },
        { role: 'assistant', content: 'said by another model' },
        { type: 'function_call', call_id: 'c1', name: 'get_weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c1', output: 'rain' },
        { role: 'assistant', content: 'Answer 1: I see 1 item' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'look' },
            { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
            { type: 'input_file', file_id: 'file_1' },
          ],
        },
      ],
    });
    expect(response.output_text).toBe(
      'Answer 2: I see 8 items (1s 1d 2u 2a 1c 1r): s "be brief", d "be kind", u "a text that goes on and on that goes on…", a "said by another model", c get_weather, r "rain", a1, u "look" +image +file',
    );
  });

  it('an answer stays short for a long context', async () => {
    const client = clientOf(createSimulator());
    const input = Array.from({ length: 400 }, (_, turn) => [
      { role: 'user' as const, content: `question ${turn}` },
      { role: 'assistant' as const, content: `Answer ${turn + 1}: ${'x'.repeat(500)}` },
    ]).flat();
    const { output_text: text } = await client.responses.create({ model: 'gpt-4.1', input });
    expect(text).toMatch(/^Answer 400: I see 800 items \(400u 400a\): u "question 0", a1, .*… 784 more …/);
    expect(text.length).toBeLessThan(400);
  });

  it('the built-in model calls the named tools, several at once, and quotes their outputs', async () => {
    const client = clientOf(createSimulator());
    const asked = await client.responses.create({
      model: 'gpt-4.1',
      input: 'call get_weather {"city":"Oslo","deep":{"a":[1]}} and call get_weather, call unknown_tool',
      tools: TOOLS,
    });
    expect(asked.output).toMatchObject([
      { type: 'function_call', name: 'get_weather', arguments: '{"city":"Oslo","deep":{"a":[1]}}' },
      { type: 'function_call', name: 'get_weather', arguments: '{"city":""}' },
    ]);
    const answered = await client.responses.create({
      model: 'gpt-4.1',
      previous_response_id: asked.id,
      tools: TOOLS,
      input: asked.output.map((item, index) => ({
        type: 'function_call_output' as const,
        call_id: item.type === 'function_call' ? item.call_id : '',
        output: `weather ${index}`,
      })),
    });
    expect(answered.output_text).toMatch(
      /^Answer 1: I see 5 items \(1u 2c 2r\): .*\. The tools said "weather 0" and "weather 1"$/,
    );
  });

  it('the built-in model calls tools in turn if the user says "then"', async () => {
    const client = clientOf(createSimulator());
    let response = await client.responses.create({
      model: 'gpt-4.1',
      input: 'call get_weather then call transfer_to_billing {"city":"Rome"}',
      tools: TOOLS,
    });
    const called: string[] = [];
    for (let [call] = response.output; call?.type === 'function_call'; [call] = response.output) {
      called.push(call.name);
      response = await client.responses.create({
        model: 'gpt-4.1',
        previous_response_id: response.id,
        tools: TOOLS,
        input: [{ type: 'function_call_output', call_id: call.call_id, output: 'done' }],
      });
    }
    expect(called).toEqual(['get_weather', 'transfer_to_billing']);
    expect(response.output_text).toContain('The tools said "done" and "done"');
  });

  it('tool_choice forbids or forces a call', async () => {
    const client = clientOf(createSimulator());
    const create = async (
      choice: 'none' | 'required' | { type: 'function'; name: string },
    ): Promise<unknown> => {
      const input = choice === 'none' ? 'call get_weather' : 'hi';
      return (await client.responses.create({ model: 'gpt-4.1', input, tools: TOOLS, tool_choice: choice }))
        .output;
    };
    expect(await create('none')).toMatchObject([{ type: 'message' }]);
    expect(await create('required')).toMatchObject([{ name: 'get_weather', arguments: '{"city":""}' }]);
    expect(await create({ type: 'function', name: 'transfer_to_billing' })).toMatchObject([
      { name: 'transfer_to_billing' },
    ]);
  });

  it('the built-in model calls custom tools with text', async () => {
    const client = clientOf(createSimulator());
    const { output } = await client.responses.create({
      model: 'gpt-4.1',
      input: 'call grep {"pattern":"x"}',
      tools: [{ type: 'custom', name: 'grep' }],
    });
    expect(output).toMatchObject([
      { type: 'custom_tool_call', id: expect.stringMatching(/^ctc_/), input: '{"pattern":"x"}' },
    ]);
  });

  it('the built-in model refuses if the user asks for it', async () => {
    const client = clientOf(createSimulator());
    const { output } = await client.responses.create({ model: 'gpt-4.1', input: 'now please\nRefuse\n' });
    expect(output).toMatchObject([
      { content: [{ type: 'refusal', refusal: "I'm sorry, but I can't help with that." }] },
    ]);
  });

  it('the built-in model answers with JSON that fits the schema', async () => {
    const client = clientOf(createSimulator());
    const schema = {
      type: 'object',
      properties: {
        text: { type: 'string' },
        kind: { enum: ['a', 'b'] },
        fixed: { const: 7 },
        count: { type: 'integer', minimum: 3 },
        half: { type: 'number', exclusiveMinimum: 1, multipleOf: 0.5 },
        yes: { type: 'boolean' },
        maybe: { anyOf: [{ type: 'null' }, { $ref: '#/$defs/point' }] },
        points: { type: 'array', items: { $ref: '#/$defs/point' }, minItems: 2 },
        when: { type: ['null', 'string'], format: 'date-time' },
        short: { type: 'string', maxLength: 4 },
        tree: { $ref: '#/$defs/tree' },
        any: {},
      },
      $defs: {
        point: { type: 'object', properties: { x: { type: 'number', maximum: 0.5 } } },
        tree: { type: 'object', properties: { below: { $ref: '#/$defs/tree' } } },
      },
    };
    const format = { type: 'json_schema' as const, name: 'x', schema };
    const response = await client.responses.create({ model: 'gpt-4.1', input: 'hi', text: { format } });
    expect(JSON.parse(response.output_text)).toMatchObject({
      text: 'Answer 1: I see 1 item (1u): u "hi"',
      kind: 'a',
      fixed: 7,
      count: 3,
      half: 1.5,
      yes: true,
      maybe: { x: 0.5 },
      points: [{ x: 0.5 }, { x: 0.5 }],
      when: '2026-01-01T00:00:00Z',
      short: 'Answ',
      any: null,
    });
    const json = await client.responses.create({
      model: 'gpt-4.1',
      input: 'hi, in JSON',
      text: { format: { type: 'json_object' } },
    });
    expect(JSON.parse(json.output_text)).toEqual({ answer: 'Answer 1: I see 1 item (1u): u "hi, in JSON"' });
  });

  it('the built-in model calls tools of a namespace and of items by their namespace and type', async () => {
    const client = clientOf(createSimulator());
    const find = { type: 'function' as const, name: 'find', parameters: null, strict: false };
    const { output } = await client.responses.create({
      model: 'gpt-4.1',
      input: [
        {
          type: 'additional_tools',
          role: 'developer',
          tools: [
            {
              type: 'namespace',
              name: 'functions',
              description: '',
              tools: [{ type: 'custom', name: 'exec' }],
            },
          ],
        },
        { role: 'user', content: 'call exec {"code":"1"} call find {} call ask {}' },
      ],
      tools: [
        { type: 'namespace', name: 'crm', description: '', tools: [find] },
        { ...find, name: 'ask' },
      ],
    });
    expect(output).toMatchObject([
      { type: 'custom_tool_call', name: 'exec', namespace: 'functions', input: '{"code":"1"}' },
      { type: 'function_call', name: 'find', namespace: 'crm' },
      { type: 'function_call', name: 'ask' },
    ]);
    expect(output[2]).not.toHaveProperty('namespace');
  });

  it('the built-in model calls one tool after another where parallel calls are off', async () => {
    const client = clientOf(createSimulator());
    const input: OpenAI.Responses.ResponseInput = [
      { role: 'user', content: 'call get_weather call transfer_to_billing {"city":"Rome"}' },
    ];
    const called: string[][] = [];
    for (let round = 0; round < 3; round += 1) {
      const settings = { model: 'gpt-4.1', tools: TOOLS, parallel_tool_calls: false, store: false };
      const { output } = await client.responses.create({ ...settings, input });
      called.push(output.map((item) => (item.type === 'function_call' ? item.name : item.type)));
      for (const item of output)
        if (item.type === 'function_call')
          input.push(item, { type: 'function_call_output', call_id: item.call_id, output: 'done' });
    }
    expect(called).toEqual([['get_weather'], ['transfer_to_billing'], ['message']]);
  });

  it('the built-in model reasons first for reasoning models', async () => {
    const client = clientOf(createSimulator());
    const kinds = async (model: string): Promise<string[]> =>
      (await client.responses.create({ model, input: 'hi' })).output.map(({ type }) => type);
    expect(await kinds('o3')).toEqual(['reasoning', 'message']);
    expect(await kinds('gpt-5-mini')).toEqual(['reasoning', 'message']);
    expect(await kinds('gpt-5-chat-latest')).toEqual(['message']);
    expect(await kinds('gpt-5.4')).toEqual(['message']);
    expect(await kinds('gpt-4.1')).toEqual(['message']);
  });
});

describe('a script in place of the model', () => {
  it('a script gets the context and the request, and may answer in every way', async () => {
    const client = clientOf(
      createSimulator({
        respond(context, request) {
          if (context.length === 1) return `said ${String(request.instructions)}`;
          if (context.length === 3)
            return {
              reasoning: 'so',
              text: 'wait',
              calls: [{ name: 'f', arguments: { a: 1 }, callId: 'call_mine' }],
            };
          return undefined;
        },
      }),
    );
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one', instructions: 'this' });
    expect(first.output_text).toBe('said this');
    const second = await client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    expect(second.output).toMatchObject([
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'so' }] },
      { type: 'message', content: [{ text: 'wait' }] },
      { type: 'function_call', name: 'f', arguments: '{"a":1}', call_id: 'call_mine' },
    ]);
    const third = await client.responses.create({
      model: 'gpt-4.1',
      input: [{ type: 'function_call_output', call_id: 'call_mine', output: 'x' }],
      previous_response_id: second.id,
    });
    expect(third.output_text).toContain('I see 7 items');
  });

  it('a script may return items of hosted tools', async () => {
    const client = clientOf(
      createSimulator({
        respond: () =>
          Promise.resolve({
            items: [
              { type: 'web_search_call', status: 'completed' },
              { type: 'message', id: 'msg_mine', role: 'assistant', status: 'completed', content: [] },
            ],
          }),
      }),
    );
    const { output } = await client.responses.create({ model: 'gpt-4.1', input: 'search' });
    expect(output).toMatchObject([
      { type: 'web_search_call', id: expect.stringMatching(/^ws_/) },
      { id: 'msg_mine' },
    ]);
  });

  it('a script may end a response as incomplete or failed', async () => {
    const client = clientOf(
      createSimulator({
        respond: (context) =>
          context.length === 1
            ? { text: 'half', incomplete: 'content_filter' }
            : { failed: { code: 'server_error', message: 'no' } },
      }),
    );
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    expect(first).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } });
    const second = await client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    expect(second).toMatchObject({
      status: 'failed',
      error: { code: 'server_error', message: 'no' },
      output: [],
    });
    expect(
      await refusalOf(
        client.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: second.id }),
      ),
    ).toMatchObject({ code: 'previous_response_not_found' });
  });

  it('an error of a script becomes an error of the API, and no response is stored', async () => {
    const simulator = createSimulator({
      respond() {
        throw new Error('expected another question');
      },
    });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id })),
    ).toMatchObject({ status: 500, message: "The simulator's respond() threw: expected another question" });
    expect(simulator.snapshot().responses).toEqual([]);
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id })),
    ).toMatchObject({
      status: 500,
    });
  });

  it('a script cannot change its context', async () => {
    const simulator = createSimulator({
      respond(context) {
        Object.assign(context[0] ?? {}, { role: 'assistant' });
        return 'changed';
      },
    });
    expect(
      await refusalOf(clientOf(simulator).responses.create({ model: 'gpt-4.1', input: 'hi' })),
    ).toMatchObject({ status: 500, message: expect.stringContaining('Cannot assign to read only property') });
  });
});
