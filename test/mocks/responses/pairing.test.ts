import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator, outline } from '../../../mocks/index.ts';
import { clientOf, refusalOf } from '../support.ts';

const TOOL = {
  type: 'function',
  name: 'f',
  parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
  strict: true,
} as const;

const asked = (client: OpenAI): Promise<OpenAI.Responses.Response> =>
  client.responses.create({ model: 'gpt-4.1', input: 'call f call f', tools: [TOOL] });

const outputsOf = (
  response: OpenAI.Responses.Response,
): OpenAI.Responses.ResponseInputItem.FunctionCallOutput[] =>
  response.output.flatMap((item) =>
    item.type === 'function_call'
      ? [{ type: 'function_call_output', call_id: item.call_id, output: 'done' }]
      : [],
  );

describe('tool calls', () => {
  it('every tool call of the parent needs its output in the next request', async () => {
    const client = clientOf(createSimulator());
    const first = await asked(client);
    const outputs = outputsOf(first);
    const [one, two] = outputs;
    const next = (input: OpenAI.Responses.ResponseInput): Promise<OpenAI.Responses.Response> =>
      client.responses.create({ model: 'gpt-4.1', previous_response_id: first.id, input });
    expect(await refusalOf(next([{ role: 'user', content: 'and?' }]))).toMatchObject({
      status: 400,
      param: 'input',
      message: `No tool output found for function call ${one?.call_id}.`,
    });
    expect(await refusalOf(next(one ? [one] : []))).toMatchObject({
      message: `No tool output found for function call ${two?.call_id}.`,
    });
    expect((await next(outputs)).output_text).toContain('The tools said "done" and "done"');
  });

  it('every tool call of a conversation needs its output in the next request', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create({
      items: [{ type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' }],
    });
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id })),
    ).toMatchObject({ message: 'No tool output found for function call call_1.' });
  });

  it('an output with the ID of its call counts as no output', async () => {
    const client = clientOf(createSimulator());
    const first = await asked(client);
    const input = outputsOf(first).map((output, index) => ({ ...output, id: first.output[index]?.id ?? '' }));
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', previous_response_id: first.id, input })),
    ).toMatchObject({ message: expect.stringContaining('No tool output found for function call') });
  });
});

describe('items sent by their ID', () => {
  it('an item may not be sent twice by its ID, nor again along a chain', async () => {
    const client = clientOf(createSimulator());
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const link = { type: 'item_reference' as const, id: first.output[0]?.id ?? '' };
    const duplicate = {
      status: 400,
      code: null,
      param: 'input',
      message: `Duplicate item found with id ${link.id}. Remove duplicate items from your input and try again.`,
    };
    expect(await refusalOf(client.responses.create({ model: 'gpt-4.1', input: [link, link] }))).toEqual(
      duplicate,
    );
    expect(
      await refusalOf(
        client.responses.create({ model: 'gpt-4.1', input: [link], previous_response_id: first.id }),
      ),
    ).toEqual(duplicate);
  });
});

const reasoned = (client: OpenAI): Promise<OpenAI.Responses.Response> =>
  client.responses.create({
    model: 'gpt-5.4',
    input: 'call f',
    tools: [TOOL],
    reasoning: { effort: 'high' },
  });

