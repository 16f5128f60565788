import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { contentCache, scopedCache, type ContentCache } from '../../src/conversation/content-cache.ts';
import { readConversation } from '../../src/conversation/items.ts';
import { HistoryReader } from '../../src/history/reader.ts';
import { ItemConverter } from '../../src/items/item-converter.ts';
import { PinnedContent } from '../../src/history/pinned-content.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { recordOf, type LedgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedClient, type Simulated } from '../support/simulated.ts';

const converter = new ItemConverter();

/** A conversation of some turns, and the ledger of it, which keeps no content. */
interface Told extends Simulated {
  readonly conversationId: string;
  readonly state: LedgerState;
  readonly responses: readonly string[];
}

/** Tells a story, by default of two turns: each turn a response, chained or replayed, and its items in the conversation. */
async function tell(
  options: { inputItems?: 'own' | 'inherited'; chained?: boolean; turns?: readonly string[] } = {},
): Promise<Told> {
  const world = simulated({ inputItems: options.inputItems ?? 'own' });
  const { client } = world;
  const { id: conversationId } = await client.conversations.create({});
  const steps: LedgerStep[] = [];
  const responses: string[] = [];
  const said: OpenAI.Responses.ResponseInputItem[] = [];
  for (const text of options.turns ?? ['one', 'two']) {
    const parent = responses.at(-1);
    const input: OpenAI.Responses.ResponseInputItem = { role: 'user', content: text };
    const response = await client.responses.create({
      model: 'gpt-5.5',
      ...(options.chained === true && parent !== undefined
        ? { previous_response_id: parent, input: [input] }
        : { input: [...said, input] }),
    });
    const turn = [
      user(text),
      ...(await converter.toAgentItems(response.output.map((item) => ({ ...item })))),
    ];
    const forms = (await converter.toApiItems(turn)).flatMap((form) => ('item' in form ? [form.item] : []));
    const created = await client.conversations.items.create(conversationId, { items: forms });
    said.push(...forms);
    const items = turn.map((item, at): LedgerItem => ({
      ...ledgerItem(item, false),
      mirrorId: created.data[at]?.id ?? '',
    }));
    steps.push({ type: 'items', items }, { type: 'response', id: response.id, store: true });
    responses.push(response.id);
  }
  return { ...world, conversationId, state: stateOf(steps), responses };
}

function stateOf(steps: readonly LedgerStep[]): LedgerState {
  const state = emptyState();
  applyRecords(
    state,
    steps.map((step) => recordOf(step, { commit: 'c', time: 0 })),
  );
  return state;
}

function readerOf(
  { client, conversationId }: Pick<Told, 'client' | 'conversationId'>,
  cache?: ContentCache,
): HistoryReader {
  return new HistoryReader({
    client,
    conversationId,
    converter,
    cache: scopedCache(cache ?? contentCache(), client),
    pinned: new PinnedContent(),
  });
}

const sources = (restored: readonly { source: string | undefined }[]): (string | undefined)[] =>
  restored.map(({ source }) => source);

const contents = (restored: readonly { item: AgentInputItem | undefined }[]): string[] =>
  texts(restored.map(({ item }) => item));

