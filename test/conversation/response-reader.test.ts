import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { contentCache, type ContentCache } from '../../src/conversation/content-cache.ts';
import { ResponseReader } from '../../src/conversation/response-reader.ts';
import { INCLUDE, type ApiItem } from '../../src/conversation/items.ts';
import { isObject } from '../../src/util/json.ts';
import { clientOn, page } from '../support/fake-client.ts';
import { simulated, type Simulated } from '../support/simulated.ts';

const MODEL = 'gpt-5.5';

/** Says something in a chain, and gives back the response's ID. */
async function say(client: OpenAI, text: string, parent?: string): Promise<string> {
  const { id } = await client.responses.create({
    model: MODEL,
    input: text,
    ...(parent === undefined ? {} : { previous_response_id: parent }),
  });
  return id;
}

function chainOn(client: OpenAI): ResponseReader {
  return new ResponseReader(client, contentCache());
}

/** `u` for each item of a user, `a` for each of the model. */
function roles(items: readonly ApiItem[]): string {
  return items.map(({ type, role }) => (typeof role === 'string' ? role : type).slice(0, 1)).join(',');
}

function textOf(item: ApiItem | undefined): string {
  const content = item?.['content'];
  const part: unknown = Array.isArray(content) ? content[0] : undefined;
  return isObject(part) ? String(part['text']) : '';
}

function userTexts(items: readonly ApiItem[]): string[] {
  return items.filter((item) => item['role'] === 'user').map((item) => textOf(item));
}

/** What the model itself saw and said, by the simulator's own books. */
function seen({ simulator }: Simulated, id: string): string[] {
  const response = simulator.snapshot().responses.find((one) => one.id === id);
  return [...(response?.context ?? []), ...(response?.output ?? [])].map((item) => item.id);
}

describe.each(['own', 'inherited'] as const)('where the server lists %s input', (inputItems) => {
  test('the context of a chain holds each item once, in order', async () => {
    const world = simulated({ inputItems });
    const first = await say(world.client, 'one');
    const second = await say(world.client, 'two', first);
    const third = await say(world.client, 'three', second);
    const context = await chainOn(world.client).context(third);
    expect(roles(context)).toBe('u,a,u,a,u,a');
    expect(userTexts(context)).toEqual(['one', 'two', 'three']);
    const ids = context.map(({ id }) => id);
    expect(new Set(ids).size).toBe(6);
    expect(new Set(ids)).toEqual(new Set(seen(world, third)));
  });

  test('the context of a branch excludes the other branch', async () => {
    const { client } = simulated({ inputItems });
    const first = await say(client, 'one');
    await say(client, 'elsewhere', first);
    const second = await say(client, 'two', first);
    expect(userTexts(await chainOn(client).context(second))).toEqual(['one', 'two']);
  });

  test('a response with the full history as input has its whole context', async () => {
    const { client } = simulated({ inputItems });
    const replayed = await client.responses.create({
      model: MODEL,
      input: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: '1' },
        { role: 'user', content: 'two' },
      ],
    });
    const context = await chainOn(client).context(replayed.id);
    expect(roles(context)).toBe('u,a,u,a');
    expect(userTexts(context)).toEqual(['one', 'two']);
  });

  test('a chain continues from a response with the full history as input', async () => {
    const { client } = simulated({ inputItems });
    const replayed = await client.responses.create({
      model: MODEL,
      input: [
        { role: 'user', content: 'one' },
        { role: 'user', content: 'two' },
      ],
    });
    const next = await say(client, 'three', replayed.id);
    expect(userTexts(await chainOn(client).context(next))).toEqual(['one', 'two', 'three']);
  });

  test('the context of a chain holds calls and their results', async () => {
    const world = simulated({
      inputItems,
      respond: (context) =>
        JSON.stringify(context).includes('function_call_output')
          ? { text: 'sunny' }
          : { calls: [{ name: 'weather', arguments: '{}' }] },
    });
    const asked = await world.client.responses.create({
      model: MODEL,
      input: 'weather?',
      tools: [
        { type: 'function', name: 'weather', parameters: { type: 'object', properties: {} }, strict: false },
      ],
    });
    const call = asked.output.find((item) => item.type === 'function_call');
    const told = await world.client.responses.create({
      model: MODEL,
      previous_response_id: asked.id,
      input: [{ type: 'function_call_output', call_id: call?.call_id ?? '', output: '20 degrees' }],
    });
    const context = await chainOn(world.client).context(told.id);
    expect(context.map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_output',
      'message',
    ]);
  });

  test('all pages of an input are read', async () => {
    const { client } = simulated({ inputItems });
    const input = Array.from({ length: 250 }, (_, at) => ({ role: 'user' as const, content: `${at}` }));
    const { id } = await client.responses.create({ model: MODEL, input });
    const next = await say(client, 'last', id);
    expect(userTexts(await chainOn(client).context(next))).toEqual([
      ...input.map(({ content }) => content),
      'last',
    ]);
  });
});

