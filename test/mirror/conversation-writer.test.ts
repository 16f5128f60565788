import { describe, expect, it } from 'vitest';
import type { AgentInputItem } from '@openai/agents';
import { contentCache, scopedCache } from '../../src/conversation/content-cache.ts';
import { HistoryReader } from '../../src/history/reader.ts';
import { memoryLedger } from '../../src/index.ts';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import { ProcessLease } from '../../src/mirror/lease.ts';
import type { PreparedItem } from '../../src/mirror/prepared-item.ts';
import { ConversationWriter } from '../../src/mirror/writer.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { texts, user } from '../support/conversation.ts';
import { clientOn, page } from '../support/fake-client.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** A request to the conversation: its method, the IDs or texts of its items, and the path behind the items. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly items: readonly string[];
  readonly include: readonly string[];
  readonly retries: string | null;
}

type Answer = (sent: Sent, nth: number) => Response;

const failure = (status: number, message: string, code?: string): Response =>
  Response.json({ error: { message, code } }, { status });

/** The stored items of a request, in its order. */
const stored = (items: readonly string[]): Response =>
  page(
    items.map((text, at) => {
      const [said = '', id = `msg_${at}_${said}`] = text.split('@');
      return { type: 'message', id, role: 'user', content: [{ type: 'input_text', text: said }] };
    }),
  );

const accept: Answer = ({ method, items }) => (method === 'POST' ? stored(items) : Response.json({}));

async function world(answer: Answer = accept, store = memoryLedger()) {
  const sent: Sent[] = [];
  const client = clientOn((url, init) => {
    const body: { items?: { id?: string; content: { text: string }[] | string }[] } =
      typeof init?.body === 'string' ? JSON.parse(init.body) : {};
    const items = (body.items ?? []).map(({ id, content }) => {
      const text = typeof content === 'string' ? content : (content[0]?.text ?? '');
      return id === undefined ? text : `${text}@${id}`;
    });
    const request = {
      method: init?.method ?? 'GET',
      path: url.pathname.replace('/v1/conversations/conv_1/items', ''),
      items,
      include: url.searchParams.getAll('include[]'),
      retries: new Headers(init?.headers).get('x-stainless-retry-count'),
    };
    sent.push(request);
    return answer(request, sent.length);
  });
  const ledger = new Ledger({ store, sessionId: 'conv_1' });
  const lease = new ProcessLease({ ledger, writer: 'ours', milliseconds: 10_000 });
  const told: string[] = [];
  const writer = new ConversationWriter({
    client,
    conversationId: 'conv_1',
    ledger,
    reader: new HistoryReader({
      client,
      conversationId: 'conv_1',
      converter: new ItemConverter(),
      cache: scopedCache(contentCache(), client),
    }),
    lease,
    sync: {
      writeFailed: (_, entries) => void told.push(`failed ${entries.length}`),
      writeUnrecorded: (entries) => void told.push(`unrecorded ${entries.length}`),
    },
    warn: ({ code, ids = [], itemKind, reason }) =>
      told.push(code === 'foreign_item' ? `mislinked ${ids.join()}` : `skipped ${itemKind} ${reason}`),
  });
  return { sent, client, ledger, lease, told, writer };
}

type World = Awaited<ReturnType<typeof world>>;

const form = (item: AgentInputItem | undefined): PreparedItem['item'] => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text: texts([item]).join() }],
});

/** Appends messages to the ledger; one given as `text@id` is linked by that ID. */
async function pending({ ledger }: World, ...told: string[]): Promise<[LedgerState, PreparedItem[]]> {
  const items = told.map((one) => {
    const [text = '', link] = one.split('@');
    return { ...ledgerItem(user(text), true), ...(link === undefined ? {} : { link }) };
  });
  const state = await ledger.append(() => [{ type: 'items', items }]);
  return [
    state,
    [...state.unmirrored.values()].map((entry) => ({ entry, commit: entry.commit, item: form(entry.item) })),
  ];
}

const many = (count: number): string[] => Array.from({ length: count }, (_, at) => `item ${at}`);

const idsOf = async ({ ledger }: World): Promise<(string | undefined)[]> =>
  (await ledger.read()).entries.map(({ mirrorId }) => mirrorId);

const sizes = ({ sent }: World): number[] =>
  sent.filter(({ method }) => method === 'POST').map(({ items }) => items.length);

