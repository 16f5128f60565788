import { describe, expect, it } from 'vitest';
import { createSimulator, foldedItems, outline } from '../../../mocks/index.ts';
import { ask, clientOf, collect, rawRefusal } from '../support.ts';

const TRIGGER = { type: 'compaction_trigger' as const };
const HI = { role: 'user' as const, content: 'hi' };

describe('a compaction trigger', () => {
  it('a trigger is answered with a compaction of the context alone', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.responses.create({ model: 'gpt-5', input: 'hi' });
    const triggered = await client.responses.create({
      model: 'gpt-5',
      input: [TRIGGER],
      previous_response_id: first.id,
    });
    expect(triggered).toMatchObject({ status: 'completed', output: [{ type: 'compaction' }] });
    expect(foldedItems(triggered.output[0] ?? {})).toEqual(['u "hi"', 't', 'a1']);
    expect(outline(simulator.log.at(-1)?.context ?? [])).toBe('u,t,a');
    expect(triggered.usage?.input_tokens).toBeGreaterThan(0);
    expect((await client.responses.inputItems.list(triggered.id)).data).toEqual([]);
    const next = await client.responses.create({
      model: 'gpt-4.1',
      input: 'more',
      previous_response_id: triggered.id,
    });
    expect(next.output_text).toBe('Answer 2: I see 2 items (1x 1u): x "3 items: u,t,a", u "more"');
  });

  it('a stream tells a triggered compaction between its beginning and its end', async () => {
    const client = clientOf(createSimulator());
    const stream = await client.responses.create({ model: 'gpt-4.1', input: [HI, TRIGGER], stream: true });
    const events = await collect(stream);
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.compaction.compacting',
      'response.output_item.done',
      'response.completed',
    ]);
    const [, , added] = events;
    const item = added?.type === 'response.output_item.added' ? added.item : undefined;
    expect(events[3]).toEqual({
      type: 'response.compaction.compacting',
      item_id: item?.id,
      output_index: 0,
      sequence_number: 3,
    });
  });

  it.each([
    [
      'not the last item',
      { input: [TRIGGER, HI] },
      'input',
      "The 'compaction_trigger' item must be the final input item.",
    ],
    [
      'there twice',
      { input: [HI, TRIGGER, TRIGGER], max_output_tokens: 16 },
      'input',
      "Only one 'compaction_trigger' item may be provided.",
    ],
    [
      'left too few output tokens',
      { input: [HI, TRIGGER], max_output_tokens: 16 },
      'max_output_tokens',
      "'compaction_trigger' requires 'max_output_tokens' to be at least 20000 when specified.",
    ],
    [
      'sent with an unknown field',
      { input: [HI, { ...TRIGGER, note: 1 }] },
      'input[1].note',
      "Unknown parameter: 'input[1].note'.",
    ],
  ])('a trigger is refused if it is %s', async (_, body, param, message) => {
    const simulator = createSimulator();
    expect(await rawRefusal(simulator, 'POST', '/responses', { model: 'gpt-4.1', ...body })).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      param,
      message,
    });
  });

  it('a trigger is no item of a conversation', async () => {
    const simulator = createSimulator();
    expect(await rawRefusal(simulator, 'POST', '/conversations', { items: [TRIGGER] })).toMatchObject({
      code: 'invalid_value',
      param: 'items[0].type',
    });
    const { status } = await ask(simulator, 'POST', '/responses', { model: 'gpt-4.1', input: [TRIGGER] });
    expect(status).toBe(400);
  });
});