describe('a parent that was deleted', () => {
  test('a deleted parent removes its items from the context where the server lists own input', async () => {
    const { client } = simulated({ inputItems: 'own' });
    const first = await say(client, 'one');
    const second = await say(client, 'two', first);
    await client.responses.delete(first);
    expect(userTexts(await chainOn(client).context(second))).toEqual(['two']);
  });

  test('a deleted parent removes nothing from the context where the server lists inherited input', async () => {
    const { client } = simulated({ inputItems: 'inherited' });
    const first = await say(client, 'one');
    const second = await say(client, 'two', first);
    await client.responses.delete(first);
    const context = await chainOn(client).context(second);
    expect(userTexts(context)).toEqual(['one', 'two']);
    expect(roles(context)).toBe('u,a,u,a');
  });

  test('a deleted parent stays in the cache of a reader that has read it', async () => {
    const { client } = simulated({ inputItems: 'own' });
    const first = await say(client, 'one');
    const second = await say(client, 'two', first);
    const chain = chainOn(client);
    await chain.context(second);
    await client.responses.delete(first);
    expect(userTexts(await chain.context(second))).toEqual(['one', 'two']);
  });
});

describe('a response', () => {
  test('a deleted or unstored response is undefined', async () => {
    const { client } = simulated();
    const unstored = await client.responses.create({ model: MODEL, input: 'one', store: false });
    const chain = chainOn(client);
    expect(await chain.response(unstored.id)).toBeUndefined();
    expect(await chain.input('resp_missing')).toBeUndefined();
    expect(await chain.context('resp_missing')).toEqual([]);
  });

  test('a completed response is read once', async () => {
    const { client, simulator } = simulated();
    const second = await say(client, 'two', await say(client, 'one'));
    const chain = chainOn(client);
    const context = await chain.context(second);
    const requests = simulator.log.length;
    expect(await chain.context(second)).toEqual(context);
    expect(simulator.log.length).toBe(requests);
  });

  test('an unfinished response is read again', async () => {
    let status = 'in_progress';
    const item = { id: 'msg_1', type: 'message', role: 'assistant', content: [] };
    const chain = chainOn(
      clientOn(() => Response.json({ id: 'resp_1', status, output: status === 'completed' ? [item] : [] })),
    );
    expect((await chain.response('resp_1'))?.output).toEqual([]);
    status = 'completed';
    expect((await chain.response('resp_1'))?.output).toEqual([item]);
  });

  test('a response that is its own parent ends the chain', async () => {
    const client = clientOn((url) =>
      url.pathname.endsWith('/input_items')
        ? page([{ id: 'msg_in', type: 'message' }])
        : Response.json({
            id: url.pathname.split('/').at(-1),
            status: 'completed',
            output: [],
            previous_response_id: url.pathname.endsWith('resp_1') ? 'resp_2' : 'resp_1',
          }),
    );
    expect((await chainOn(client).context('resp_1')).map(({ id }) => id)).toEqual(['msg_in']);
  });

  test.each([
    ['another response', { id: 'resp_other', output: [] }],
    ['no response', { object: 'list' }],
    ['a response without output', { id: 'resp_1' }],
    ['a response with output that is none', { id: 'resp_1', output: [{ text: 'secret' }] }],
  ])('a response is refused when the answer is %s', async (_kind, body) => {
    const failure = chainOn(clientOn(() => Response.json(body))).response('resp_1');
    await expect(failure).rejects.toMatchObject({
      code: 'invalid_response',
      operation: 'responses.retrieve',
    });
    await expect(failure).rejects.not.toThrow('secret');
  });

  test("an unreadable response throws the client's own error", async () => {
    const { client, simulator } = simulated();
    const first = await say(client, 'one');
    simulator.fault('responses.retrieve', { status: 500, times: 1 });
    await expect(chainOn(client).response(first)).rejects.toMatchObject({ status: 500 });
  });
});

/** A response that was given that many messages. */
async function longInput(count: number): Promise<Simulated & { readonly id: string }> {
  const world = simulated();
  const input = Array.from({ length: count }, (_, at) => ({ role: 'user' as const, content: `text ${at}` }));
  const { id } = await world.client.responses.create({ model: MODEL, input });
  return { ...world, id };
}

function reads({ simulator }: Simulated): number {
  return simulator.log.filter(({ path }) => path.endsWith('/input_items')).length;
}

