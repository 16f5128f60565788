import OpenAI from 'openai';
import { createSimulator } from '../../../mocks/index.ts';
import { recordingFetch, type Recorded } from './recorder.ts';

const WEATHER = {
  type: 'function',
  name: 'get_weather',
  description: 'Tells the weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' } },
    required: ['city'],
    additionalProperties: false,
  },
  strict: true,
} as const;

const IMAGE = 'data:image/png;base64,iVBORw0KGgo=';

/** Sends requests of every kind and returns every answer. */
export async function recordCorpus(): Promise<Recorded[]> {
  const recorded: Recorded[] = [];
  const simulator = createSimulator({ contextWindow: 20_000 });
  const client = new OpenAI({
    apiKey: 'sk-test',
    maxRetries: 0,
    fetch: recordingFetch(simulator, recorded),
  });
  const conversationId = await conversations(client);
  await answers(client, conversationId);
  await stored(client);
  await background(client);
  await streams(client);
  await failures(client, simulator);
  await client.models.list();
  await client.models.retrieve('gpt-4.1');
  return recorded;
}

async function conversations(client: OpenAI): Promise<string> {
  const { id } = await client.conversations.create({
    metadata: { topic: 'schema' },
    items: [
      { role: 'user', content: 'hi' },
      { role: 'system', content: 'be brief' },
      { role: 'developer', content: [{ type: 'input_text', text: 'be kind' }] },
      { role: 'assistant', content: 'hello' },
    ],
  });
  const empty = await client.conversations.create();
  await client.conversations.items.list(empty.id);
  await client.conversations.retrieve(id);
  await client.conversations.update(id, { metadata: { topic: 'changed' } });
  await client.conversations.items.create(id, { items: WRITTEN });
  const page = await client.conversations.items.list(id, { limit: 100, order: 'asc' });
  for (const item of page.data) {
    await client.conversations.items.retrieve(item.id ?? '', { conversation_id: id });
  }
  await client.conversations.items.list(id, { limit: 2, include: ['reasoning.encrypted_content'] });
  await client.conversations.items.delete(page.data[0]?.id ?? '', { conversation_id: id });
  await client.conversations.delete(empty.id);
  return id;
}

