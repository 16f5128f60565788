import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { clientOf, rawRefusal } from '../support.ts';

const hi = { model: 'gpt-4.1', input: 'hi' };

/** A request, and the API's error. */
const refused: [string, object, object][] = [
  [
    'no model',
    { input: 'hi' },
    {
      code: 'missing_required_parameter',
      param: 'model',
      message: "Missing required parameter: 'model'.",
    },
  ],
  [
    'no input',
    { model: 'gpt-4.1' },
    {
      code: 'missing_required_parameter',
      param: 'input',
      message: "Missing required parameter: 'input'.",
    },
  ],
  ['neither, and an unknown key', { whatever: 1 }, { param: 'model' }],
  [
    'an empty input and nothing to continue',
    { model: 'gpt-4.1', input: [] },
    {
      code: 'missing_required_parameter',
      param: null,
      message: `One of "input" or "previous_response_id" or 'prompt' or 'conversation' must be provided.`,
    },
  ],
  [
    'an unknown key',
    { ...hi, whatever: 1 },
    {
      code: 'unknown_parameter',
      param: 'whatever',
      message: "Unknown parameter: 'whatever'.",
    },
  ],
  [
    'both kinds of state, before either is looked up',
    { ...hi, previous_response_id: 'resp_x', conversation: 'conv_x' },
    {
      code: 'mutually_exclusive_parameters',
      param: null,
      message:
        "Mutually exclusive parameters: ''. Ensure you are only providing one of: 'previous_response_id' or 'conversation'.",
    },
  ],
  [
    'an unknown previous response',
    { ...hi, previous_response_id: 'resp_x' },
    {
      code: 'previous_response_not_found',
      param: 'previous_response_id',
      message: "Previous response with id 'resp_x' not found.",
    },
  ],
  [
    'a field error before an unknown previous response',
    { ...hi, previous_response_id: 'resp_x', temperature: 'hot' },
    {
      param: 'temperature',
    },
  ],
  [
    'an unknown conversation',
    { ...hi, conversation: 'conv_x' },
    {
      status: 404,
      code: null,
      param: null,
      message: "Conversation with id 'conv_x' not found.",
    },
  ],
  [
    'a conversation that is no ID',
    { ...hi, conversation: 5 },
    { code: 'invalid_type', param: 'conversation' },
  ],
  ['a conversation without an ID', { ...hi, conversation: {} }, { param: 'conversation.id' }],
  [
    'a previous response that is no ID',
    { ...hi, previous_response_id: {} },
    {
      code: 'invalid_type',
      param: 'previous_response_id',
      message: "Invalid type for 'previous_response_id': expected a string, but got an object instead.",
    },
  ],
  ['an input that is no list', { model: 'gpt-4.1', input: 5 }, { code: 'invalid_type', param: 'input' }],
  [
    'an ID of the wrong kind',
    { model: 'gpt-4.1', input: [{ id: 'abc', role: 'user', content: 'hi' }] },
    {
      code: 'invalid_value',
      param: 'input[0].id',
      message: "Invalid 'input[0].id': 'abc'. Expected an ID that begins with 'msg'.",
    },
  ],
  [
    'an unknown item',
    {
      model: 'gpt-4.1',
      input: [
        { id: 'rs_x', type: 'reasoning', summary: [] },
        { role: 'assistant', content: 'x' },
      ],
    },
    {
      status: 404,
      param: 'input',
    },
  ],
  [
    'an unknown reference',
    { model: 'gpt-4.1', input: [{ type: 'item_reference', id: 'rs_x' }] },
    {
      status: 404,
      code: null,
      param: 'input',
      message:
        "Item with id 'rs_x' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.",
    },
  ],
  [
    'a phase of a user',
    { model: 'gpt-4.1', input: [{ role: 'user', content: 'hi', phase: 'commentary' }] },
    {
      code: 'unknown_parameter',
      param: 'input[0].phase',
      message: "Unknown parameter: 'input[0].phase'.",
    },
  ],
  [
    'a phase there is not',
    { model: 'gpt-4.1', input: [{ role: 'assistant', content: 'hi', phase: 'bogus' }] },
    {
      code: 'invalid_value',
      param: 'input[0].phase',
      message: "Invalid value: 'bogus'. Supported values are: 'commentary' and 'final_answer'.",
    },
  ],
  [
    'user content of an assistant',
    { model: 'gpt-4.1', input: [{ role: 'assistant', content: [{ type: 'input_text', text: 'x' }] }] },
    {
      code: 'invalid_value',
      param: 'input[0].content[0]',
      message: "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
    },
  ],
  [
    'content that is no text',
    { model: 'gpt-4.1', input: [{ role: 'user', content: [{ type: 'input_text', text: 5 }] }] },
    {
      code: 'invalid_type',
      param: 'input[0].content[0].text',
    },
  ],
  [
    'content with a foreign key',
    { model: 'gpt-4.1', input: [{ role: 'user', content: [{ type: 'input_text', text: 'x', cost: 1 }] }] },
    {
      code: 'unknown_parameter',
      param: 'input[0].content[0].cost',
    },
  ],
  [
    'an output without its call',
    { model: 'gpt-4.1', input: [{ type: 'function_call_output', call_id: 'call_x', output: 'x' }] },
    {
      code: null,
      param: 'input',
      message: 'No tool call found for function call output with call_id call_x.',
    },
  ],
  [
    'a call without its output',
    { model: 'gpt-4.1', input: [{ type: 'function_call', call_id: 'call_x', name: 'f', arguments: '{}' }] },
    {
      code: null,
      param: 'input',
      message: 'No tool output found for function call call_x.',
    },
  ],
  [
    'too many pairs of metadata',
    { ...hi, metadata: Object.fromEntries(Array.from({ length: 17 }, (_, key) => [key, 'v'])) },
    {
      code: 'object_above_max_properties',
      param: 'metadata',
    },
  ],
  [
    'too few output tokens',
    { ...hi, max_output_tokens: 15 },
    {
      code: 'integer_below_min_value',
      param: 'max_output_tokens',
      message:
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
    },
  ],
  ['half a token', { ...hi, max_output_tokens: 20.5 }, { code: 'invalid_type' }],
  ['too much heat', { ...hi, temperature: 3 }, { code: 'decimal_above_max_value', param: 'temperature' }],
  ['too little probability', { ...hi, top_p: -1 }, { code: 'decimal_below_min_value', param: 'top_p' }],
  [
    'too many probabilities',
    { ...hi, top_logprobs: 21 },
    { code: 'integer_above_max_value', param: 'top_logprobs' },
  ],
  [
    'sampling while reasoning',
    { model: 'gpt-5', input: 'hi', temperature: 0.5 },
    {
      code: null,
      param: 'temperature',
      message: "Unsupported parameter: 'temperature' is not supported with this model.",
    },
  ],
  ['reasoning where there is none', { ...hi, reasoning: { effort: 'high' } }, { param: 'reasoning.effort' }],
  [
    'an effort there is not',
    { model: 'gpt-5', input: 'hi', reasoning: { effort: 'utmost' } },
    { code: 'invalid_value', param: 'reasoning.effort' },
  ],
  [
    'an include there is not',
    { ...hi, include: ['everything'] },
    { code: 'invalid_value', param: 'include[0]' },
  ],
  ['a store that is no flag', { ...hi, store: 'yes' }, { code: 'invalid_type', param: 'store' }],
  ['a tool without a name', { ...hi, tools: [{ type: 'function' }] }, { param: 'tools[0].name' }],
  ['tools that are no list', { ...hi, tools: {} }, { code: 'invalid_type', param: 'tools' }],
  ['a choice there is not', { ...hi, tool_choice: 'maybe' }, { code: 'invalid_value', param: 'tool_choice' }],
  [
    'a format without a schema',
    { ...hi, text: { format: { type: 'json_schema', name: 'x' } } },
    { param: 'text.format.schema' },
  ],
  [
    'a threshold that is too low',
    { ...hi, context_management: [{ type: 'compaction', compact_threshold: 999 }] },
    {
      code: 'integer_below_min_value',
      param: 'context_management[0].compact_threshold',
    },
  ],
  [
    'no context management',
    { ...hi, context_management: [] },
    {
      code: 'empty_array',
      param: 'context_management',
      message:
        "Invalid 'context_management': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    },
  ],
  [
    'context management that is no list',
    { ...hi, context_management: { type: 'compaction' } },
    {
      code: 'invalid_type',
      param: 'context_management',
      message:
        "Invalid type for 'context_management': expected an array of objects, but got an object instead.",
    },
  ],
  [
    'context management there is not',
    { ...hi, context_management: [{ type: 'foo' }] },
    {
      code: null,
      param: 'context_management',
      message: "Unsupported context_management type: 'foo'.",
    },
  ],
  [
    'an unknown field of context management',
    { ...hi, context_management: [{ type: 'compaction', foo: 1 }] },
    { code: 'unknown_parameter', param: 'context_management[0].foo' },
  ],
  [
    'instructions that are no text',
    { ...hi, instructions: 5 },
    { code: 'invalid_type', param: 'instructions' },
  ],
  [
    'an identifier that is too long',
    { ...hi, safety_identifier: 'x'.repeat(65) },
    { code: 'string_above_max_length' },
  ],
];

describe('a request for a response', () => {
  it.each(refused)('a request is refused with %s', async (_, body, error) => {
    const simulator = createSimulator();
    expect(await rawRefusal(simulator, 'POST', '/responses', body)).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      ...error,
    });
    expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [], items: [] });
  });

  it('a request with a prompt needs no model and no input', async () => {
    const client = clientOf(createSimulator());
    const response = await client.responses.create({ prompt: { id: 'pmpt_1' } });
    expect(response.status).toBe('completed');
  });

  it('a request with a parent needs no input', async () => {
    const client = clientOf(createSimulator());
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const second = await client.responses.create({ model: 'gpt-4.1', previous_response_id: first.id });
    expect(second.output_text).toBe('Answer 1: I see 2 items (1u 1a): u "hi", a1');
  });

  it('a request may have null for every optional field', async () => {
    const simulator = createSimulator();
    const body = {
      ...hi,
      previous_response_id: null,
      conversation: null,
      tools: null,
      temperature: null,
      store: null,
    };
    expect((await clientOf(simulator).post<{ status: string }>('/responses', { body })).status).toBe(
      'completed',
    );
  });
});
