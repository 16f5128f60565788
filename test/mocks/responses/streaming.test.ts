import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator, outline } from '../../../mocks/index.ts';
import { clientOf, collect } from '../support.ts';

type Event = OpenAI.Responses.ResponseStreamEvent;
type Body = Omit<OpenAI.Responses.ResponseCreateParamsStreaming, 'stream'>;

const TOOL = {
  type: 'function',
  name: 'f',
  parameters: { type: 'object', properties: {}, required: [], additionalProperties: false },
  strict: true,
} as const;

const streamOf = async (client: OpenAI, body: Body): Promise<Event[]> =>
  collect(await client.responses.create({ ...body, stream: true }));

/** The types of events in order, the same type in a row only once. */
const course = (events: readonly Event[]): string[] =>
  events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);

describe('a streamed response', () => {
  it('a stream sends a text in the recorded order of events, numbered from 0', async () => {
    const client = clientOf(createSimulator());
    const events = await streamOf(client, { model: 'gpt-4.1', input: 'hi' });
    expect(course(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    const text = events
      .map((event) => (event.type === 'response.output_text.delta' ? event.delta : ''))
      .join('');
    expect(text).toBe('Answer 1: I see 1 item (1u): u "hi"');
    expect(events[0]).toMatchObject({
      response: { status: 'in_progress', output: [], usage: null, service_tier: 'auto' },
    });
    expect(events[2]).toMatchObject({ item: { status: 'in_progress', content: [] } });
    expect(events.at(-1)).toMatchObject({ response: { status: 'completed', service_tier: 'default' } });
  });

  it('a stream ends with the response that can be retrieved', async () => {
    const client = clientOf(createSimulator());
    const last = (await streamOf(client, { model: 'gpt-4.1', input: 'hi' })).at(-1);
    if (last?.type !== 'response.completed') throw new Error('The stream did not complete');
    const { output_text: _computed, ...retrieved } = await client.responses.retrieve(last.response.id);
    expect(last.response).toMatchObject({ ...retrieved });
  });

  it('a stream sends reasoning, commentary and parallel calls one after the other', async () => {
    const client = clientOf(createSimulator());
    const events = await streamOf(client, {
      model: 'gpt-5.4',
      input: 'call f {"a":1} call f {"a":2}',
      tools: [TOOL],
      reasoning: { effort: 'low', summary: 'auto' },
    });
    const call = [
      'response.output_item.added',
      'response.function_call_arguments.delta',
      'response.function_call_arguments.done',
      'response.output_item.done',
    ];
    expect(course(events)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.delta',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      ...call,
      ...call,
      'response.completed',
    ]);
    const added = events.filter((event) => event.type === 'response.output_item.added');
    expect(added.map((event) => event.output_index)).toEqual([0, 1, 2, 3]);
    expect(added[2]?.item).toMatchObject({ type: 'function_call', arguments: '', status: 'in_progress' });
    const done = events.filter((event) => event.type === 'response.function_call_arguments.done');
    expect(done).toMatchObject([
      { arguments: '{"a":1}', name: 'f' },
      { arguments: '{"a":2}', name: 'f' },
    ]);
  });

  it('a stream sends a refusal', async () => {
    const client = clientOf(createSimulator());
    const events = await streamOf(client, { model: 'gpt-4.1', input: 'refuse' });
    expect(course(events).slice(3, 7)).toEqual([
      'response.content_part.added',
      'response.refusal.delta',
      'response.refusal.done',
      'response.content_part.done',
    ]);
  });

  it('a stream pads its deltas unless the request opts out', async () => {
    const client = clientOf(createSimulator());
    const deltas = async (body: Body): Promise<Event[]> =>
      (await streamOf(client, body)).filter(({ type }) => type === 'response.output_text.delta');
    const padded = await deltas({ model: 'gpt-4.1', input: 'hi' });
    expect(padded.every((event) => 'obfuscation' in event)).toBe(true);
    const bare = await deltas({
      model: 'gpt-4.1',
      input: 'hi',
      stream_options: { include_obfuscation: false },
    });
    expect(bare.some((event) => 'obfuscation' in event)).toBe(false);
  });

  it('a streamed response is in progress until its last event, and its conversation is empty', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create();
    const stream = await client.responses.create({
      model: 'gpt-4.1',
      input: 'hi',
      conversation: id,
      stream: true,
    });
    let responseId = '';
    const seen: string[] = [];
    for await (const event of stream) {
      if (event.type === 'response.created') responseId = event.response.id;
      const { status } = await client.responses.retrieve(responseId);
      const list = outline((await client.conversations.items.list(id)).data);
      seen.push(`${status} ${list}`);
    }
    expect(new Set(seen.slice(0, -1))).toEqual(new Set(['in_progress ']));
    expect(seen.at(-1)).toBe('completed a,u');
  });

  it('an interrupted stream completes its response, which can be continued, and leaves its conversation empty', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const left = await leaveAt(client, 'response.output_item.added', {
      model: 'gpt-4.1',
      input: 'hi',
      conversation: id,
    });
    expect(await client.responses.retrieve(left)).toMatchObject({ status: 'completed' });
    expect((await client.conversations.items.list(id)).data).toEqual([]);
    const next = await client.responses.create({
      model: 'gpt-4.1',
      input: 'go on',
      previous_response_id: left,
    });
    expect(next.output_text).toBe('Answer 2: I see 3 items (2u 1a): u "hi", a1, u "go on"');
  });

  it('an interrupted stream leaves a call without output in its conversation, if aborted turns are kept', async () => {
    const client = clientOf(createSimulator({ onAbort: 'keep-turn' }));
    const { id } = await client.conversations.create();
    await leaveAt(client, 'response.output_item.done', {
      model: 'gpt-4.1',
      input: 'call f',
      tools: [TOOL],
      conversation: id,
    });
    expect(outline((await client.conversations.items.list(id)).data)).toBe('c,u');
  });

  it('a stream breaks if the signal of the request is aborted', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const controller = new AbortController();
    const stream = await client.responses.create(
      { model: 'gpt-4.1', input: 'hi', stream: true },
      { signal: controller.signal },
    );
    const seen: string[] = [];
    for await (const event of stream) {
      seen.push(event.type);
      controller.abort();
    }
    expect(seen).toEqual(['response.created']);
    expect(simulator.snapshot().responses).toMatchObject([{ status: 'completed' }]);
    expect(simulator.log.at(-1)).toMatchObject({ isFinished: true, status: 200 });
  });

  it('a failing stream sends a nested error and then the failed response', async () => {
    const simulator = createSimulator();
    simulator.fault('responses.create', {
      name: 'failed_response',
      code: 'insufficient_quota',
      message: 'You exceeded your current quota',
    });
    const response = await simulator.fetch('https://api.openai.com/v1/responses', {
      method: 'POST',
      headers: { authorization: 'Bearer sk-test' },
      body: JSON.stringify({ model: 'gpt-4.1', input: 'hi', stream: true }),
    });
    const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: '));
    const events = lines.map((line): Record<string, unknown> => JSON.parse(line.slice('data: '.length)));
    expect(events.slice(2)).toEqual([
      {
        type: 'error',
        sequence_number: 2,
        error: {
          type: 'insufficient_quota',
          code: 'insufficient_quota',
          message: 'You exceeded your current quota',
          param: null,
        },
      },
      {
        type: 'response.failed',
        sequence_number: 3,
        response: expect.objectContaining({
          status: 'failed',
          error: { code: 'insufficient_quota', message: 'You exceeded your current quota' },
          output: [],
          usage: null,
        }),
      },
    ]);
  });

  it('a stream reports a context that is too long', async () => {
    const simulator = createSimulator({ contextWindow: 10 });
    const client = clientOf(simulator);
    await expect(streamOf(client, { model: 'gpt-4.1', input: 'x'.repeat(1000) })).rejects.toMatchObject({
      type: 'invalid_request_error',
      code: 'context_length_exceeded',
      param: 'input',
    });
    expect(simulator.snapshot().responses).toMatchObject([{ status: 'failed' }]);
  });

  it('an incomplete response ends its stream with the text so far', async () => {
    const client = clientOf(createSimulator());
    const events = await streamOf(client, {
      model: 'gpt-4.1',
      input: 'something that is rather long to recite',
      max_output_tokens: 16,
    });
    expect(events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { incomplete_details: { reason: 'max_output_tokens' }, output: [{ status: 'incomplete' }] },
    });
  });
});

async function leaveAt(client: OpenAI, type: string, body: Body): Promise<string> {
  const stream = await client.responses.create({ ...body, stream: true });
  let id = '';
  for await (const event of stream) {
    if (event.type === 'response.created') ({ id } = event.response);
    if (event.type === type) break;
  }
  return id;
}
