import { describe, expect, test } from 'vitest';
import { InvalidResponseError } from '../../src/errors/invalid-response-error.ts';
import { apiItems, MOST_PAGES, readConversation, readPages } from '../../src/history/conversation-list.ts';
import { DEEPEST } from '../../src/ledger/copy-json.ts';
import { clientOn, page } from '../support/fake-client.ts';
import { simulated } from '../support/simulated.ts';

const SECRET = 'what the user said';

/** The items from one number to another. */
function items(from: number, to: number): { id: string; type: string }[] {
  return Array.from({ length: to - from }, (_, at) => ({ id: `msg_${from + at}`, type: 'message' }));
}

/** Reads the given pages, the last one again and again. */
async function read(...pages: unknown[]): Promise<{ ids: string[]; asked: (string | undefined)[] }> {
  const asked: (string | undefined)[] = [];
  const read = await readPages('conversations.items.list', async (after) => {
    asked.push(after);
    return pages[Math.min(asked.length, pages.length) - 1];
  });
  return { ids: read.map(({ id }) => id), asked };
}

describe('pages', () => {
  test('are read until there are no more, each from the last item of the one before', async () => {
    const { ids, asked } = await read(
      { data: items(0, 2), has_more: true, last_id: 'msg_1' },
      { data: items(2, 4), has_more: true, last_id: 'msg_3' },
      { data: items(4, 5), has_more: false, last_id: 'msg_4' },
    );
    expect(ids).toEqual(items(0, 5).map(({ id }) => id));
    expect(asked).toEqual([undefined, 'msg_1', 'msg_3']);
  });

  test('are read on where a page forgets its cursor', async () => {
    const { ids } = await read({ data: items(0, 2), has_more: true }, { data: items(2, 3), has_more: false });
    expect(ids).toEqual(['msg_0', 'msg_1', 'msg_2']);
  });

  test('end where nothing is left to read on from', async () => {
    expect(await read({ data: [], has_more: true })).toEqual({ ids: [], asked: [undefined] });
    expect((await read({ data: items(0, 1), has_more: true }, { data: [], has_more: true })).ids).toEqual([
      'msg_0',
    ]);
  });

  test('that lead back to themselves are an error, not an endless list', async () => {
    const circle = { data: items(0, 2), has_more: true };
    await expect(read(circle)).rejects.toThrow(
      "Cannot use the answer to conversations.items.list: page after 'msg_1' leads back to itself",
    );
  });

  test('may be many and long', async () => {
    const pages = Array.from({ length: 50 }, (_, at) => ({
      data: items(at * 100, at * 100 + 100),
      has_more: at < 49,
    }));
    expect((await read(...pages)).ids).toHaveLength(5000);
  });

  test.each([
    ['nothing', undefined],
    ['null', null],
    ['text', '<html>'],
    ['an object of another kind', { object: 'error' }],
    ['data that is no list', { data: { id: 'msg_1' }, has_more: false }],
    ['an item without an ID', { data: [{ type: 'message', content: SECRET }], has_more: false }],
    ['an item with an empty ID', { data: [{ id: '', type: 'message' }], has_more: false }],
    ['an item without a type', { data: [{ id: 'msg_1', content: SECRET }], has_more: false }],
    ['an item that is none', { data: [SECRET], has_more: false }],
    ['null among the items', { data: [null], has_more: false }],
  ])('that are %s are not believed, and not quoted', async (_kind, garbage) => {
    const failure = read({ data: items(0, 1), has_more: true }, garbage);
    await expect(failure).rejects.toMatchObject({
      code: 'invalid_response',
      operation: 'conversations.items.list',
    });
    await expect(failure).rejects.not.toThrow(SECRET);
  });
});

/** What the client throws for an item that is not there. */
const notFound = Object.assign(new Error('no such item'), { status: 404 });

/** Reads pages of two; as often as said the page behind an item is refused because that one is gone. */
async function readWith(gone: number, total = 5): Promise<{ ids: string[]; counts: number[] }> {
  let left = gone;
  const counts: number[] = [];
  const reader = async (after: string | undefined): Promise<unknown> => {
    const from = after === undefined ? 0 : Number(after.slice(4)) + 1;
    if (from === 4 && left > 0) {
      left -= 1;
      throw notFound;
    }
    return { data: items(from, Math.min(from + 2, total)), has_more: from + 2 < total };
  };
  const read = await readPages('list', reader, (count) => counts.push(count));
  return { ids: read.map(({ id }) => id), counts };
}