describe('the end of a long input', () => {
  test('the end of an input is the whole input when one page holds it', async () => {
    const world = await longInput(100);
    const end = await chainOn(world.client).inputEnd(world.id, async () => true);
    expect(end).toMatchObject({ isWhole: true });
    expect(end?.items).toHaveLength(100);
    expect(reads(world)).toBe(1);
  });

  test('the end of an input is read only as far as needed', async () => {
    const world = await longInput(350);
    const end = await chainOn(world.client).inputEnd(
      world.id,
      async (items) => textOf(items[0]) === 'text 150',
    );
    expect(end?.isWhole).toBe(false);
    expect(end?.items).toHaveLength(200);
    expect(userTexts(end?.items ?? [])).toEqual(Array.from({ length: 200 }, (_, at) => `text ${at + 150}`));
    expect(reads(world)).toBe(3);
  });

  test('the end of an input is the whole input when no page is enough', async () => {
    const world = await longInput(230);
    const end = await chainOn(world.client).inputEnd(world.id, async () => false);
    expect(end?.isWhole).toBe(true);
    expect(end?.items).toHaveLength(230);
    expect(userTexts(end?.items ?? [])).toEqual(Array.from({ length: 230 }, (_, at) => `text ${at}`));
    expect(reads(world)).toBe(4);
  });

  test('the end of an input is taken from the cache', async () => {
    const world = await longInput(230);
    const chain = chainOn(world.client);
    await chain.input(world.id);
    const before = reads(world);
    expect(await chain.inputEnd(world.id, async () => false)).toMatchObject({ isWhole: true });
    expect(reads(world)).toBe(before);
  });

  test('an input is read from its beginning where the server ignores the order', async () => {
    const items = Array.from({ length: 250 }, (_, at) => ({
      id: `msg_${at}`,
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: `text ${at}` }],
    }));
    const client = clientOn(({ searchParams }) => {
      const after = searchParams.get('after');
      const from = after === null ? 0 : Number(after.slice(4)) + 1;
      return page(items.slice(from, from + 100), { has_more: from + 100 < items.length });
    });
    const end = await chainOn(client).inputEnd('resp_1', async () => true);
    expect(end?.isWhole).toBe(true);
    expect(userTexts(end?.items ?? [])).toEqual(items.map((_, at) => `text ${at}`));
  });

  test("the end of a deleted response's input is undefined", async () => {
    const { client } = simulated();
    expect(await chainOn(client).inputEnd('resp_unknown', async () => true)).toBeUndefined();
  });
});

const responseOf = async (facts: object): Promise<unknown> =>
  chainOn(clientOn(() => Response.json({ id: 'resp_1', output: [], ...facts }))).response('resp_1');

describe('what a response says of itself', () => {
  test.each([1e300, 1e306, -1e300, 8.64e12 + 1, null, '0'])(
    'the time of a response is undefined when it is %s',
    async (created) => {
      expect(await responseOf({ created_at: created })).toMatchObject({ time: undefined });
    },
  );

  test('a response has its time, conversation, parent and status', async () => {
    const facts = {
      created_at: 1_700_000_000,
      conversation: { id: 'conv_1' },
      previous_response_id: 'resp_0',
      status: 'incomplete',
    };
    const told = {
      id: 'resp_1',
      parent: 'resp_0',
      output: [],
      status: 'incomplete',
      conversationId: 'conv_1',
      time: 1_700_000_000_000,
    };
    expect(await responseOf(facts)).toEqual(told);
    expect(await responseOf({ ...facts, conversation: 'conv_1' })).toEqual(told);
  });

  test('the facts of a response are undefined where a server omits or changes them', async () => {
    const nothing = { parent: undefined, status: undefined, conversationId: undefined, time: undefined };
    expect(await responseOf({})).toMatchObject(nothing);
    const strange = { created_at: 'now', conversation: { id: 7 }, previous_response_id: {}, status: 200 };
    expect(await responseOf(strange)).toMatchObject(nothing);
    expect(await responseOf({ conversation: null })).toMatchObject(nothing);
  });
});

/** A cache that has an answer to every question. */
function knowing(answer: (key: string) => unknown): ContentCache {
  return { get: answer, set: () => undefined };
}

describe('a cache of the caller’s own', () => {
  const junk = [
    undefined,
    7,
    'text',
    {},
    { id: 'resp_other', output: [] },
    { output: 'none' },
    ['text'],
    [null],
  ];

  test.each(junk.map((one) => [one]))(
    "a response in the app's cache is read again when it holds %j",
    async (held) => {
      const world = simulated();
      const id = await say(world.client, 'one');
      const chain = new ResponseReader(
        world.client,
        knowing(() => held),
      );
      expect((await chain.response(id))?.id).toBe(id);
      expect(userTexts((await chain.input(id)) ?? [])).toEqual(['one']);
      expect(userTexts((await chain.inputEnd(id, async () => true))?.items ?? [])).toEqual(['one']);
    },
  );
});

