import type OpenAI from 'openai';
import { EventEmitter, once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createSimulator, outline, textOf } from '../../../mocks/index.ts';
import { ask, clientOf, refusalOf } from '../support.ts';

describe('a response', () => {
  it('a response has the recorded body', async () => {
    const simulator = createSimulator();
    const { body } = await ask(simulator, 'POST', '/responses', { model: 'gpt-4.1', input: 'hi' });
    expect(body).toEqual({
      id: expect.stringMatching(/^resp_[0-9a-f]{16}00[0-9a-f]{32}$/),
      object: 'response',
      created_at: 1767225600,
      completed_at: 1767225600,
      status: 'completed',
      background: false,
      billing: { payer: 'developer' },
      access_programs: null,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      metadata: {},
      model: 'gpt-4.1-2025-04-14',
      moderation: null,
      output: [
        {
          id: expect.stringMatching(/^msg_[0-9a-f]{16}00[0-9a-f]{32}$/),
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [
            {
              type: 'output_text',
              annotations: [],
              logprobs: [],
              text: 'Answer 1: I see 1 item (1u): u "hi"',
            },
          ],
        },
      ],
      parallel_tool_calls: true,
      frequency_penalty: 0,
      presence_penalty: 0,
      previous_response_id: null,
      prompt_cache_key: null,
      prompt_cache_retention: 'in_memory',
      reasoning: { context: null, effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'default',
      store: true,
      temperature: 1,
      text: { format: { type: 'text' }, verbosity: 'medium' },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: 1,
      truncation: 'disabled',
      usage: {
        input_tokens: expect.any(Number),
        input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
        output_tokens: expect.any(Number),
        output_tokens_details: { reasoning_tokens: 0 },
        total_tokens: expect.any(Number),
      },
      user: null,
    });
  });

  it('a response echoes its request, and function tools in the strict form of the API', async () => {
    const client = clientOf(createSimulator());
    const text = { type: 'string' };
    const deep = { type: 'object', properties: { a: text, b: text }, required: ['a'] };
    const parameters = { type: 'object', properties: { deep, list: { type: 'array', items: deep } } };
    const free = { type: 'object', properties: {}, additionalProperties: true };
    const closed = { ...deep, additionalProperties: false, required: ['a', 'b'] };
    const strict = {
      ...parameters,
      properties: { deep: closed, list: { type: 'array', items: closed } },
      additionalProperties: false,
      required: ['deep', 'list'],
    };
    const body = {
      model: 'gpt-4.1',
      input: 'hi',
      instructions: 'be brief',
      metadata: { a: 'b' },
      tools: [
        { type: 'function', name: 'strict', parameters: strict, strict: true },
        { type: 'function', name: 'loose', parameters, strict: false },
        { type: 'function', name: 'made_strict', parameters },
        { type: 'function', name: 'never_strict', parameters: free },
      ],
    };
    const response = await client.post<OpenAI.Responses.Response>('/responses', { body });
    expect(response).toMatchObject({ instructions: 'be brief', metadata: { a: 'b' } });
    const shown = { type: 'function', description: null };
    expect(response.tools).toEqual([
      { ...shown, name: 'strict', parameters: strict, strict: true },
      { ...shown, name: 'loose', parameters, strict: false },
      { ...shown, name: 'made_strict', parameters: strict, strict: true },
      { ...shown, name: 'never_strict', parameters: free, strict: false },
    ]);
  });

  it('a response is the same in a simulator with the same seed, and another with another', async () => {
    const ids = await Promise.all(
      [7, 7, 8].map(async (seed) => {
        const client = clientOf(createSimulator({ seed }));
        const { id } = await client.conversations.create();
        const response = await client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id });
        return [id, response.id, response.output[0]?.id].join(' ');
      }),
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('a chained response sees the inputs and outputs of every response before', async () => {
    const client = clientOf(createSimulator());
    let previous: string | undefined;
    const texts: string[] = [];
    for (const input of ['hi', 'what can you do?', 'thanks']) {
      const response = await client.responses.create({
        model: 'gpt-4.1',
        input,
        ...(previous === undefined ? {} : { previous_response_id: previous }),
      });
      expect(response.previous_response_id).toBe(previous ?? null);
      previous = response.id;
      texts.push(response.output_text);
    }
    expect(texts).toEqual([
      'Answer 1: I see 1 item (1u): u "hi"',
      'Answer 2: I see 3 items (2u 1a): u "hi", a1, u "what can you do?"',
      'Answer 3: I see 5 items (3u 2a): u "hi", a1, u "what can you do?", a2, u "thanks"',
    ]);
  });

  it('a response can be continued many times, each branch on its own', async () => {
    const client = clientOf(createSimulator());
    const root = await client.responses.create({ model: 'gpt-4.1', input: 'root' });
    const branch = async (input: string): Promise<string> =>
      (await client.responses.create({ model: 'gpt-4.1', input, previous_response_id: root.id })).output_text;
    expect(await branch('left')).toBe('Answer 2: I see 3 items (2u 1a): u "root", a1, u "left"');
    expect(await branch('right')).toBe('Answer 2: I see 3 items (2u 1a): u "root", a1, u "right"');
  });

  it('instructions are not carried over a chain', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'a', instructions: 'be brief' });
    const second = await client.responses.create({
      model: 'gpt-4.1',
      input: 'b',
      previous_response_id: first.id,
    });
    expect(second.instructions).toBeNull();
  });

  it('a response of a conversation can be continued up to itself, outside the conversation', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one', conversation: id });
    await client.responses.create({ model: 'gpt-4.1', input: 'two', conversation: id });
    const branch = await ask(simulator, 'POST', '/responses', {
      model: 'gpt-4.1',
      input: 'aside',
      previous_response_id: first.id,
    });
    expect(simulator.log.at(-1)?.context?.map(textOf)).toEqual(['one', first.output_text, 'aside']);
    expect(branch.body).not.toHaveProperty('conversation');
    expect(outline((await client.conversations.items.list(id)).data)).toBe('a,u,a,u');
  });

  it('a response of a conversation sees its items, is written to it, and names it', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'before' }] });
    const response = await client.responses.create({ model: 'gpt-4.1', input: 'now', conversation: { id } });
    expect(response).toMatchObject({ conversation: { id }, previous_response_id: null });
    expect(response.output_text).toBe('Answer 2: I see 2 items (2u): u "before", u "now"');
    const { data } = await client.conversations.items.list(id, { order: 'asc' });
    expect(data.map(textOf)).toEqual(['before', 'now', response.output_text]);
    expect(data.at(-1)).toEqual(response.output[0]);
  });

  it('a response with store: false sees its conversation, and leaves no item behind', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'before' }] });
    const response = await client.responses.create({
      model: 'gpt-4.1',
      input: 'now',
      conversation: id,
      store: false,
    });
    expect(response.output_text).toBe('Answer 2: I see 2 items (2u): u "before", u "now"');
    expect(response.id).toMatch(/^resp_[0-9a-f]{16}01/);
    expect(outline((await client.conversations.items.list(id)).data)).toBe('u');
    expect(await refusalOf(client.responses.retrieve(response.id))).toMatchObject({ status: 404 });
    const [item] = response.output;
    expect(
      await refusalOf(
        client.responses.create({
          model: 'gpt-4.1',
          input: [{ type: 'item_reference', id: item?.id ?? '' }],
        }),
      ),
    ).toEqual({
      status: 404,
      code: null,
      param: 'input',
      message: `Item with id '${item?.id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
    });
  });

  it('the items of a response with store: false can be sent again with their content', async () => {
    const client = clientOf(createSimulator());
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi', store: false });
    const answers = first.output.filter((item) => item.type === 'message');
    const again = await client.responses.create({
      model: 'gpt-4.1',
      input: [{ role: 'user', content: 'hi' }, ...answers, { role: 'user', content: 'thanks' }],
      store: false,
    });
    expect(again.output_text).toContain('I see 3 items');
  });

  it('an organisation without data retention stores no response', async () => {
    const client = clientOf(createSimulator({ profile: 'zdr' }));
    const response = await client.responses.create({ model: 'gpt-4.1', input: 'hi', store: true });
    expect(response).toMatchObject({ store: false });
    expect(
      await refusalOf(
        client.responses.create({ model: 'gpt-4.1', input: 'and?', previous_response_id: response.id }),
      ),
    ).toMatchObject({ status: 400, code: 'unsupported_parameter' });
  });

  it('an ID in the input stands for the stored item, and the content beside it is ignored', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const [item] = first.output;
    await client.responses.create({
      model: 'gpt-4.1',
      input: [
        {
          type: 'message',
          id: item?.id ?? '',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'forged', annotations: [] }],
        },
        { role: 'user', content: 'more' },
      ],
    });
    expect(simulator.log.at(-1)?.context?.map(textOf)).toEqual([first.output_text, 'more']);
  });

  it('a response locks its conversation until it is complete', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create();
    const stream = await client.responses.create({
      model: 'gpt-4.1',
      input: 'one',
      conversation: id,
      stream: true,
    });
    const events = stream[Symbol.asyncIterator]();
    await events.next();
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', input: 'two', conversation: id })),
    ).toEqual({
      status: 400,
      code: 'conversation_locked',
      param: 'conversation',
      message: 'Another process is currently operating on this conversation. Please retry in a few seconds.',
    });
    while (!(await events.next()).done);
    const after = await client.responses.create({ model: 'gpt-4.1', input: 'two', conversation: id });
    expect(after.output_text).toContain('I see 3 items');
  });

  it('a response locks its conversation while the model thinks', async () => {
    const thought = new EventEmitter();
    const simulator = createSimulator({ respond: () => once(thought, 'done').then(() => 'done') });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const first = client.responses.create({ model: 'gpt-4.1', input: 'one', conversation: id });
    await expect.poll(() => simulator.log.at(-1)?.context).toHaveLength(1);
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', input: 'two', conversation: id })),
    ).toMatchObject({ code: 'conversation_locked' });
    thought.emit('done');
    expect((await first).output_text).toBe('done');
  });

  it('each turn bills the whole context, the repeated beginning as cached', async () => {
    const client = clientOf(createSimulator());
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'long '.repeat(2000) });
    const second = await client.responses.create({
      model: 'gpt-4.1',
      input: 'short',
      previous_response_id: first.id,
    });
    const unrelated = await client.responses.create({ model: 'gpt-4.1', input: 'other '.repeat(2000) });
    const before = first.usage?.input_tokens ?? 0;
    expect(first.usage?.input_tokens_details.cached_tokens).toBe(0);
    expect(second.usage?.input_tokens).toBeGreaterThan(before);
    expect(second.usage?.input_tokens_details.cached_tokens).toBe(Math.floor(before / 128) * 128);
    expect(unrelated.usage?.input_tokens_details.cached_tokens).toBe(0);
    expect(second.usage?.total_tokens).toBe(
      (second.usage?.input_tokens ?? 0) + (second.usage?.output_tokens ?? 0),
    );
  });

  it('a response is cut off at max_output_tokens, and can be continued', async () => {
    const client = clientOf(createSimulator());
    const cut = await client.responses.create({
      model: 'gpt-4.1',
      input: 'something that is rather long to recite',
      max_output_tokens: 16,
    });
    expect(cut).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect(cut.output[0]).toMatchObject({ status: 'incomplete' });
    expect(cut.output_text).toHaveLength(64);
    const next = await client.responses.create({
      model: 'gpt-4.1',
      input: 'go on',
      previous_response_id: cut.id,
    });
    expect(next.output_text).toBe(
      'Answer 2: I see 3 items (2u 1a): u "something that is rather long to recite", a1, u "go on"',
    );
  });

  it('a context that is too long loses its oldest items with truncation, and is refused without', async () => {
    const simulator = createSimulator({ contextWindow: 1000 });
    const client = clientOf(simulator);
    const input = [1, 2, 3].map((turn) => ({
      role: 'user' as const,
      content: `${turn} ${'x'.repeat(1600)}`,
    }));
    expect(await refusalOf(client.responses.create({ model: 'gpt-4.1', input }))).toEqual({
      status: 400,
      code: 'context_length_exceeded',
      param: 'input',
      message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
    });
    const response = await client.responses.create({ model: 'gpt-4.1', input, truncation: 'auto' });
    expect(response.output_text).toContain('I see 2 items');
  });
});