describe('a batch of items', () => {
  it('items are written 20 at a time, and each batch is told', async () => {
    const of = await world();
    const batches: number[] = [];
    const onBatch = ({ unmirrored }: LedgerState): void => void batches.push(unmirrored.size);
    expect(await of.writer.append(...(await pending(of, ...many(45))), { onBatch })).toBe(true);
    expect(sizes(of)).toEqual([20, 20, 5]);
    expect(batches).toEqual([25, 5, 0]);
    expect(of.sent.flatMap(({ items }) => items)).toEqual(many(45));
    expect((await idsOf(of)).every((id) => id !== undefined)).toBe(true);
  });

  it('the lease is held while items are left, and released with the last one', async () => {
    const leases: boolean[] = [];
    const of = await world();
    const onBatch = ({ lease }: LedgerState): void => void leases.push(lease !== undefined);
    await of.writer.append(...(await pending(of, ...many(25))), { onBatch });
    expect(leases).toEqual([true, false]);
    const [state, [first]] = await pending(of, 'one', 'two');
    await of.writer.append(state, first === undefined ? [] : [first]);
    expect((await of.ledger.read()).lease).toBeDefined();
  });

  it('an aborted write sends nothing more', async () => {
    const of = await world();
    const abort = new AbortController();
    const onBatch = (): void => abort.abort();
    const prepared = await pending(of, ...many(25));
    expect(await of.writer.append(...prepared, { signal: abort.signal, onBatch })).toBe(false);
    expect(sizes(of)).toEqual([20]);
  });

  it('a write without the lease sends nothing', async () => {
    const store = memoryLedger();
    const of = await world(accept, store);
    const theirs = new Ledger({ store: elsewhere(store), sessionId: 'conv_1' });
    const lease = new ProcessLease({ ledger: theirs, writer: 'theirs', milliseconds: 10_000 });
    const prepared = await pending(of, 'one');
    expect(await lease.take(await theirs.read())).toBeDefined();
    expect(await of.writer.append(...prepared)).toBe(false);
    expect(of.sent).toEqual([]);
  });

  it('items that changed since they were prepared are not sent', async () => {
    const of = await world();
    const [state, prepared] = await pending(of, 'one', 'two');
    const changed = prepared.map((one, at) => (at === 1 ? { ...one, commit: 'other' } : one));
    expect(await of.writer.append(state, changed)).toBe(false);
    expect(of.sent).toEqual([]);
  });

  it('content is asked back only where an ID is sent', async () => {
    const of = await world();
    await of.writer.append(...(await pending(of, 'one', 'two')));
    await of.writer.append(...(await pending(of, 'three', 'four@msg_4')));
    const [without, withId] = of.sent;
    expect(without?.include).toEqual([]);
    expect(withId?.include).toContain('reasoning.encrypted_content');
    expect(withId?.items).toEqual(['three', 'four@msg_4']);
  });

  it('an answer with another number of items records nothing', async () => {
    const of = await world(({ items }) => stored(items.slice(1)));
    const prepared = await pending(of, 'one', 'two');
    await expect(of.writer.append(...prepared)).rejects.toThrow('it holds 1 items for 2');
    expect(await idsOf(of)).toEqual([undefined, undefined]);
    expect(of.told).toEqual(['failed 2']);
  });

  it('an applied write whose record failed is told', async () => {
    const store = memoryLedger();
    let isDown = false;
    const failing = {
      ...elsewhere(store),
      append: (...args: Parameters<typeof store.append>) =>
        isDown ? Promise.reject(new Error('down')) : store.append(...args),
    };
    const of = await world((sent) => {
      isDown = true;
      return stored(sent.items);
    }, failing);
    const prepared = await pending(of, 'one');
    await expect(of.writer.append(...prepared)).rejects.toThrow('down');
    expect(of.told).toEqual(['unrecorded 1']);
  });
});

const refuse =
  (bad: string, status = 400): Answer =>
  ({ items }) =>
    items.includes(bad) ? failure(status, 'no') : stored(items);

const unlinkable = (from: number): string[] => Array.from({ length: 15 }, (_, at) => `text@bad_${from + at}`);

