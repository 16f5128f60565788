import type OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulator, foldedItems, outline, textOf, type SimulatorCore } from '../../../mocks/index.ts';
import { ask, clientOf, collect, refusalOf } from '../support.ts';

type Item = Record<string, unknown> & { type: string; id: string };

interface Answered {
  readonly id: string;
  readonly status: string;
  readonly incomplete_details: unknown;
  readonly output: Item[];
  readonly usage: OpenAI.Responses.ResponseUsage;
}

/** About a thousand tokens. */
const LONG = `long ${'x'.repeat(4000)}`;

const COMPACTED = { model: 'gpt-4.1', context_management: [{ type: 'compaction', compact_threshold: 1000 }] };

const user = (content: string): object => ({ role: 'user', content });

async function create(simulator: SimulatorCore, body: object): Promise<Answered> {
  const answer = await ask(simulator, 'POST', '/responses', body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return Object.assign({} as Answered, answer.body);
}

const typesOf = (response: Answered): string[] => response.output.map(({ type }) => type);

const seen = (simulator: SimulatorCore): string => outline(simulator.log.at(-1)?.context ?? []);

/** The text of a response's answer. */
const said = (response: Answered): string => textOf(response.output.at(-1) ?? {});

describe('context management', () => {
  it('a response above the threshold begins with a compaction item', async () => {
    const simulator = createSimulator();
    const below = await create(simulator, { ...COMPACTED, input: 'hi' });
    expect(typesOf(below)).toEqual(['message']);
    const above = await create(simulator, { ...COMPACTED, input: LONG, previous_response_id: below.id });
    expect(typesOf(above)).toEqual(['compaction', 'message']);
    expect(above.output[0]).toEqual({
      id: expect.stringMatching(/^cmp_[0-9a-f]{16}00/),
      type: 'compaction',
      encrypted_content: expect.stringMatching(/^gAAAA/),
    });
    expect(above.output[0]?.['encrypted_content']).not.toContain('hi');
    expect(seen(simulator)).toBe('x,u');
    expect(said(above)).toMatch(/^Answer 2: I see 2 items \(1x 1u\): x "3 items: u,a,u", u "long x+…"$/);
  });

  it('a response that continues a compacted one sees the compaction and the items after it', async () => {
    const simulator = createSimulator();
    const first = await create(simulator, { ...COMPACTED, input: LONG });
    const second = await create(simulator, { ...COMPACTED, input: 'two', previous_response_id: first.id });
    expect(typesOf(second)).toEqual(['message']);
    expect(seen(simulator)).toBe('x,a,u');
    expect(said(second)).toBe('Answer 2: I see 3 items (1x 1a 1u): x "1 item: u", a1, u "two"');
    expect(simulator.snapshot().responses.at(-1)?.context).toEqual(simulator.log.at(-1)?.context);
  });

  it('a conversation is read from its latest compaction on, and lists everything', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id: conversation } = await client.conversations.create();
    await create(simulator, { ...COMPACTED, input: LONG, conversation });
    await create(simulator, { ...COMPACTED, input: 'two', conversation });
    expect(seen(simulator)).toBe('x,a,u');
    const items = await collect(client.conversations.items.list(conversation, { order: 'asc' }));
    expect(outline(items)).toBe('u,x,a,u,a');
    const restored = await client.conversations.items.delete(items[1]?.id ?? '', {
      conversation_id: conversation,
    });
    await create(simulator, { model: 'gpt-4.1', input: 'three', conversation: restored.id });
    expect(seen(simulator)).toBe('u,a,u,a,u');
  });

  it('items before a compaction in the input are not read if a response made it', async () => {
    const simulator = createSimulator();
    const first = await create(simulator, { ...COMPACTED, input: [user(LONG)], store: false });
    const next = { model: 'gpt-4.1', input: [user(LONG), ...first.output, user('two')], store: false };
    const whole = await create(simulator, next);
    expect(seen(simulator)).toBe('x,a,u');
    const pruned = await create(simulator, { ...next, input: next.input.slice(1) });
    expect(pruned.usage).toEqual(whole.usage);
    expect(said(pruned)).toBe(said(whole));
  });

  it('items before a compaction in the input are read if the endpoint made it', async () => {
    const simulator = createSimulator();
    const { body } = await ask(simulator, 'POST', '/responses/compact', {
      model: 'gpt-4.1',
      input: [user('one'), { role: 'assistant', content: 'Answer 1: so' }],
    });
    const made = Object.assign({ output: [] }, body);
    await create(simulator, { model: 'gpt-4.1', input: [...made.output, user('two')] });
    expect(seen(simulator)).toBe('u,x,u');
  });

  it.each(['own', 'inherited'] as const)(
    'input items stay as they were after a compaction: %s',
    async (inputItems) => {
      const simulator = createSimulator({ inputItems });
      const client = clientOf(simulator);
      const first = await create(simulator, { model: 'gpt-4.1', input: 'one' });
      const second = await create(simulator, { ...COMPACTED, input: LONG, previous_response_id: first.id });
      const third = await create(simulator, {
        ...COMPACTED,
        input: 'three',
        previous_response_id: second.id,
      });
      const listed = async (id: string): Promise<string> =>
        outline(await collect(client.responses.inputItems.list(id, { order: 'asc' })));
      expect(await listed(second.id)).toBe(inputItems === 'own' ? 'u' : 'u,a,u');
      expect(await listed(third.id)).toBe(inputItems === 'own' ? 'u' : 'u,a,u,x,a,u');
    },
  );

  it('a stream sends the compaction as its first item, before the answer', async () => {
    const client = clientOf(createSimulator());
    const stream = await client.responses.create({
      model: 'gpt-4.1',
      input: LONG,
      stream: true,
      context_management: [{ type: 'compaction', compact_threshold: 1000 }],
    });
    const events = await collect(stream);
    expect(events.map(({ sequence_number: number }) => number)).toEqual(events.map((_, index) => index));
    expect(events.slice(0, 5)).toMatchObject([
      { type: 'response.created' },
      { type: 'response.in_progress' },
      { type: 'response.output_item.added', output_index: 0, item: { type: 'compaction' } },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'compaction' } },
      { type: 'response.output_item.added', output_index: 1, item: { type: 'message' } },
    ]);
    expect(events.at(-1)).toMatchObject({
      type: 'response.completed',
      response: { output: [{ type: 'compaction' }, { type: 'message' }] },
    });
  });

  it('a compaction leaves the tool calls since the user spoke in sight', async () => {
    const simulator = createSimulator();
    const tool = { type: 'function', name: 'get_weather', parameters: { type: 'object' } };
    const first = await create(simulator, { ...COMPACTED, input: 'call get_weather', tools: [tool] });
    const [call] = first.output;
    const output = { type: 'function_call_output', call_id: call?.['call_id'], output: LONG };
    const second = await create(simulator, {
      ...COMPACTED,
      input: [output],
      tools: [tool],
      previous_response_id: first.id,
    });
    expect(seen(simulator)).toBe('x,u,c,r');
    expect(said(second)).toMatch(/^Answer 1: .*x "3 items: u,c,r".* The tools said "long x+…"$/);
    await create(simulator, { ...COMPACTED, input: 'and?', previous_response_id: second.id });
    expect(seen(simulator)).toBe('x,a,u');
  });

  it('a compaction of equal contexts is equal, however they came about', async () => {
    const simulator = createSimulator();
    const first = await create(simulator, { model: 'gpt-4.1', input: 'one' });
    const chained = await create(simulator, { ...COMPACTED, input: LONG, previous_response_id: first.id });
    const input = [user('one'), { role: 'assistant', content: said(first) }, user(LONG)];
    const replayed = await create(simulator, { ...COMPACTED, input });
    expect(replayed.output[0]?.['encrypted_content']).toBe(chained.output[0]?.['encrypted_content']);
    expect(said(replayed)).toBe(said(chained));
  });

  it('a compaction stands for the items of the one before it, too', async () => {
    const simulator = createSimulator();
    let previous: string | undefined;
    for (const text of ['one', LONG, 'three', LONG]) {
      const response = await create(simulator, { ...COMPACTED, input: text, previous_response_id: previous });
      previous = response.id;
    }
    const [compaction] = simulator.log.at(-1)?.context ?? [];
    expect(foldedItems(compaction ?? {})).toEqual([
      'u "one"',
      'a1',
      expect.stringMatching(/^u "long/),
      'a2',
      'u "three"',
      'a3',
      expect.stringMatching(/^u "long/),
    ]);
    expect(foldedItems({ type: 'message' })).toBeUndefined();
  });

  it('a compaction of a long history stays short', async () => {
    const simulator = createSimulator();
    const input = Array.from({ length: 200 }, (_, index) => user(`${index} ${'x'.repeat(30)}`));
    const { output } = await create(simulator, { ...COMPACTED, input });
    const [first = '', , , , fifth] = foldedItems(output[0] ?? {}) ?? [];
    expect([first.startsWith('u "0 '), fifth]).toEqual([true, 'u']);
    expect(String(output[0]?.['encrypted_content']).length).toBeLessThan(3000);
  });

  it('a compaction is billed as a reading of its own, and the next turn is billed without the items in it', async () => {
    const simulator = createSimulator();
    const plain = await create(simulator, { model: 'gpt-4.1', input: LONG });
    const first = await create(simulator, { ...COMPACTED, input: LONG });
    const second = await create(simulator, { ...COMPACTED, input: 'two', previous_response_id: first.id });
    expect(first.usage.input_tokens).toBeGreaterThan(2 * plain.usage.input_tokens);
    expect(first.usage.output_tokens).toBeGreaterThan(plain.usage.output_tokens);
    expect(first.usage.total_tokens).toBe(first.usage.input_tokens + first.usage.output_tokens);
    expect(second.usage.input_tokens * 3).toBeLessThan(first.usage.input_tokens);
  });

  it('a compaction that takes all output tokens ends the response', async () => {
    const simulator = createSimulator();
    const response = await create(simulator, {
      ...COMPACTED,
      model: 'gpt-5',
      input: LONG,
      max_output_tokens: 16,
    });
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'compaction' }],
    });
  });

  it('a compaction comes before reasoning, and can be sent without it', async () => {
    const simulator = createSimulator();
    const first = await create(simulator, { ...COMPACTED, model: 'gpt-5', input: LONG });
    expect(typesOf(first)).toEqual(['compaction', 'reasoning', 'message']);
    const link = { type: 'item_reference', id: first.output[0]?.id };
    await create(simulator, { model: 'gpt-5', input: [link, user('two')] });
    expect(seen(simulator)).toBe('x,u');
  });

  it('a context is compacted at four fifths of the window if the request names no threshold', async () => {
    const simulator = createSimulator({ contextWindow: 1200 });
    const managed = { model: 'gpt-4.1', context_management: [{ type: 'compaction' }] };
    expect(typesOf(await create(simulator, { ...managed, input: 'x'.repeat(3000) }))).toEqual(['message']);
    expect(typesOf(await create(simulator, { ...managed, input: LONG }))).toEqual(['compaction', 'message']);
  });

  it('a context beyond the window is refused although it reaches the threshold', async () => {
    const simulator = createSimulator({ contextWindow: 1500 });
    const client = clientOf(simulator);
    const request = { ...COMPACTED, input: LONG.repeat(2) };
    expect(await refusalOf(client.responses.create(request))).toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
      param: 'input',
    });
    const short = { ...request, input: [user(LONG), user(LONG)], truncation: 'auto' };
    expect(typesOf(await create(simulator, short))).toEqual(['compaction', 'message']);
  });

  it.each([
    ['by its ID', 'cmp_123', 'for item cmp_123'],
    ['in short', undefined, 'garb...bage'],
  ])('a compaction of another origin is refused, named %s', async (_, id, name) => {
    const simulator = createSimulator();
    for (const content of ['garbage', 'gAAAAABgarbage']) {
      const item = { type: 'compaction', encrypted_content: content, ...(id === undefined ? {} : { id }) };
      const answer = await ask(simulator, 'POST', '/responses', {
        model: 'gpt-4.1',
        input: [item, user('hi')],
      });
      expect(answer.status).toBe(400);
      expect(answer.body['error']).toEqual({
        type: 'invalid_request_error',
        code: 'invalid_encrypted_content',
        param: null,
        message: `The encrypted content ${id === undefined && content !== 'garbage' ? 'gAAA...bage' : name} could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
      });
    }
  });
});
