import { describe, expect, it } from 'vitest';
import { createSimulator, outline, textOf } from '../../../mocks/index.ts';
import { ask, clientOf, collect, rawRefusal, refusalOf } from '../support.ts';

const say = (...texts: readonly string[]): { role: 'user'; content: string }[] =>
  texts.map((content) => ({ role: 'user', content }));

describe('items of a conversation', () => {
  it('written items come back normalised, in the order of the request, with IDs', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    const list = await ask(simulator, 'POST', `/conversations/${id}/items`, {
      items: [
        { role: 'user', content: 'msg1' },
        { role: 'assistant', content: 'msg2' },
        { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'x' },
      ],
    });
    const [first, second, third, fourth] = simulator.snapshot().items;
    expect(list.body).toEqual({
      object: 'list',
      data: [
        {
          id: first?.id,
          type: 'message',
          status: 'completed',
          role: 'user',
          content: [{ type: 'input_text', text: 'msg1' }],
        },
        {
          id: second?.id,
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'msg2', annotations: [], logprobs: [] }],
        },
        {
          id: third?.id,
          type: 'function_call',
          status: 'completed',
          call_id: 'call_1',
          name: 'f',
          arguments: '{}',
        },
        { id: fourth?.id, type: 'function_call_output', status: 'completed', call_id: 'call_1', output: 'x' },
      ],
      first_id: first?.id,
      last_id: fourth?.id,
      has_more: false,
    });
    expect(first?.id).toMatch(/^msg_[0-9a-f]{48}$/);
    expect(first?.id.slice(-16)).toBe(id.slice(-16));
    expect(third?.id).toMatch(/^fc_/);
  });

  it('a list has the newest items first by default, 20 a page, and can be walked by cursor in both orders', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create();
    const texts = Array.from({ length: 45 }, (_, index) => `m${index}`);
    for (let from = 0; from < texts.length; from += 20) {
      await client.conversations.items.create(id, { items: say(...texts.slice(from, from + 20)) });
    }
    const page = await client.conversations.items.list(id);
    expect(page.data.map(textOf)).toEqual(texts.slice(-20).toReversed());
    expect(page).toMatchObject({ has_more: true, last_id: page.data[19]?.id });
    const walked = await collect(client.conversations.items.list(id, { order: 'asc', limit: 7 }));
    expect(walked.map(textOf)).toEqual(texts);
    const backwards = await collect(client.conversations.items.list(id, { order: 'desc' }));
    expect(backwards.map(textOf)).toEqual(texts.toReversed());
  });

  it('a list of an empty conversation is a page without cursors', async () => {
    const simulator = createSimulator();
    const { id } = await clientOf(simulator).conversations.create();
    expect((await ask(simulator, 'GET', `/conversations/${id}/items`)).body).toEqual({
      object: 'list',
      data: [],
      first_id: null,
      has_more: false,
      last_id: null,
    });
  });

  it('a list refuses a page that it cannot give', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({ items: say('one', 'two') });
    const [two, one] = (await client.conversations.items.list(id)).data;
    const refused = (query: string): Promise<unknown> =>
      rawRefusal(simulator, 'GET', `/conversations/${id}/items?${query}`);
    expect(await refused('limit=1000')).toMatchObject({
      status: 400,
      param: 'limit',
      code: 'integer_above_max_value',
      message: "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 1000 instead.",
    });
    expect(await refused('limit=0')).toMatchObject({ status: 400, code: 'integer_below_min_value' });
    expect(await refused('limit=many')).toMatchObject({ status: 400, code: 'invalid_type', param: 'limit' });
    expect(await refused('order=up')).toMatchObject({ status: 400, code: 'invalid_value', param: 'order' });
    expect(await refused('include[]=everything')).toMatchObject({
      status: 400,
      code: 'invalid_value',
      param: 'include',
    });
    await client.conversations.items.delete(two?.id ?? '', { conversation_id: id });
    expect(await refused(`after=${two?.id}`)).toEqual({
      status: 404,
      code: null,
      message: `No item found with id '${two?.id}'`,
      param: 'after',
      type: 'invalid_request_error',
    });
    expect((await client.conversations.items.list(id, { after: one?.id ?? '' })).data).toEqual([]);
  });

  it('an item can be retrieved', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create({ items: say('one') });
    const [item] = (await client.conversations.items.list(id)).data;
    expect(await client.conversations.items.retrieve(item?.id ?? '', { conversation_id: id })).toEqual(item);
    expect(await refusalOf(client.conversations.items.retrieve('msg_none', { conversation_id: id }))).toEqual(
      {
        status: 404,
        code: null,
        param: null,
        message: "Item with id 'msg_none' not found in conversation.",
      },
    );
  });

  it('the deletion of an item returns the conversation, and the item can be linked again', async () => {
    const client = clientOf(createSimulator());
    const conversation = await client.conversations.create({ items: say('one', 'two') });
    const [two] = (await client.conversations.items.list(conversation.id)).data;
    const where = { conversation_id: conversation.id };
    expect(await client.conversations.items.delete(two?.id ?? '', where)).toEqual(conversation);
    expect((await client.conversations.items.list(conversation.id)).data.map(textOf)).toEqual(['one']);
    expect(await refusalOf(client.conversations.items.delete(two?.id ?? '', where))).toMatchObject({
      status: 404,
    });
    await client.conversations.items.create(conversation.id, {
      items: [{ type: 'item_reference', id: two?.id ?? '' }],
    });
    expect((await client.conversations.items.list(conversation.id)).data.map(textOf)).toEqual(['two', 'one']);
  });

  it('a known ID links the stored item, ignores the content, and leaves the item in its conversation', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const first = await client.conversations.create({ items: say('original') });
    const second = await client.conversations.create();
    const [item] = (await client.conversations.items.list(first.id)).data;
    const linked = await ask(simulator, 'POST', `/conversations/${second.id}/items`, {
      items: [{ type: 'message', id: item?.id, role: 'user', content: 'another text' }],
    });
    expect(linked.body['data']).toEqual([item]);
    expect((await client.conversations.items.list(first.id)).data).toEqual([item]);
    expect((await client.conversations.items.list(second.id)).data).toEqual([item]);
  });

  it('an item that one call links twice is listed twice', async () => {
    const client = clientOf(createSimulator());
    const first = await client.conversations.create({ items: say('one') });
    const [item] = (await client.conversations.items.list(first.id)).data;
    const link = { type: 'item_reference' as const, id: item?.id ?? '' };
    const second = await client.conversations.create({ items: [link, link] });
    expect((await client.conversations.items.list(second.id)).data).toEqual([item, item]);
  });

  it('an item that is already in the conversation is refused', async () => {
    const simulator = createSimulator();
    const client = clientOf(simulator);
    const { id } = await client.conversations.create({ items: say('one') });
    const [item] = (await client.conversations.items.list(id)).data;
    expect(
      await rawRefusal(simulator, 'POST', `/conversations/${id}/items`, {
        items: [{ role: 'user', content: 'new' }, item],
      }),
    ).toEqual({
      status: 400,
      code: 'item_already_in_conversation',
      message: 'Item already in conversation',
      param: 'items',
      type: 'invalid_request_error',
    });
    expect(outline((await client.conversations.items.list(id)).data)).toBe('u');
  });

  it.each([
    [
      'a wrong prefix',
      { id: 'item_x', role: 'user', content: 'hi' },
      {
        status: 400,
        code: 'invalid_value',
        param: 'items[0].id',
        message: "Invalid 'items[0].id': 'item_x'. Expected an ID that begins with 'msg'.",
      },
    ],
    [
      'a wrong prefix of a call',
      { id: 'x', type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      {
        status: 400,
        code: 'invalid_value',
        message: "Invalid 'items[0].id': 'x'. Expected an ID that begins with 'fc'.",
      },
    ],
    [
      'an unknown ID',
      { id: 'msg_unknown', type: 'message', role: 'user', content: 'hi' },
      {
        status: 404,
        param: 'items',
        message: expect.stringContaining("Item with id 'msg_unknown' not found."),
      },
    ],
    [
      'reasoning with nothing in it',
      { type: 'reasoning', summary: [] },
      {
        status: 400,
        code: 'invalid_item',
        param: 'item',
        message: 'Invalid item',
      },
    ],
    [
      'a hosted tool call without an ID',
      { type: 'web_search_call', status: 'completed' },
      {
        status: 400,
        code: 'missing_required_parameter',
        param: 'items[0].id',
        message: "Missing required parameter: 'items[0].id'.",
      },
    ],
    [
      'a foreign key',
      { role: 'assistant', content: 'hi', model: 'gpt-4.1' },
      {
        status: 400,
        code: 'unknown_parameter',
        param: 'items[0].model',
        message: "Unknown parameter: 'items[0].model'.",
      },
    ],
    ['an unknown type', { type: 'poem' }, { status: 400, code: 'invalid_value', param: 'items[0].type' }],
    [
      'no type at all',
      { content: 'hi' },
      { status: 400, code: 'missing_required_parameter', param: 'items[0].type' },
    ],
    ['no object', 'hi', { status: 400, code: 'invalid_type', param: 'items[0]' }],
    [
      'no role it knows',
      { type: 'message', role: 'poet', content: 'hi' },
      { code: 'invalid_value', param: 'items[0].role' },
    ],
    [
      'a call without arguments',
      { type: 'function_call', call_id: 'c', name: 'f' },
      {
        code: 'missing_required_parameter',
        param: 'items[0].arguments',
      },
    ],
    [
      'arguments that are not text',
      { type: 'function_call', call_id: 'c', name: 'f', arguments: {} },
      {
        code: 'invalid_type',
        param: 'items[0].arguments',
      },
    ],
  ])('a write with %s is refused, and stores none of its items', async (_, item, error) => {
    const simulator = createSimulator();
    const { id } = await clientOf(simulator).conversations.create();
    const items = [item, { role: 'user', content: 'fine' }];
    expect(await rawRefusal(simulator, 'POST', `/conversations/${id}/items`, { items })).toMatchObject(error);
    expect(simulator.snapshot().items).toEqual([]);
  });

  it('encrypted reasoning is listed only on request', async () => {
    const client = clientOf(createSimulator());
    const { id } = await client.conversations.create({
      items: [{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'secret' }],
    });
    expect((await client.conversations.items.list(id)).data).toEqual([
      { id: 'rs_1', type: 'reasoning', summary: [], status: 'completed' },
    ]);
    const include = ['reasoning.encrypted_content' as const];
    expect((await client.conversations.items.list(id, { include })).data).toMatchObject([
      { encrypted_content: 'secret' },
    ]);
  });
});

describe('a lagging list', () => {
  it('a lagging list shows items of one append together, after so many reads', async () => {
    const client = clientOf(createSimulator({ lag: { reads: 2 } }));
    const { id } = await client.conversations.create({ items: say('old') });
    await client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id });
    const reads: string[] = [];
    for (let read = 0; read < 3; read += 1)
      reads.push(outline((await client.conversations.items.list(id, { order: 'asc' })).data));
    expect(reads).toEqual(['u', 'u', 'u,u,a']);
  });

  it('a lagging list shows items after a time of the clock, while the model already sees them', async () => {
    const simulator = createSimulator({ lag: 60_000 });
    const client = clientOf(simulator);
    const { id } = await client.conversations.create();
    await client.responses.create({ model: 'gpt-4.1', input: 'hi', conversation: id });
    expect((await client.conversations.items.list(id)).data).toEqual([]);
    const second = await client.responses.create({ model: 'gpt-4.1', input: 'more', conversation: id });
    expect(second.output_text).toBe('Answer 2: I see 3 items (2u 1a): u "hi", a1, u "more"');
    simulator.advance(60_000);
    expect(outline((await client.conversations.items.list(id)).data)).toBe('a,u,a,u');
  });
});