describe('an item that the API refuses', () => {
  it.each([400, 413, 422])(
    'an item that is refused with %i is found by halves, and skipped',
    async (status) => {
      const of = await world(refuse('item 3', status));
      expect(await of.writer.append(...(await pending(of, ...many(5))))).toBe(true);
      expect(sizes(of)).toEqual([5, 3, 2, 1, 1]);
      expect((await idsOf(of)).map((id) => id !== undefined)).toEqual([true, true, true, false, true]);
      expect((await of.ledger.read()).entries[3]?.skipped).toBeDefined();
      expect(of.told.filter((one) => one.startsWith('skipped message:user'))).toHaveLength(1);
    },
  );

  it.each([401, 403, 404, 409, 429, 500])('a request that fails with %i skips nothing', async (status) => {
    const of = await world(() => failure(status, 'no'));
    const prepared = await pending(of, 'one', 'two');
    await expect(of.writer.append(...prepared)).rejects.toMatchObject({ status });
    expect(sizes(of)).toEqual([2]);
    expect(of.told).toEqual(['failed 2']);
  });

  it('another failure than a missing item is none, whatever it says', async () => {
    const of = await world(() => failure(403, "Item with id 'msg_1' is forbidden"));
    const prepared = await pending(of, 'one@msg_1');
    await expect(of.writer.append(...prepared)).rejects.toMatchObject({ status: 403 });
    expect(sizes(of)).toEqual([1]);
  });

  it('an item without an ID cannot be in the conversation already, and is skipped', async () => {
    const of = await world(() => failure(400, 'taken', 'item_already_in_conversation'));
    expect(await of.writer.append(...(await pending(of, 'one')))).toBe(true);
    expect(of.sent.map(({ method }) => method)).toEqual(['POST']);
    expect((await of.ledger.read()).entries[0]?.skipped).toContain('item_already_in_conversation');
  });

  it('a missing item of the request is a refusal', async () => {
    const of = await world(({ items }) =>
      items.includes('one@msg_1') ? failure(404, "Item with id 'msg_1' not found") : stored(items),
    );
    expect(await of.writer.append(...(await pending(of, 'one@msg_1')))).toBe(true);
    expect(of.sent.map(({ items }) => items)).toEqual([['one@msg_1'], ['one']]);
    expect(await idsOf(of)).toEqual(['msg_0_one']);
    expect(of.told).toEqual(['failed 1']);
  });

  it('no item is linked any more after 20 refusals in a row', async () => {
    const of = await world(({ items }) =>
      items.some((item) => item.includes('@')) ? failure(400, 'no such item') : stored(items),
    );
    const linked = Array.from({ length: 30 }, (_, at) => `text ${at}@msg_${at}`);
    expect(await of.writer.append(...(await pending(of, ...linked)))).toBe(true);
    const links = of.sent.filter(({ items }) => items.length === 1 && items[0]?.includes('@') === true);
    expect(links).toHaveLength(20);
    expect((await of.ledger.read()).unmirrored.size).toBe(0);
  });

  it('a link that the API took begins the count again', async () => {
    const of = await world(({ items }) =>
      items.some((item) => item.includes('@bad')) ? failure(400, 'no such item') : stored(items),
    );
    await of.writer.append(...(await pending(of, ...unlinkable(0))));
    await of.writer.append(...(await pending(of, 'good@good', 'plain')));
    await of.writer.append(...(await pending(of, ...unlinkable(15))));
    const links = of.sent.filter(({ items }) => items.length === 1 && items[0]?.includes('@bad') === true);
    expect(links).toHaveLength(30);
  });
});

const inside = (shown: Response): Answer => {
  const answer: Answer = ({ method, items }) =>
    method === 'GET'
      ? shown.clone()
      : items.some((item) => item.includes('@'))
        ? failure(400, 'taken', 'item_already_in_conversation')
        : stored(items);
  return answer;
};

const shown = (text: string): Response =>
  Response.json({ type: 'message', id: 'msg_1', role: 'user', content: [{ type: 'input_text', text }] });

