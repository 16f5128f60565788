import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { clientOf, collect } from '../support.ts';

const TOOL = {
  type: 'function',
  name: 'look',
  parameters: {
    type: 'object',
    properties: { place: { type: 'string' } },
    required: ['place'],
    additionalProperties: false,
  },
  strict: true,
} as const;

describe('the tokens of a response', () => {
  it('an item is counted by its text', async () => {
    const client = clientOf(createSimulator({ respond: () => 'two + two is 4' }));
    const { usage } = await client.responses.create({ model: 'gpt-4.1', input: 'hello world' });
    expect(usage).toMatchObject({ input_tokens: 3 + 4, output_tokens: 4, total_tokens: 11 });
    const parts = [
      { role: 'user' as const, content: [{ type: 'input_text' as const, text: 'hello world' }] },
    ];
    const counted = await client.responses.inputTokens.count({ model: 'gpt-4.1', input: parts });
    expect(counted.input_tokens).toBe(usage?.input_tokens);
  });

  it('a call is counted by its name and its arguments', async () => {
    const client = clientOf(createSimulator());
    const { usage } = await client.responses.create({
      model: 'gpt-4.1',
      input: 'call look {"place":"Oslo"}',
      tools: [TOOL],
    });
    expect(usage?.output_tokens).toBe(('look'.length + '{"place":"Oslo"}'.length) / 4);
  });

  it('an output never has more tokens than max_output_tokens', async () => {
    const answers = fc.record(
      {
        text: fc.string({ maxLength: 200 }),
        refusal: fc.string({ maxLength: 200 }),
        reasoning: fc.string({ maxLength: 200 }),
        calls: fc.array(fc.record({ name: fc.constant('look'), arguments: fc.string({ maxLength: 200 }) }), {
          maxLength: 3,
        }),
      },
      { requiredKeys: [] },
    );
    const most = fc.integer({ min: 16, max: 120 });
    const models = fc.constantFrom('gpt-4.1', 'o3', 'gpt-6-sol');
    await fc.assert(
      fc.asyncProperty(answers, most, models, async (answer, max, model) => {
        const client = clientOf(createSimulator({ respond: () => answer }));
        const settings = model === 'gpt-4.1' ? {} : { reasoning: { effort: 'low' as const } };
        const response = await client.responses.create({
          model,
          input: 'hi',
          max_output_tokens: max,
          ...settings,
        });
        const whole = await client.responses.create({ model, input: 'hi', ...settings });
        expect(response.usage?.output_tokens).toBeLessThanOrEqual(max);
        const isCut = (whole.usage?.output_tokens ?? 0) > max;
        expect(response.status).toBe(isCut ? 'incomplete' : 'completed');
        expect(response.incomplete_details).toEqual(isCut ? { reason: 'max_output_tokens' } : null);
      }),
      { numRuns: 150 },
    );
  });

  it('an answer that is cut off ends in the middle of its text, and calls no tool', async () => {
    const simulator = createSimulator({
      respond: () => ({ text: 'a'.repeat(100), calls: [{ name: 'look', arguments: '{}' }] }),
    });
    const response = await clientOf(simulator).responses.create({
      model: 'gpt-4.1',
      input: 'hi',
      max_output_tokens: 16,
    });
    expect(response.output).toMatchObject([{ status: 'incomplete', content: [{ text: 'a'.repeat(64) }] }]);
    expect(response.usage?.output_tokens).toBe(16);
  });
});

describe('the probabilities of tokens', () => {
  const asked = { model: 'gpt-4.1', input: 'hi', include: ['message.output_text.logprobs'] } as const;

  it.each([
    [{ include: [...asked.include] }, 0],
    [{ top_logprobs: 3 }, 3],
  ])('each token of a text has its probability if the request asks for it: %j', async (settings, top) => {
    const client = clientOf(createSimulator());
    const {
      output,
      output_text: text,
      usage,
    } = await client.responses.create({ ...asked, include: [], ...settings });
    const [part] = output[0]?.type === 'message' ? output[0].content : [];
    const logprobs = part?.type === 'output_text' ? (part.logprobs ?? []) : [];
    expect(logprobs.map(({ token }) => token).join('')).toBe(text);
    expect(logprobs).toHaveLength(usage?.output_tokens ?? 0);
    for (const each of logprobs) {
      expect(each.logprob).toBeLessThanOrEqual(0);
      expect(each.bytes).toEqual([...Buffer.from(each.token)]);
      expect(each.top_logprobs).toHaveLength(top);
    }
  });

  it('a stream gives each delta the probability of its token', async () => {
    const client = clientOf(createSimulator());
    const events = await collect(
      await client.responses.create({ ...asked, include: [...asked.include], top_logprobs: 2, stream: true }),
    );
    const deltas = events.flatMap((event) => (event.type === 'response.output_text.delta' ? [event] : []));
    expect(deltas.length).toBeGreaterThan(3);
    for (const { delta, logprobs } of deltas) {
      expect(logprobs).toMatchObject([{ token: delta, top_logprobs: [{ token: delta }, {}] }]);
    }
  });

  it('a text has no probabilities if the request does not ask for them', async () => {
    const { output } = await clientOf(createSimulator()).responses.create({ model: 'gpt-4.1', input: 'hi' });
    expect(output).toMatchObject([{ content: [{ logprobs: [] }] }]);
  });
});