/** Items of the types that a client writes by itself. */
const WRITTEN: OpenAI.Responses.ResponseInputItem[] = [
  {
    role: 'user',
    content: [
      { type: 'input_text', text: 'look' },
      { type: 'input_image', image_url: IMAGE, detail: 'auto' },
      { type: 'input_file', filename: 'a.txt', file_data: 'aGk=' },
    ],
  },
  { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
  { type: 'function_call_output', call_id: 'call_1', output: 'rain' },
  { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true },
  { type: 'custom_tool_call', call_id: 'call_2', name: 'grep', input: 'x' },
  { type: 'custom_tool_call_output', call_id: 'call_2', output: 'nothing' },
  {
    type: 'reasoning',
    id: 'rs_outside',
    summary: [{ type: 'summary_text', text: 'so' }],
    encrypted_content: 'gAAA',
  },
  { role: 'assistant', content: 'I see', phase: 'final_answer' },
];

async function answers(client: OpenAI, conversation: string): Promise<void> {
  const { responses } = client;
  await responses.create({ model: 'gpt-5.4', input: 'again', conversation });
  const first = await responses.create({
    model: 'gpt-4.1',
    input: 'hi',
    metadata: { a: 'b' },
    user: 'someone',
  });
  await responses.create({ model: 'gpt-4.1', input: 'and?', previous_response_id: first.id, store: false });
  await responses.create({ model: 'gpt-4.1', input: 'refuse', temperature: 0.5, top_p: 0.5 });
  const call = await responses.create({
    model: 'gpt-5.4',
    input: 'call get_weather {"city":"Oslo"} call get_weather {"city":"Rome"}',
    instructions: 'use tools',
    reasoning: { effort: 'high', summary: 'auto' },
    include: ['reasoning.encrypted_content'],
    tools: [WEATHER, { type: 'web_search' }, { type: 'custom', name: 'grep' }],
  });
  await responses.create({
    model: 'gpt-5.4',
    previous_response_id: call.id,
    input: call.output.flatMap((item) =>
      item.type === 'function_call'
        ? [{ type: 'function_call_output' as const, call_id: item.call_id, output: 'rain' }]
        : [],
    ),
  });
  await responses.create({ model: 'gpt-4.1', input: 'call grep', tools: [{ type: 'custom', name: 'grep' }] });
  await responses.create({ model: 'o3', input: 'think', max_output_tokens: 16 });
  await responses.create({ model: 'gpt-4.1', input: 'hi', include: ['message.output_text.logprobs'] });
  await responses.create({
    model: 'gpt-4.1',
    input: 'as json',
    text: {
      format: {
        type: 'json_schema',
        name: 'answer',
        strict: true,
        schema: {
          type: 'object',
          properties: { text: { type: 'string' } },
          required: ['text'],
          additionalProperties: false,
        },
      },
    },
  });
  await responses.create({ model: 'gpt-4.1', input: 'a'.repeat(90_000), truncation: 'auto' });
}

async function stored(client: OpenAI): Promise<void> {
  const { responses } = client;
  const first = await responses.create({ model: 'gpt-5', input: 'hi' });
  const second = await responses.create({ model: 'gpt-5', input: 'more', previous_response_id: first.id });
  await responses.retrieve(second.id, { include: ['reasoning.encrypted_content'] });
  await responses.inputItems.list(second.id);
  for (const model of ['gpt-4.1', 'gpt-5.4']) {
    await responses.compact({ model, previous_response_id: second.id });
  }
  await responses.inputTokens.count({ model: 'gpt-5', previous_response_id: second.id, input: 'how many?' });
  await responses.delete(first.id);
}

async function background(client: OpenAI): Promise<void> {
  const { responses } = client;
  const run = await responses.create({ model: 'gpt-4.1', input: 'later', background: true });
  await responses.retrieve(run.id);
  await responses.retrieve(run.id);
  const stopped = await responses.create({ model: 'gpt-4.1', input: 'never', background: true });
  await responses.cancel(stopped.id);
  const stream = await responses.create({ model: 'gpt-4.1', input: 'told', background: true, stream: true });
  let id = '';
  for await (const event of stream) if (event.type === 'response.created') ({ id } = event.response);
  await drain(await responses.retrieve(id, { stream: true, starting_after: 3 }));
}

async function streams(client: OpenAI): Promise<void> {
  const create = async (
    body: Omit<OpenAI.Responses.ResponseCreateParamsStreaming, 'stream'>,
  ): Promise<void> => drain(await client.responses.create({ ...body, stream: true }));
  await create({ model: 'gpt-4.1', input: 'hi' });
  await create({ model: 'gpt-4.1', input: 'hi', top_logprobs: 2 });
  await create({ model: 'gpt-4.1', input: 'hi', stream_options: { include_obfuscation: false } });
  await create({ model: 'gpt-4.1', input: 'refuse' });
  await create({
    model: 'gpt-4.1',
    input: 'long '.repeat(1000),
    context_management: [{ type: 'compaction', compact_threshold: 1000 }],
  });
  await create({
    model: 'gpt-4.1',
    input: [{ role: 'user', content: 'hi' }, { type: 'compaction_trigger' }],
  });
  await create({
    model: 'gpt-5.4',
    input: 'call get_weather',
    tools: [WEATHER],
    reasoning: { effort: 'low', summary: 'auto' },
  });
  await create({
    model: 'gpt-4.1',
    input: 'something that is rather long to recite',
    max_output_tokens: 16,
    instructions: 'be long',
  });
}

async function failures(client: OpenAI, simulator: ReturnType<typeof createSimulator>): Promise<void> {
  simulator.fault('responses.create', { name: 'failed_response', times: 2 });
  await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
  await drain(await client.responses.create({ model: 'gpt-4.1', input: 'hi', stream: true }));
  await drain(await client.responses.create({ model: 'gpt-4.1', input: 'a'.repeat(90_000), stream: true }));
  simulator.fault('responses.create', { name: 'incomplete_response', times: 1 });
  await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
  const refused: Promise<unknown>[] = [
    client.conversations.retrieve('conv_none'),
    client.conversations.items.list('conv_none'),
    client.responses.retrieve('resp_none'),
    client.responses.create({ model: 'gpt-4.1', input: 'hi', previous_response_id: 'resp_none' }),
    client.responses.create({ model: 'gpt-4.1', input: [{ type: 'item_reference', id: 'msg_none' }] }),
    client.post('/nowhere'),
    client.put('/responses'),
  ];
  await Promise.allSettled(refused);
}

/** Reads a stream to its end; one that ends with an error event throws, which is all the same here. */
async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const event of stream) void event;
  } catch {
    return;
  }
}