describe('a list whose item was taken out while it was read', () => {
  test('is read again from the beginning', async () => {
    const { ids, counts } = await readWith(2);
    expect(ids).toEqual(items(0, 5).map(({ id }) => id));
    expect(counts).toEqual([2, 4, 2, 4, 2, 4, 5]);
  });

  test('is given up when that happens again and again', async () => {
    await expect(readWith(3)).rejects.toThrow(
      'Cannot use the answer to list: its items are taken out faster than they can be read',
    );
  });

  test('is not mistaken for one that does not exist, nor for one that cannot be read', async () => {
    await expect(readPages('list', async () => Promise.reject(notFound))).rejects.toBe(notFound);
    const down = Object.assign(new Error('down'), { status: 500 });
    const failing = async (after: string | undefined): Promise<unknown> => {
      if (after !== undefined) throw down;
      return { data: items(0, 1), has_more: true };
    };
    await expect(readPages('list', failing)).rejects.toBe(down);
  });
});

test('a list without an end is given up', async () => {
  let count = 0;
  const endless = readPages('list', async () => {
    count += 1;
    return { data: items(count, count + 1), has_more: true };
  });
  await expect(endless).rejects.toThrow('Cannot use the answer to list: its pages do not end');
  expect(count).toBe(MOST_PAGES + 1);
});

const nested = (levels: number): object => {
  let value: object = {};
  for (let level = 1; level < levels; level += 1) value = { value };
  return { ...items(0, 1)[0], value };
};

test('an item nested deeper than anyone can read is not taken, and is named by its place', () => {
  expect(() => apiItems('list', [items(0, 1)[0], nested(DEEPEST)])).toThrow(
    `Cannot use the answer to list: item 1 is nested deeper than ${DEEPEST} levels`,
  );
  expect(apiItems('list', [nested(DEEPEST - 1)])).toHaveLength(1);
});

describe('a conversation', () => {
  test('is read whole, in as few requests as the API allows', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({});
    for (let turn = 0; turn < 12; turn += 1) {
      const said = Array.from({ length: 20 }, (_, at) => ({
        role: 'user' as const,
        content: `${turn}-${at}`,
      }));
      await client.conversations.items.create(id, { items: said });
    }
    const before = simulator.log.length;
    const list = await readConversation(client, id);
    expect(list).toHaveLength(240);
    expect(list.map((item) => item.id)).toEqual(
      simulator.snapshot().conversations[0]?.items.map((item) => item.id),
    );
    expect(simulator.log.length - before).toBe(3);
  });

  test('is read whole although no page tells its cursor', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({});
    for (let turn = 0; turn < 6; turn += 1) {
      const said = Array.from({ length: 20 }, (_, at) => ({
        role: 'user' as const,
        content: `${turn}-${at}`,
      }));
      await client.conversations.items.create(id, { items: said });
    }
    simulator.fault('conversations.items.list', 'missing_cursor');
    expect(await readConversation(client, id)).toHaveLength(120);
  });

  test('asks for what a list leaves out unless it is asked', async () => {
    const asked: string[] = [];
    const client = clientOn((url) => {
      asked.push(...url.searchParams.getAll('include[]'));
      return page([]);
    });
    await readConversation(client, 'conv_1');
    expect(asked).toContain('message.input_image.image_url');
    expect(asked).toContain('reasoning.encrypted_content');
  });

  test.each([
    ['JSON of another kind', () => Response.json({})],
    ['a JSON text', () => Response.json(SECRET)],
    ['null', () => Response.json(null)],
    [
      'a page of HTML',
      () => new Response(`<html>${SECRET}</html>`, { headers: { 'content-type': 'text/html' } }),
    ],
    [
      'half of a page',
      () =>
        new Response(`{"data": [{"text": "${SECRET}`, { headers: { 'content-type': 'application/json' } }),
    ],
    ['nothing at all', () => new Response(null, { status: 204 })],
  ])('is not taken for empty when the answer is %s', async (_kind, answer) => {
    const failure = readConversation(clientOn(answer), 'conv_1');
    await expect(failure).rejects.toThrow(InvalidResponseError);
    await expect(failure).rejects.not.toThrow(SECRET);
  });

  test("that does not exist is the API's own error", async () => {
    const { client } = simulated();
    await expect(readConversation(client, 'conv_missing')).rejects.toMatchObject({ status: 404 });
  });
});

test('items keep every field that the API gave them', () => {
  const item = { id: 'x_1', type: 'telepathy_call', thought: { of: 'you' } };
  expect(apiItems('responses.retrieve', [item])).toEqual([item]);
});

const answering = (answer: unknown): ReturnType<typeof clientOn> => clientOn(() => Response.json(answer));

test('what is wrong with a list is said, and of which', async () => {
  await expect(readConversation(answering({ data: 'none' }), 'conv_1')).rejects.toThrow(
    'Cannot use the answer to conversations.items.list: it holds no array of items',
  );
  const bad = { data: [...items(0, 1), { id: 'msg_2' }] };
  await expect(readConversation(answering(bad), 'conv_1')).rejects.toThrow('item 1 has no ID or no type');
});

test('a read can be ended', async () => {
  const { client } = simulated();
  const { id } = await client.conversations.create({});
  await expect(readConversation(client, id, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'Error',
    message: 'Request was aborted.',
  });
});
