import { describe, expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/index.ts';
import { ask, clientOf, rawRefusal, refusalOf } from '../support.ts';

describe('conversations', () => {
  it('a conversation is created with or without a body, and does not show its items', async () => {
    const simulator = createSimulator();
    for (const body of [undefined, {}, { items: [] }, { items: null, metadata: null }]) {
      const answer = await ask(simulator, 'POST', '/conversations', body);
      expect(answer.body).toEqual({
        id: expect.stringMatching(/^conv_[0-9a-f]{48}$/),
        object: 'conversation',
        created_at: Math.floor(Date.UTC(2026, 0, 1) / 1000),
        metadata: {},
      });
    }
  });

  it('a conversation is created with up to 20 items', async () => {
    const client = clientOf(createSimulator());
    const items = Array.from({ length: 20 }, (_, index) => ({ role: 'user' as const, content: `${index}` }));
    const { id } = await client.conversations.create({ items });
    expect((await client.conversations.items.list(id, { limit: 100 })).data).toHaveLength(20);
    expect(await refusalOf(client.conversations.create({ items: [...items, ...items.slice(0, 1)] }))).toEqual(
      {
        status: 400,
        code: 'array_above_max_length',
        param: 'items',
        message:
          "Invalid 'items': array too long. Expected an array with maximum length 20, but got an array with length 21 instead.",
      },
    );
  });

  it('a conversation has the metadata of its last update alone', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create({ metadata: { a: '1', b: '2' } });
    await client.conversations.update(id, { metadata: { c: '3' } });
    expect((await client.conversations.retrieve(id)).metadata).toEqual({ c: '3' });
    await client.conversations.update(id, { metadata: null });
    expect((await client.conversations.retrieve(id)).metadata).toEqual({});
  });

  it('metadata holds at most 16 pairs, keys of 64 and values of 512 characters', async () => {
    const simulator = createSimulator();
    const refused = (metadata: unknown): Promise<unknown> =>
      rawRefusal(simulator, 'POST', '/conversations', { metadata });
    const pairs = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v']));
    expect(await refused(pairs)).toMatchObject({
      status: 400,
      code: 'object_above_max_properties',
      param: 'metadata',
      message:
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, but got an object with 17 properties instead.",
    });
    expect(await refused({ ['k'.repeat(65)]: 'v' })).toMatchObject({ code: 'string_above_max_length' });
    expect(await refused({ k: 'v'.repeat(513) })).toMatchObject({
      code: 'string_above_max_length',
      param: 'metadata.k',
    });
    expect(await refused({ k: 1 })).toMatchObject({ code: 'invalid_type', param: 'metadata.k' });
    expect(await refused('text')).toMatchObject({ code: 'invalid_type', param: 'metadata' });
    const fits = { ['k'.repeat(64)]: 'v'.repeat(512) };
    expect((await ask(simulator, 'POST', '/conversations', { metadata: fits })).body['metadata']).toEqual(
      fits,
    );
  });

  it('a deleted conversation is gone, while its items stay in other conversations', async () => {
    const client = clientOf(createSimulator());
    const first = await client.conversations.create({ items: [{ role: 'user', content: 'hi' }] });
    const [item] = (await client.conversations.items.list(first.id)).data;
    const second = await client.conversations.create({
      items: [{ type: 'item_reference', id: item?.id ?? '' }],
    });
    expect(await client.conversations.delete(first.id)).toEqual({
      id: first.id,
      object: 'conversation.deleted',
      deleted: true,
    });
    const gone = {
      status: 404,
      code: null,
      param: null,
      message: `Conversation with id '${first.id}' not found.`,
    };
    expect(await refusalOf(client.conversations.retrieve(first.id))).toEqual(gone);
    expect(await refusalOf(client.conversations.delete(first.id))).toEqual(gone);
    expect(await refusalOf(client.conversations.update(first.id, { metadata: {} }))).toEqual(gone);
    expect(await refusalOf(client.conversations.items.list(first.id))).toEqual(gone);
    expect(await refusalOf(client.conversations.items.create(first.id, { items: [] }))).toEqual(gone);
    expect((await client.conversations.items.list(second.id)).data).toEqual([item]);
  });

  it.each([
    ['user-42', "Expected an ID that begins with 'conv'."],
    ['resp_1', "Expected an ID that begins with 'conv'."],
    [
      'ada@example.com',
      'Expected an ID that contains letters, numbers, underscores, or dashes, but this value contained additional characters.',
    ],
  ])('an ID of another kind than a conversation is refused by its form: %s', async (id, words) => {
    const client = clientOf(createSimulator());
    const refused = (param: string): object => ({
      status: 400,
      code: 'invalid_value',
      param,
      message: `Invalid '${param}': '${id}'. ${words}`,
    });
    expect(await refusalOf(client.conversations.retrieve(id))).toEqual(refused('conversation_id'));
    expect(await refusalOf(client.conversations.items.list(id))).toEqual(refused('conversation_id'));
    const asked = client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id });
    expect(await refusalOf(asked)).toEqual(refused('conversation'));
  });

  it('a conversation refuses unknown fields', async () => {
    const simulator = createSimulator();
    expect(await rawRefusal(simulator, 'POST', '/conversations', { title: 'x' })).toEqual({
      status: 400,
      message: "Unknown parameter: 'title'.",
      type: 'invalid_request_error',
      param: 'title',
      code: 'unknown_parameter',
    });
  });
});
