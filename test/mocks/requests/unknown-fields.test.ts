import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { clientOf, refusalOf } from '../support.ts';

const post = (client: OpenAI, path: string, body: object): Promise<OpenAI.Responses.Response> =>
  client.post<OpenAI.Responses.Response>(path, { body });

const later = { a_later_field: { deep: true } };

const items = [
  {
    role: 'user',
    content: [
      { type: 'input_text', text: 'hi', ...later },
      { type: 'input_text', text: 'you' },
    ],
    ...later,
  },
  {
    role: 'assistant',
    content: [
      {
        type: 'output_text',
        text: 'hello',
        annotations: [{ type: 'file_path', file_id: 'file_1', index: 0, ...later }],
      },
    ],
  },
  { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}', ...later },
  { type: 'function_call_output', call_id: 'call_1', output: 'done', ...later },
];

/** A body for each path, with unknown fields. */
const bodies: [string, object][] = [
  [
    '/responses',
    {
      model: 'gpt-4.1',
      input: items,
      context_management: [{ type: 'compaction', compact_threshold: 9000, ...later }],
      ...later,
    },
  ],
  ['/responses/compact', { model: 'gpt-4.1', input: items, ...later }],
  ['/responses/input_tokens', { model: 'gpt-4.1', input: items, ...later }],
  ['/conversations', { items, metadata: {}, ...later }],
];

describe('the option unknownFields', () => {
  it.each(bodies)('unknown fields of %s are refused without the option', async (path, body) => {
    expect(await refusalOf(post(clientOf(createSimulator()), path, body))).toMatchObject({
      status: 400,
      code: 'unknown_parameter',
    });
  });

  it.each(bodies)('unknown fields of %s are ignored if the option says so', async (path, body) => {
    const simulator = createSimulator({ unknownFields: 'ignore' });
    await post(clientOf(simulator), path, body);
    expect(JSON.stringify(simulator.snapshot())).not.toContain('a_later_field');
    expect(simulator.log[0]?.body).toEqual(body);
  });

  it('unknown fields of a conversation are ignored in its items and its metadata, too', async () => {
    const simulator = createSimulator({ unknownFields: 'ignore' });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    await post(client, `/conversations/${id}/items`, { items, ...later });
    await post(client, `/conversations/${id}`, { metadata: { a: 'b' }, ...later });
    const [conversation] = simulator.snapshot().conversations;
    expect(conversation).toMatchObject({ metadata: { a: 'b' } });
    expect(conversation?.items).toMatchObject([
      { content: [{ text: 'hi' }, { text: 'you' }] },
      { content: [{ annotations: [{ type: 'file_path', file_id: 'file_1', index: 0 }] }] },
      { type: 'function_call' },
      { type: 'function_call_output', output: 'done' },
    ]);
  });

  it('an error other than an unknown field is reported all the same', async () => {
    const client = clientOf(createSimulator({ unknownFields: 'ignore' }));
    const asked = post(client, '/responses', { model: 'gpt-4.1', input: 'hi', temperature: 'hot', ...later });
    expect(await refusalOf(asked)).toMatchObject({ code: 'invalid_type', param: 'temperature' });
  });

  it('an unknown type of item is refused all the same', async () => {
    const client = clientOf(createSimulator({ unknownFields: 'ignore' }));
    const asked = post(client, '/responses', { model: 'gpt-4.1', input: [{ type: 'a_later_item' }] });
    expect(await refusalOf(asked)).toMatchObject({ code: 'invalid_value', param: 'input[0].type' });
  });
});