describe('a history without content in the ledger', () => {
  test('a history without content is read from the list, with the IDs of the list', async () => {
    const told = await tell();
    const restored = await readerOf(told).restore(told.state);
    expect(sources(restored)).toEqual(['list', 'list', 'list', 'list']);
    expect(contents(restored).filter((_, at) => at % 2 === 0)).toEqual(['one', 'two']);
    expect(restored.map(({ item }) => (item !== undefined && 'id' in item ? item.id : ''))).toEqual(
      told.state.entries.map(({ mirrorId }) => mirrorId),
    );
  });

  test('a given list is not read again', async () => {
    const told = await tell();
    const reader = readerOf(told);
    const list = await reader.list();
    const requests = told.simulator.log.length;
    expect(sources(await reader.restore(told.state, told.state.entries, list))).toEqual([
      'list',
      'list',
      'list',
      'list',
    ]);
    expect(told.simulator.log.length).toBe(requests);
  });

  test('answers that the list lost are read from their responses', async () => {
    const told = await tell();
    const whole = contents(await readerOf(told).restore(told.state));
    for (const at of [1, 3]) {
      await told.client.conversations.items.delete(told.state.entries[at]?.mirrorId ?? '', {
        conversation_id: told.conversationId,
      });
    }
    const restored = await readerOf(told).restore(told.state);
    expect(sources(restored)).toEqual(['list', 'response', 'list', 'response']);
    expect(contents(restored)).toEqual(whole);
  });

  describe.each([
    ['chained', 'own'],
    ['chained', 'inherited'],
    ['replayed', 'own'],
    ['replayed', 'inherited'],
  ] as const)('whose turns were %s, where the server lists %s input', (how, inputItems) => {
    test('a history is read from the chain when the conversation was deleted', async () => {
      const told = await tell({ chained: how === 'chained', inputItems });
      const whole = contents(await readerOf(told).restore(told.state));
      await told.client.conversations.delete(told.conversationId);
      const restored = await readerOf(told).restore(told.state);
      expect(sources(restored)).toEqual(['chain', 'response', 'chain', 'response']);
      expect(contents(restored)).toEqual(whole);
    });

    test('a history lacks only the items of a deleted response', async () => {
      const told = await tell({ chained: how === 'chained', inputItems });
      await told.client.conversations.delete(told.conversationId);
      await told.client.responses.delete(told.responses[1] ?? '');
      const restored = await readerOf(told).restore(told.state);
      expect(contents(restored)[0]).toBe('one');
      expect(sources(restored).slice(0, 2)).toEqual(['chain', 'response']);
      expect(restored.slice(2).map(({ item }) => item)).toEqual([undefined, undefined]);
    });
  });

  test('a reader walks a chain once for an item that no source has', async () => {
    const told = await tell({
      chained: true,
      turns: Array.from({ length: 12 }, (_, turn) => `turn ${turn}`),
    });
    const cache = contentCache();
    const reads = new Map<string, number>();
    const counting: ContentCache = {
      get: (key) => {
        reads.set(key, (reads.get(key) ?? 0) + 1);
        return cache.get(key);
      },
      set: (key, value) => cache.set(key, value),
    };
    const lost = stateOf([{ type: 'items', items: [ledgerItem(user('lost'), false)] }]).entries;
    const state = { ...told.state, entries: [...lost, ...told.state.entries] };
    const restored = await readerOf(told, counting).restore(state, lost);
    expect(sources(restored)).toEqual([undefined]);
    const ofResponses = [...reads].filter(([key]) => / response resp_/.test(key));
    expect(ofResponses).toHaveLength(12);
    expect(Math.max(...ofResponses.map(([, count]) => count))).toBeLessThanOrEqual(3);
  });

  test('a history is read from the cache the second time', async () => {
    const told = await tell();
    const reader = readerOf(told);
    const first = await reader.restore(told.state);
    const requests = told.simulator.log.length;
    expect(contents(await reader.restore(told.state))).toEqual(contents(first));
    expect(told.simulator.log.length).toBe(requests);
  });

  test('another account reads a history again', async () => {
    const told = await tell();
    const cache = contentCache();
    await readerOf(told, cache).restore(told.state);
    const requests = told.simulator.log.length;
    const other = simulatedClient(told.simulator);
    await readerOf({ ...told, client: other }, cache).restore(told.state);
    expect(told.simulator.log.length).toBeGreaterThan(requests);
  });

  test('a reader without a client finds no content', async () => {
    const reader = new HistoryReader({
      client: undefined,
      conversationId: undefined,
      converter,
      cache: contentCache(),
      pinned: new PinnedContent(),
    });
    const state = stateOf([
      { type: 'items', items: [ledgerItem(user('a'), false), ledgerItem(user('b'), true)] },
    ]);
    expect(sources(await reader.restore(state))).toEqual([undefined, 'ledger']);
    expect(await reader.list()).toEqual([]);
  });
});