describe('an item under the ID of another one', () => {
  it('another item that the API linked is removed, and the rest is written again', async () => {
    const of = await world(({ method, items }) => {
      if (method === 'DELETE') return Response.json({});
      return stored(items.map((item) => (item === 'two@msg_2' ? 'other@msg_2' : item)));
    });
    const prepared = await pending(of, 'one', 'two@msg_2', 'three');
    expect(await of.writer.append(...prepared)).toBe(false);
    expect(of.told).toEqual(['mislinked msg_2']);
    expect(of.sent.map(({ method, path }) => method + path)).toEqual(['POST', 'DELETE/msg_2']);
    const { entries, removed } = await of.ledger.read();
    expect(entries.map(({ mirrorId, unlinked }) => [mirrorId, unlinked])).toEqual([
      ['msg_0_one', false],
      [undefined, true],
      [undefined, false],
    ]);
    expect([...removed]).toEqual([
      ['msg_2', false],
      ['msg_2_three', true],
    ]);
  });

  it('the same item that is already in the conversation is recorded', async () => {
    const of = await world(inside(shown('one')));
    expect(await of.writer.append(...(await pending(of, 'one@msg_1')))).toBe(true);
    expect(await idsOf(of)).toEqual(['msg_1']);
    expect(of.sent.map(({ method, path }) => method + path)).toEqual(['POST', 'GET/msg_1']);
    const { removed, entries } = await of.ledger.read();
    expect([removed.size, entries[0]?.unlinked]).toEqual([0, false]);
    expect(of.sent[1]?.include).toContain('reasoning.encrypted_content');
  });

  it('another item that is already in the conversation stays, and the item is written without the ID', async () => {
    const of = await world(inside(shown('other')));
    expect(await of.writer.append(...(await pending(of, 'one@msg_1')))).toBe(true);
    expect(await idsOf(of)).toEqual(['msg_0_one']);
    expect(of.told).toEqual(['failed 1', 'mislinked msg_1']);
    expect((await of.ledger.read()).removed.size).toBe(0);
  });

  it('another item is to be removed where an own write may have put it there', async () => {
    const of = await world(inside(shown('other')));
    const [state, prepared] = await pending(of, 'one@msg_1');
    await of.ledger.append(() => [{ type: 'mirror', added: [], removed: [], again: [0] }]);
    await of.writer.append(state, prepared);
    expect([...(await of.ledger.read()).removed]).toEqual([['msg_1', true]]);
  });

  it.each([
    ['is not found', failure(404, 'no')],
    ['is no item', Response.json({})],
  ])('an item that %s although it is in the conversation is written later', async (_, answer) => {
    const of = await world(inside(answer));
    const prepared = await pending(of, 'one@msg_1');
    await expect(of.writer.append(...prepared)).rejects.toMatchObject({ code: 'invalid_response' });
    expect(await idsOf(of)).toEqual([undefined]);
  });

  it('an item that cannot be read for another reason is an error', async () => {
    const of = await world(inside(failure(500, 'down')));
    const prepared = await pending(of, 'one@msg_1');
    await expect(of.writer.append(...prepared)).rejects.toMatchObject({ status: 500 });
    expect(of.told).toEqual(['failed 1']);
  });
});

/** A ledger from which these IDs were removed. */
async function removed(of: World, ...ids: string[]): Promise<LedgerState> {
  const items = ids.map((mirrorId) => ({ ...ledgerItem(user(mirrorId), true), mirrorId }));
  return of.ledger.append(() => [
    { type: 'items', items },
    { type: 'replace', keep: 0, items: [] },
  ]);
}

describe('the removal of items', () => {
  it('only the named items that are due are removed, and each is recorded', async () => {
    const of = await world();
    const state = await removed(of, 'msg_1', 'msg_2');
    await of.writer.remove(state, new Set(['msg_2', 'msg_9']));
    expect(of.sent.map(({ method, path }) => method + path)).toEqual(['DELETE/msg_2']);
    const after = await of.ledger.read();
    expect([...after.removed]).toEqual([
      ['msg_1', true],
      ['msg_2', false],
    ]);
    await of.writer.remove(after, new Set(['msg_2']));
    expect(of.sent).toHaveLength(1);
  });

  it('an item that is gone counts as removed, and any other failure is an error', async () => {
    const gone = await world(() => failure(404, 'no'));
    await gone.writer.remove(await removed(gone, 'msg_1'), new Set(['msg_1']));
    expect([...(await gone.ledger.read()).removed]).toEqual([['msg_1', false]]);
    const down = await world(() => failure(500, 'no'));
    const state = await removed(down, 'msg_1');
    await expect(down.writer.remove(state, new Set(['msg_1']))).rejects.toMatchObject({ status: 500 });
    expect([...(await down.ledger.read()).removed]).toEqual([['msg_1', true]]);
  });

  it('an ID that is no part of a URL is removed without a request', async () => {
    const of = await world();
    await of.writer.remove(await removed(of, '..'), new Set(['..']));
    expect(of.sent).toEqual([]);
    expect([...(await of.ledger.read()).removed]).toEqual([['..', false]]);
  });
});