test('a cached response without readable output is read again', async () => {
  const world = simulated();
  const id = await say(world.client, 'one');
  const chain = new ResponseReader(
    world.client,
    knowing(() => ({ id, output: [null] })),
  );
  expect(roles((await chain.response(id))?.output ?? [])).toBe('a');
});

test('the read of an endless chain fails', async () => {
  const endless = knowing((key) => {
    const [kind, id = ''] = key.split(' ');
    return kind === 'input' ? [] : { id, parent: `resp_${Number(id.slice(5)) + 1}`, output: [] };
  });
  await expect(new ResponseReader(simulated().client, endless).context('resp_1')).rejects.toThrow(
    "Cannot use the response to responses.retrieve: the chain behind 'resp_1' does not end",
  );
});

const numbered = (at: number): object => ({ id: `msg_${at}`, type: 'message' });

test('a long input is read completely although its pages lose their cursor', async () => {
  const asked: string[] = [];
  const client = clientOn(({ searchParams }) => {
    const [order, after] = [searchParams.get('order'), searchParams.get('after')];
    asked.push(`${order ?? ''} ${after ?? ''}`);
    // Newest first it begins again and again; oldest first it is in order.
    if (order === 'desc') return page([numbered(3), numbered(2)], { has_more: true });
    return after === null
      ? page([numbered(0), numbered(1)], { has_more: true })
      : page([numbered(2), numbered(3)], { has_more: false });
  });
  const end = await chainOn(client).inputEnd('resp_1', async () => false);
  expect(end?.isWhole).toBe(true);
  expect(end?.items.map(({ id }) => id)).toEqual(['msg_0', 'msg_1', 'msg_2', 'msg_3']);
  expect(asked).toEqual(['asc ', 'desc ', 'desc msg_2', 'asc ', 'asc msg_1']);
});

test('a long input that is deleted during its read is undefined', async () => {
  let asked = 0;
  const client = clientOn(({ searchParams }) => {
    asked += 1;
    if (searchParams.get('order') === 'desc') return page([], { has_more: true });
    return asked === 1
      ? page([{ id: 'msg_0', type: 'message' }], { has_more: true })
      : Response.json({ error: { message: 'gone' } }, { status: 404 });
  });
  expect(await chainOn(client).inputEnd('resp_1', async () => false)).toBeUndefined();
});

const requests = async (inputItems: 'own' | 'inherited'): Promise<number> => {
  const world = simulated({ inputItems });
  const first = await say(world.client, 'one');
  const third = await say(world.client, 'three', await say(world.client, 'two', first));
  await chainOn(world.client).context(third);
  return reads(world);
};

test('a chain is not followed beyond a list of inherited input', async () => {
  expect([await requests('inherited'), await requests('own')]).toEqual([1, 3]);
});

test('a response without its input still has its output', async () => {
  const client = clientOn((url) =>
    url.pathname.endsWith('/input_items')
      ? Response.json({ error: { message: 'gone' } }, { status: 404 })
      : Response.json({ id: 'resp_1', status: 'completed', output: [{ id: 'msg_1', type: 'message' }] }),
  );
  const kept: string[] = [];
  const cache: ContentCache = { get: () => undefined, set: (key) => void kept.push(key) };
  expect((await new ResponseReader(client, cache).context('resp_1')).map(({ id }) => id)).toEqual(['msg_1']);
  expect(kept).toEqual(['response resp_1']);
});

describe('a request for a response', () => {
  test('the request for a response includes the optional fields', async () => {
    const asked: string[][] = [];
    const client = clientOn((url) => {
      asked.push(url.searchParams.getAll('include[]').concat(url.searchParams.getAll('include')));
      return url.pathname.endsWith('/input_items')
        ? page([])
        : Response.json({ id: 'resp_1', output: [], status: 'completed' });
    });
    await chainOn(client).context('resp_1');
    expect(asked).toHaveLength(2);
    for (const include of asked) expect(include).toEqual([...INCLUDE]);
  });

  test('a signal ends the request for a response', async () => {
    const { client } = simulated();
    const id = await say(client, 'one');
    const chain = new ResponseReader(client, contentCache(), AbortSignal.abort());
    await expect(chain.response(id)).rejects.toThrow('Request was aborted.');
    await expect(chain.input(id)).rejects.toThrow('Request was aborted.');
  });

  test('another response than the requested one is refused by the requested ID', async () => {
    const chain = chainOn(clientOn(() => Response.json({ id: 'resp_2', output: [] })));
    await expect(chain.response('resp_1')).rejects.toThrow(
      "Cannot use the response to responses.retrieve: it is not response 'resp_1'",
    );
    const broken = chainOn(
      clientOn(() => new Response('<', { headers: { 'content-type': 'application/json' } })),
    );
    await expect(broken.response('resp_1')).rejects.toMatchObject({ operation: 'responses.retrieve' });
  });
});