describe('reasoning', () => {
  it('reasoning comes first, then commentary, then the call, and the final answer is marked as such', async () => {
    const client = clientOf(createSimulator());
    const first = await reasoned(client);
    expect(first.output).toMatchObject([
      { type: 'reasoning', id: expect.stringMatching(/^rs_/), summary: [] },
      { type: 'message', phase: 'commentary' },
      {
        type: 'function_call',
        id: expect.stringMatching(/^fc_/),
        call_id: expect.stringMatching(/^call_\w{24}$/),
      },
    ]);
    expect(first.output[0]).not.toHaveProperty('encrypted_content');
    const second = await client.responses.create({
      model: 'gpt-5.4',
      previous_response_id: first.id,
      input: outputsOf(first),
    });
    expect(second.output).toMatchObject([{ type: 'message', phase: 'final_answer' }]);
  });

  it('reasoning may not be sent without its following item', async () => {
    const client = clientOf(createSimulator());
    const [step] = (await reasoned(client)).output;
    const link = { type: 'item_reference' as const, id: step?.id ?? '' };
    const error = {
      status: 400,
      code: null,
      param: 'input',
      message: `Item '${step?.id}' of type 'reasoning' was provided without its required following item.`,
    };
    for (const input of [[link], [link, { role: 'user' as const, content: 'hi' }]]) {
      expect(await refusalOf(client.responses.create({ model: 'gpt-5.4', input }))).toEqual(error);
    }
  });

  it.each([
    ['message', 1],
    ['function_call', 2],
  ])('reasoning must come with a %s that is sent by its ID', async (type, position) => {
    const client = clientOf(createSimulator());
    const first = await reasoned(client);
    const step = first.output[0]?.id;
    const follower = first.output[position];
    const link = { type: 'item_reference' as const, id: follower?.id ?? '' };
    const input = type === 'message' ? [link] : [link, ...outputsOf(first)];
    expect(await refusalOf(client.responses.create({ model: 'gpt-5.4', input }))).toMatchObject({
      status: 400,
      message: `Item '${follower?.id}' of type '${type}' was provided without its required 'reasoning' item: '${step}'.`,
    });
  });

  it('reasoning may be left out if no item is sent by its ID, or sent whole', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await reasoned(client);
    const outputs = outputsOf(first);
    const withoutIds = first.output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ type: item.type, call_id: item.call_id, name: item.name, arguments: item.arguments }]
        : [],
    );
    await client.responses.create({ model: 'gpt-5.4', input: [...withoutIds, ...outputs] });
    const whole = first.output.map((item) => ({ type: 'item_reference' as const, id: item.id ?? '' }));
    await client.responses.create({ model: 'gpt-5.4', input: [...whole, ...outputs] });
    expect(outline(simulator.log.at(-1)?.context ?? [])).toBe('t,a,c,r');
  });

  it('reasoning that was not stored is accepted with its encrypted content', async () => {
    const client = clientOf(createSimulator());
    const first = await client.responses.create({
      model: 'gpt-5.4',
      input: 'think',
      reasoning: { effort: 'high', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      store: false,
    });
    const [step, answer] = first.output;
    expect(step).toMatchObject({
      encrypted_content: expect.stringMatching(/^gAAAA/),
      summary: [{ type: 'summary_text', text: 'Reading a context of 1' }],
    });
    if (step?.type !== 'reasoning' || answer?.type !== 'message') throw new Error('The model did not reason');
    const { id: _unstored, ...message } = answer;
    const body = { model: 'gpt-5.4', input: [step, message, { role: 'user', content: 'and?' }] };
    const second = await client.post<OpenAI.Responses.Response>('/responses', { body });
    expect(second.status).toBe('completed');
  });

  it('encrypted reasoning of another origin is refused', async () => {
    const client = clientOf(createSimulator());
    const input = [
      { type: 'reasoning' as const, id: 'rs_elsewhere', summary: [], encrypted_content: 'gAAAAelsewhere' },
      { role: 'assistant' as const, content: 'so' },
      { role: 'user' as const, content: 'and?' },
    ];
    expect(await refusalOf(client.responses.create({ model: 'gpt-5', input }))).toMatchObject({
      status: 400,
      code: 'invalid_encrypted_content',
      message: expect.stringContaining('could not be verified'),
    });
  });

  it.each([
    [
      { type: 'reasoning', id: 'rs_1', summary: [{ type: 'summary_text', text: '', note: 1 }] },
      'input[0].summary[0].note',
    ],
    [
      {
        role: 'assistant',
        content: [
          { type: 'output_text', text: '', annotations: [{ type: 'url_citation', url_citation: {} }] },
        ],
      },
      'input[0].content[0].annotations[0].url_citation',
    ],
  ])('reasoning and messages refuse unknown fields: %j', async (item, param) => {
    const client = clientOf(createSimulator());
    const asked = client.post('/responses', { body: { model: 'gpt-5', input: [item] } });
    expect(await refusalOf(asked)).toMatchObject({ status: 400, code: 'unknown_parameter', param });
  });
});
