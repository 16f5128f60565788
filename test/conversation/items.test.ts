import { describe, expect, test } from 'vitest';
import { InvalidResponseError } from '../../src/errors/session.ts';
import { contentCache } from '../../src/conversation/content-cache.ts';
import { apiItems, MAX_PAGES, readConversation, readPages } from '../../src/conversation/items.ts';
import { ResponseReader } from '../../src/conversation/response-reader.ts';
import { MAX_DEPTH } from '../../src/util/copy-json.ts';
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
  test('readPages reads all pages, each from the last item of the previous one', async () => {
    const { ids, asked } = await read(
      { data: items(0, 2), has_more: true, last_id: 'msg_1' },
      { data: items(2, 4), has_more: true, last_id: 'msg_3' },
      { data: items(4, 5), has_more: false, last_id: 'msg_4' },
    );
    expect(ids).toEqual(items(0, 5).map(({ id }) => id));
    expect(asked).toEqual([undefined, 'msg_1', 'msg_3']);
  });

  test('readPages continues after a page without a cursor', async () => {
    const { ids } = await read({ data: items(0, 2), has_more: true }, { data: items(2, 3), has_more: false });
    expect(ids).toEqual(['msg_0', 'msg_1', 'msg_2']);
  });

  test('readPages ends after an empty page', async () => {
    expect(await read({ data: [], has_more: true })).toEqual({ ids: [], asked: [undefined] });
    expect((await read({ data: items(0, 1), has_more: true }, { data: [], has_more: true })).ids).toEqual([
      'msg_0',
    ]);
  });

  test('readPages refuses pages that lead back to themselves', async () => {
    const circle = { data: items(0, 2), has_more: true };
    await expect(read(circle)).rejects.toThrow(
      "Cannot use the response to conversations.items.list: page after 'msg_1' leads back to itself",
    );
  });

  test('readPages reads many long pages', async () => {
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
  ])('readPages refuses pages that are %s, without quoting them', async (_kind, garbage) => {
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
  test('a list is read again when the item of a cursor was deleted', async () => {
    const { ids, counts } = await readWith(2);
    expect(ids).toEqual(items(0, 5).map(({ id }) => id));
    expect(counts).toEqual([2, 4, 2, 4, 2, 4, 5]);
  });

  test('the read of a list fails when the items of its cursors are deleted repeatedly', async () => {
    await expect(readWith(3)).rejects.toThrow(
      'Cannot use the response to list: its items are taken out faster than they can be read',
    );
  });

  test('a list with a deleted cursor item differs from a missing and from an unreadable list', async () => {
    await expect(readPages('list', async () => Promise.reject(notFound))).rejects.toBe(notFound);
    const down = Object.assign(new Error('down'), { status: 500 });
    const failing = async (after: string | undefined): Promise<unknown> => {
      if (after !== undefined) throw down;
      return { data: items(0, 1), has_more: true };
    };
    await expect(readPages('list', failing)).rejects.toBe(down);
  });
});

test('the read of an endless list fails', async () => {
  let count = 0;
  const endless = readPages('list', async () => {
    count += 1;
    return { data: items(count, count + 1), has_more: true };
  });
  await expect(endless).rejects.toThrow('Cannot use the response to list: its pages do not end');
  expect(count).toBe(MAX_PAGES + 1);
});

const nested = (levels: number): object => {
  let value: object = {};
  for (let level = 1; level < levels; level += 1) value = { value };
  return { ...items(0, 1)[0], value };
};

test('an item that is nested too deeply is refused by its position', () => {
  expect(() => apiItems('list', [items(0, 1)[0], nested(MAX_DEPTH)])).toThrow(
    `Cannot use the response to list: item 1 is nested deeper than ${MAX_DEPTH} levels`,
  );
  expect(apiItems('list', [nested(MAX_DEPTH - 1)])).toHaveLength(1);
});

describe('a conversation', () => {
  test('a conversation is read in as few requests as the API allows', async () => {
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

  test('a conversation is read completely although its pages have no cursor', async () => {
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

  test('the read of a conversation requests the fields that are optional in a list', async () => {
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
  ])('a conversation does not count as empty when the answer is %s', async (_kind, answer) => {
    const failure = readConversation(clientOn(answer), 'conv_1');
    await expect(failure).rejects.toThrow(InvalidResponseError);
    await expect(failure).rejects.not.toThrow(SECRET);
  });

  test("a missing conversation is the API's own error", async () => {
    const { client } = simulated();
    await expect(readConversation(client, 'conv_missing')).rejects.toMatchObject({ status: 404 });
  });
});

test('listed items keep all fields of the API', () => {
  const item = { id: 'x_1', type: 'telepathy_call', thought: { of: 'you' } };
  expect(apiItems('responses.retrieve', [item])).toEqual([item]);
});

const answering = (answer: unknown): ReturnType<typeof clientOn> => clientOn(() => Response.json(answer));

test('an unreadable list is reported with its operation and problem', async () => {
  await expect(readConversation(answering({ data: 'none' }), 'conv_1')).rejects.toThrow(
    'Cannot use the response to conversations.items.list: it holds no array of items',
  );
  const bad = { data: [...items(0, 1), { id: 'msg_2' }] };
  await expect(readConversation(answering(bad), 'conv_1')).rejects.toThrow('item 1 has no ID or no type');
});

test('a signal ends the read of a conversation', async () => {
  const { client } = simulated();
  const { id } = await client.conversations.create({});
  await expect(readConversation(client, id, { signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'Error',
    message: 'Request was aborted.',
  });
});

test('the read of endless large pages fails by their size, before their number', async () => {
  let count = 0;
  const text = 'x'.repeat(1_000_000);
  const fat = readPages(
    'list',
    async () => {
      count += 1;
      return { data: items(count, count + 1).map((item) => ({ ...item, text })), has_more: true };
    },
    undefined,
    20 * 2 ** 20,
  );
  await expect(fat).rejects.toThrow('Cannot use the response to list: its pages hold more than 20 MiB');
  expect(count).toBe(21);
});

test('the read of an endless input fails', async () => {
  let count = 0;
  const client = clientOn(() => {
    count += 1;
    return page(items(count, count + 1), { has_more: true });
  });
  const chain = new ResponseReader(client, contentCache());
  await expect(chain.inputEnd('resp_1', async () => false)).rejects.toMatchObject({
    code: 'invalid_response',
  });
  expect(count).toBeLessThan(2 * MAX_PAGES);
});