describe('a source that fails', () => {
  test('the failure of a source is ignored when another source has the content', async () => {
    const told = await tell({ chained: true });
    told.simulator.fault('conversations.items.list', { status: 500 });
    told.simulator.fault('responses.retrieve', { status: 500, times: 1 });
    expect(contents(await readerOf(told).restore(told.state))).toMatchObject([
      'one',
      expect.any(String),
      'two',
      expect.any(String),
    ]);
  });

  test('the failure of a source is thrown when content stays missing', async () => {
    const told = await tell();
    told.simulator.fault('conversations.items.list', { status: 500 });
    told.simulator.fault('responses.retrieve', { status: 500 });
    await expect(readerOf(told).restore(told.state)).rejects.toMatchObject({ status: 500 });
  });

  test('a source is not read when no content is missing', async () => {
    const told = await tell();
    told.simulator.fault('*', { status: 500 });
    const state = stateOf([{ type: 'items', items: [ledgerItem(user('kept'), true)] }]);
    expect(sources(await readerOf(told).restore(state))).toEqual(['ledger']);
  });
});

describe('content that is nowhere else yet', () => {
  test('pinned content stays until the conversation has it', async () => {
    const told = await tell();
    const reader = readerOf(told, contentCache(1));
    const settle = reader.pin([user('new')]);
    const pending = stateOf([{ type: 'items', items: [ledgerItem(user('new'), false)] }]);
    reader.unpin(told.state);
    expect(contents(await reader.restore(pending))).toEqual(['new']);
    settle();
    reader.unpin(pending);
    expect(contents(await reader.restore(pending))).toEqual(['new']);
    const written = stateOf([
      { type: 'items', items: [ledgerItem(user('new'), false)] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_new' }], removed: [] },
    ]);
    reader.unpin(written);
    // The cache is too small for it: what the conversation has is read from there.
    expect(contents(await reader.restore(written))).toEqual(['']);
  });
});

test("a list is converted to the SDK's form, with the IDs of the API", async () => {
  const told = await tell();
  const reader = readerOf(told);
  const raw = await readConversation(told.client, told.conversationId);
  const list = await reader.list();
  expect(list.map(({ id }) => id)).toEqual(raw.map(({ id }) => id));
  expect(list).toEqual(await reader.toListedItems(raw));
  expect(await reader.apiForms([user('hi')])).toEqual([{ item: { role: 'user', content: 'hi' } }]);
});

const cached = (item: unknown): ContentCache => ({ get: () => item, set: () => undefined });
const silent = (cache: ContentCache): HistoryReader =>
  new HistoryReader({ client: undefined, conversationId: undefined, converter, cache });
const thought: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
const stateWith = (item: AgentInputItem): LedgerState =>
  stateOf([{ type: 'items', items: [ledgerItem(item, false)] }]);

describe('content of a cache that anybody may write to', () => {
  test("cached content with the ledger's digest is used", async () => {
    expect(contents(await silent(cached(user('a'))).restore(stateWith(user('a'))))).toEqual(['a']);
    const [restored] = await silent(cached(thought)).restore(stateWith(thought));
    expect(restored?.item).toEqual(thought);
  });

  test.each<[string, unknown, AgentInputItem]>([
    ['another text', user('b'), user('a')],
    ['no item', 'a', user('a')],
    ['nothing', undefined, user('a')],
    ['a message in the place of reasoning', user('a'), thought],
    ['reasoning in the place of a message', thought, user('a')],
    ['something else that no digest covers', { ...thought, type: 'message', role: 'user' }, thought],
  ])('cached content is not used when it is %s', async (_what, held, item) => {
    const reader = silent(cached(held));
    const state = stateWith(item);
    expect(sources(await reader.restore(state))).toEqual([undefined]);
    expect(state.entries.map((entry) => reader.hasContent(entry))).toEqual([false]);
  });

  test('content in the cache or the ledger is available without a request', () => {
    const [bare] = stateWith(user('a')).entries;
    const [kept] = stateOf([{ type: 'items', items: [ledgerItem(user('k'), true)] }]).entries;
    if (bare === undefined || kept === undefined) throw new Error('no entry');
    expect(silent(cached(user('a'))).hasContent(bare)).toBe(true);
    expect(silent(cached(undefined)).hasContent(bare)).toBe(false);
    expect(silent(cached(undefined)).hasContent(kept)).toBe(true);
  });
});

describe('the context of a response', () => {
  test("the context of a response is converted to the SDK's form, with the IDs of the API", async () => {
    const told = await tell({ chained: true });
    const context = await readerOf(told).context(told.responses[1] ?? '');
    expect(contents(context.map(({ item }) => ({ item })))).toMatchObject([
      'one',
      expect.any(String),
      'two',
      expect.any(String),
    ]);
    expect(context.map(({ id }) => id)).toEqual(context.map(({ item }) => ('id' in item ? item.id : 'none')));
  });

  test('a reader without a client has no context', async () => {
    const options = { client: undefined, conversationId: 'conv_1', converter, cache: contentCache() };
    expect(await new HistoryReader(options).context('resp_1')).toEqual([]);
  });
});

test('a reader without a conversation has an empty list, without a request', async () => {
  const { client, simulator } = simulated();
  const options = { client, conversationId: undefined, converter, cache: contentCache() };
  expect(await new HistoryReader(options).list()).toEqual([]);
  expect(simulator.log).toEqual([]);
});

test('an unstored response is not requested', async () => {
  const told = await tell();
  told.simulator.fault('conversations.items.list', { status: 404 });
  const state = stateOf([
    { type: 'items', items: [ledgerItem(user('gone'), false)] },
    { type: 'response', id: told.responses[0] ?? '', store: false },
  ]);
  const requests = (): number => told.simulator.log.filter(({ path }) => path.includes('/responses/')).length;
  const before = requests();
  expect(sources(await readerOf(told).restore(state))).toEqual([undefined]);
  expect(requests()).toBe(before);
});

test('a later item is not searched in the context of an earlier response', async () => {
  const told = await tell({ chained: true });
  told.simulator.fault('conversations.items.list', { status: 404 });
  const state = stateOf([
    { type: 'response', id: told.responses[1] ?? '', store: true },
    { type: 'items', items: [ledgerItem(user('one'), false)] },
  ]);
  expect(sources(await readerOf(told).restore(state))).toEqual([undefined]);
});

describe('what is missing after a source failed', () => {
  const bare = ledgerItem(user('a'), false);
  const kept = ledgerItem(user('k'), true);

  test('the error of a source is thrown although all other content was found', async () => {
    const told = await tell();
    told.simulator.fault('*', { status: 500 });
    const state = stateOf([{ type: 'items', items: [kept, bare] }]);
    await expect(readerOf(told).restore(state)).rejects.toMatchObject({ status: 500 });
  });

  test('the error of the list is thrown when only the list failed', async () => {
    const told = await tell();
    told.simulator.fault('conversations.items.list', { status: 500 });
    await expect(readerOf(told).restore(stateOf([{ type: 'items', items: [bare] }]))).rejects.toMatchObject({
      status: 500,
    });
  });

  test('the error of a source is ignored when only reasoning is missing', async () => {
    const told = await tell();
    told.simulator.fault('*', { status: 500 });
    const thought = { digest: null, kind: 'reasoning', id: 'rs_1' };
    const state = stateOf([{ type: 'items', items: [kept, thought] }]);
    expect(sources(await readerOf(told).restore(state))).toEqual(['ledger', undefined]);
  });
});

test('pinned reasoning is distinguished by its ID', async () => {
  const reader = readerOf(await tell());
  const thoughts: AgentInputItem[] = ['rs_1', 'rs_2'].map((id) => ({ type: 'reasoning', id, content: [] }));
  reader.pin(thoughts);
  const state = stateOf([{ type: 'items', items: thoughts.map((item) => ledgerItem(item, false)) }]);
  expect((await reader.restore(state)).map(({ item }) => item)).toEqual(thoughts);
});

test('released content stays in the cache', async () => {
  const reader = readerOf(await tell());
  reader.pin([user('new')])();
  const state = stateOf([
    { type: 'items', items: [ledgerItem(user('new'), false)] },
    { type: 'mirror', added: [{ seq: 0, id: 'msg_new' }], removed: [] },
  ]);
  reader.unpin(state);
  expect(state.entries.map((entry) => reader.hasContent(entry))).toEqual([true]);
});

test('a signal ends the read of a list', async () => {
  const { client, conversationId } = await tell();
  const options = { client, conversationId, converter, cache: contentCache(), signal: AbortSignal.abort() };
  await expect(new HistoryReader(options).list()).rejects.toThrow('Request was aborted.');
});
