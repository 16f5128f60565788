import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { ask, clientOf, refusalOf } from '../support.ts';

describe('API keys', () => {
  it('an API key does not see the objects of another', async () => {
    const simulator = createSimulator();
    const [mine, yours] = [clientOf(simulator, 'sk-mine'), clientOf(simulator, 'sk-yours')];
    const conversation = await mine.conversations.create({ items: [{ role: 'user', content: 'hi' }] });
    const response = await mine.responses.create({ model: 'gpt-4.1', input: 'hi' });
    const [item] = (await mine.conversations.items.list(conversation.id)).data;
    const hi = { model: 'gpt-4.1', input: 'hi' };
    const calls: Promise<unknown>[] = [
      yours.conversations.retrieve(conversation.id),
      yours.conversations.items.list(conversation.id),
      yours.responses.retrieve(response.id),
      yours.responses.inputItems.list(response.id),
      yours.responses.create({ ...hi, conversation: conversation.id }),
      yours.responses.create({ ...hi, input: [{ type: 'item_reference', id: item?.id ?? '' }] }),
      yours.conversations.create({ items: [{ type: 'item_reference', id: item?.id ?? '' }] }),
    ];
    for (const call of calls) expect(await refusalOf(call)).toMatchObject({ status: 404 });
    expect(
      await refusalOf(yours.responses.create({ ...hi, previous_response_id: response.id })),
    ).toMatchObject({
      code: 'previous_response_not_found',
    });
    expect(simulator.snapshot().conversations.map(({ tenant }) => tenant)).toEqual(['tenant-1']);
    expect((await mine.conversations.retrieve(conversation.id)).id).toBe(conversation.id);
  });

  it('a missing or unlisted API key is refused', async () => {
    const simulator = createSimulator({ apiKeys: ['sk-known'] });
    expect(await ask(simulator, 'POST', '/conversations', {}, {})).toMatchObject({
      status: 401,
      body: { error: { message: 'Missing bearer authentication in header' } },
    });
    expect(await refusalOf(clientOf(simulator, 'sk-unknown').conversations.create())).toMatchObject({
      status: 401,
      code: 'invalid_api_key',
    });
    await clientOf(simulator, 'sk-known').conversations.create();
  });
});

describe('simulators side by side', () => {
  it('two simulators share no state', async () => {
    const [left, right] = [createSimulator(), createSimulator()];
    const { id } = await clientOf(left).responses.create({ model: 'gpt-4.1', input: 'hi' });
    left.fault('*', 'server_error');
    left.advance(5000);
    expect(right.log).toEqual([]);
    expect(right.snapshot().responses).toEqual([]);
    expect(right.now()).toBeLessThan(left.now());
    expect(await refusalOf(clientOf(right).responses.retrieve(id))).toMatchObject({ status: 404 });
  });
});
