import { describe, expect, it } from 'vitest';
import { createSimulator, outline, textOf } from '../../../mocks/index.ts';
import { clientOf, rawRefusal, refusalOf } from '../support.ts';

describe('compaction', () => {
  it.each([
    ['gpt-4.1', 'u,u,x'],
    ['gpt-5.2', 'u,u,x'],
    ['gpt-5.4', 'u,a,u,a,x'],
  ])('a compaction with %s keeps %s of a chain, with their IDs', async (model, kept) => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    const second = await client.responses.create({
      model: 'gpt-4.1',
      input: 'two',
      previous_response_id: first.id,
    });
    const compacted = await client.responses.compact({ model, input: [], previous_response_id: second.id });
    expect(compacted).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-f]{16}01/),
      object: 'response.compaction',
      usage: { input_tokens: expect.any(Number) },
    });
    expect(outline(compacted.output)).toBe(kept);
    expect(compacted.output.at(-1)).toMatchObject({
      type: 'compaction',
      id: expect.stringMatching(/^cmp_/),
      encrypted_content: expect.stringMatching(/^gAAAA/),
    });
    const stored = new Set(simulator.snapshot().items.map(({ id }) => id));
    expect(compacted.output.slice(0, -1).every((item) => stored.has(item.id ?? ''))).toBe(true);
  });

  it('a compaction can be neither retrieved nor continued', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.responses.compact({ model: 'gpt-4.1', input: 'hi' });
    expect(await refusalOf(client.responses.retrieve(id))).toMatchObject({ status: 404 });
    expect(
      await refusalOf(client.responses.create({ model: 'gpt-4.1', input: 'x', previous_response_id: id })),
    ).toMatchObject({ status: 400, code: 'previous_response_not_found' });
  });

  it('a compaction begins a new chain, in which the model sees its items', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'one' });
    const { output } = await client.responses.compact({ model: 'gpt-4.1', previous_response_id: first.id });
    const next = await client.post<{ output: object[] }>('/responses', {
      body: { model: 'gpt-4.1', input: [...output, { role: 'user', content: 'two' }] },
    });
    expect(textOf(next.output[0] ?? {})).toBe(
      'Answer 2: I see 3 items (2u 1x): u "one", x "2 items: u,a", u "two"',
    );
  });

  it('a compaction bills the context that it reads, and refuses one that is longer than the window', async () => {
    const client = clientOf(createSimulator({ contextWindow: 1000 }));
    const request = { model: 'gpt-4.1' as const, input: 'x'.repeat(3000) };
    const { usage } = await client.responses.compact(request);
    const answered = await client.responses.create(request);
    expect(usage.input_tokens).toBe(answered.usage?.input_tokens);
    expect(usage.output_tokens).toBeGreaterThan(0);
    expect(await refusalOf(client.responses.compact({ ...request, input: 'x'.repeat(5000) }))).toEqual({
      status: 400,
      code: 'context_length_exceeded',
      param: 'input',
      message: 'Your input exceeds the context window of this model. Please adjust your input and try again.',
    });
  });

  it('a compaction needs a model and input, and refuses a conversation', async () => {
    const simulator = createSimulator();
    const refused = (body: object): Promise<unknown> =>
      rawRefusal(simulator, 'POST', '/responses/compact', body);
    expect(await refused({ input: 'hi' })).toMatchObject({ status: 400, param: 'model' });
    expect(await refused({ model: 'gpt-4.1' })).toMatchObject({
      status: 400,
      code: 'missing_required_parameter',
    });
    expect(await refused({ model: 'gpt-4.1', conversation: 'conv_x' })).toMatchObject({
      code: 'unknown_parameter',
    });
    expect(await refused({ model: 'gpt-4.1', previous_response_id: 'resp_x' })).toMatchObject({
      code: 'previous_response_not_found',
    });
  });
});

describe('counting input tokens', () => {
  it('a count of input tokens equals the billed tokens, and creates no response', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const request = {
      model: 'gpt-4.1',
      input: 'more',
      previous_response_id: first.id,
      instructions: 'be brief',
    };
    const counted = await client.responses.inputTokens.count(request);
    expect(simulator.snapshot().responses).toHaveLength(1);
    const billed = await client.responses.create(request);
    expect(counted).toEqual({ object: 'response.input_tokens', input_tokens: billed.usage?.input_tokens });
  });

  it('a count of input tokens leaves out the items that truncation drops', async () => {
    const client = clientOf(createSimulator({ contextWindow: 1000 }));
    const input = [1, 2, 3].map((turn) => ({
      role: 'user' as const,
      content: `${turn} ${'x'.repeat(1600)}`,
    }));
    const request = { model: 'gpt-4.1', input };
    const whole = await client.responses.inputTokens.count(request);
    const kept = await client.responses.inputTokens.count({ ...request, truncation: 'auto' });
    const billed = await client.responses.create({ ...request, truncation: 'auto' });
    expect(whole.input_tokens).toBeGreaterThan(1000);
    expect(kept.input_tokens).toBe(billed.usage?.input_tokens);
  });

  it("a count of input tokens includes a conversation's items, and refuses an unknown parent", async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'hello' }] });
    const counted = await client.responses.inputTokens.count({ model: 'gpt-4.1', conversation: id });
    expect(counted.input_tokens).toBeGreaterThan(0);
    expect(
      await refusalOf(
        client.responses.inputTokens.count({ model: 'gpt-4.1', previous_response_id: 'resp_x' }),
      ),
    ).toMatchObject({ code: 'previous_response_not_found' });
  });
});
