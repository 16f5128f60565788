import { OpenAIConversationsSession } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import { CompactionError, type CompactionFacts, HybridRunner, HybridSession } from '../../src/index.ts';
import { assistant, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { compactionWorld, gpt41 } from './support/compaction-world.ts';
import { assistantAgent, converse, historyOf, listOf, requestsOf } from './support/story.ts';

useVirtualTime();

describe('runCompaction({ force: true })', () => {
  it('a compaction stands for the history, and the next turns chain from a new response', async () => {
    const { open, chained, told, contexts, sent } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two call get_weather {"city":"Rome"}', 'three'], gpt41);
    const result = await session.runCompaction({ force: true });
    expect(result?.usage.inputTokens).toBeGreaterThan(0);
    expect(await historyOf(session)).toBe('u,u,u,x');
    expect(told.of('compacted')).toEqual([
      {
        type: 'compacted',
        sessionId: 'user-42',
        items: { before: 8, after: 4 },
        tokens: { before: result?.usage.inputTokens, after: result?.usage.outputTokens },
      },
    ]);
    await converse(chained, session, ['four', 'five'], gpt41);
    expect(contexts().slice(-2)).toEqual(['u,u,u,x,u', 'u,u,u,x,u,a,u']);
    expect(sent().slice(-2)).toEqual(['replay 5', 'chain 1']);
  });

  it('no response before a compaction is continued, even if the compaction keeps its whole context', async () => {
    const { open, chained, contexts, sent } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two']);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three', 'four']);
    expect(contexts().slice(-2)).toEqual(['u,a,u,a,x,u', 'u,a,u,a,x,u,a,u']);
    expect(sent().slice(-2)).toEqual(['replay 6', 'chain 1']);
  });

  it('a compaction uses the stored response, and without one the items', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    const bodies = (): unknown[] =>
      simulator.log.filter(({ operation }) => operation === 'responses.compact').map(({ body }) => body);
    await converse(chained, session, ['one']);
    await session.runCompaction({ force: true });
    expect(bodies().at(-1)).toEqual({
      model: expect.stringContaining('gpt-5.4'),
      previous_response_id: expect.stringMatching(/^resp_/),
    });
    const forgetful = assistantAgent().clone({ modelSettings: { store: false } });
    await converse(chained, session, ['two'], { agent: forgetful });
    await session.runCompaction({ force: true });
    expect(bodies().at(-1)).toMatchObject({
      input: [{}, {}, { type: 'compaction' }, { role: 'user' }, { role: 'assistant' }],
    });
    expect(await historyOf(session)).toBe('u,a,u,a,x');
  });

  it('an answer of a server that ignored the parent stands for nothing, and the items are compacted', async () => {
    const { open, chained, client, simulator } = compactionWorld();
    await converse(chained, open(), ['one', 'two'], gpt41);
    const forgetful = new OpenAI({
      apiKey: 'test',
      baseURL: client.baseURL,
      maxRetries: 0,
      fetch: async (url, init) => {
        const request = new Request(url, init);
        if (!request.url.endsWith('/compact')) return simulator.fetch(url, init);
        const body: unknown = await request.json();
        if (typeof body !== 'object' || body === null || !('previous_response_id' in body))
          return simulator.fetch(url, init);
        const output = [{ id: 'cmp_nothing', type: 'compaction', encrypted_content: 'gAAAA' }];
        return Response.json({ id: 'resp_1', object: 'response.compaction', output });
      },
    });
    const session = open({ client: forgetful });
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,u,x');
    expect(JSON.stringify(await session.getItems())).not.toContain('cmp_nothing');
  });

  it('a refused parent is replaced by the items', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two']);
    simulator.fault('responses.compact', { name: 'previous_response_not_found', times: 1 });
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,a,u,a,x');
  });

  it('another process sees the compaction, and the conversation keeps the transcript', async () => {
    const { open, chained, client, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    const other = open();
    expect(await other.getItems()).toEqual(await session.getItems());
    expect(await historyOf(other)).toBe('u,u,x,u,a');
    expect(listOf(simulator, session.conversationId ?? '')).toBe('u,a,u,a,u,a');
    expect(await other.verify()).toMatchObject({
      verified: true,
      findings: [],
      pending: 0,
      length: 6,
      seen: 5,
    });
    const stock = new OpenAIConversationsSession({ client, conversationId: session.conversationId ?? '' });
    expect(await historyOf(stock)).toBe('u,a,u,a,u,a');
  });

  it('getItems(limit) counts from the end of what a model sees', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    expect(outline(await session.getItems(3))).toBe('x,u,a');
    expect(outline(await session.getItems(2))).toBe('u,a');
    expect(outline(await session.getItems(9))).toBe('u,u,x,u,a');
  });

  it('the transcript has every item with its turn, its response, and whether a model sees it', async () => {
    const { open, chained, client } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    const { items, length, next } = await session.transcript();
    expect({ length, next }).toEqual({ length: 6, next: undefined });
    expect(outline(items.map(({ item }) => item))).toBe('u,a,u,a,u,a');
    expect(items.map(({ index, turn, seen }) => [index, turn, seen])).toEqual([
      [0, 0, false],
      [1, 0, false],
      [2, 1, false],
      [3, 1, false],
      [4, 2, true],
      [5, 2, true],
    ]);
    expect(new Set(items.map(({ responseId }) => responseId)).size).toBe(3);
    const page = await session.transcript({ from: 2, limit: 3 });
    expect(page.items).toEqual(items.slice(2, 5));
    expect(page.next).toBe(5);
    const unnamed = new HybridSession({ client });
    expect(await unnamed.transcript()).toEqual({ items: [], next: undefined, length: 0 });
    expect(unnamed.conversationId).toBeUndefined();
    await expect(session.transcript({ from: -1 })).rejects.toMatchObject({ code: 'invalid_options' });
    await expect(session.transcript({ limit: 0 })).rejects.toMatchObject({ code: 'invalid_options' });
  });

  it('an undo back across a compaction restores the view before', async () => {
    const { open, chained, contexts } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await session.popItem();
    await session.popItem();
    expect(await historyOf(session)).toBe('u,a');
    expect(await historyOf(open())).toBe('u,a');
    await converse(chained, session, ['two again'], gpt41);
    expect(contexts().at(-1)).toBe('u,a,u');
  });

  it('a second compaction stands for the first one', async () => {
    const { open, chained, told } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,u,u,x');
    await session.popItem();
    expect(await historyOf(session)).toBe('u,u,x,u');
    expect(told.of('compacted')).toHaveLength(2);
    const { items } = await session.transcript();
    expect(outline(items.map(({ item }) => item))).toBe('u,a,u,a,u');
  });

  it('a clear ends a compaction', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    await session.runCompaction({ force: true });
    await session.clearSession();
    expect(await session.getItems()).toEqual([]);
    await converse(chained, session, ['two'], gpt41);
    expect(await historyOf(open())).toBe('u,a');
  });

  it('a heal writes the whole transcript', async () => {
    const { open, chained, client, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    const conversationId = session.conversationId ?? '';
    const [item] = simulator.snapshot().conversations.find(({ id }) => id === conversationId)?.items ?? [];
    await client.conversations.items.delete(item?.id ?? '', { conversation_id: conversationId });
    expect(await session.heal()).toMatchObject({ items: 6, verified: true });
    expect(session.conversationId).not.toBe(conversationId);
    expect(listOf(simulator, session.conversationId ?? '')).toBe('u,a,u,a,u,a');
    expect(await historyOf(session)).toBe('u,u,x,u,a');
  });

  it.each(['gpt-5.4', 'gpt-4.1'])(
    'a runner with history references chains after a compaction of %s',
    async (model) => {
      const { open, told, contexts, sent } = compactionWorld();
      const runner = new HybridRunner({ tracingDisabled: true, history: 'reference' });
      const session = open();
      const agent = assistantAgent(model);
      await converse(runner, session, ['one', 'two'], { agent });
      await session.runCompaction({ force: true });
      const before = told.of('full_history').length;
      await converse(runner, session, ['three', 'four', 'five'], { agent });
      expect(sent().slice(-2)).toEqual(['chain 1', 'chain 1']);
      expect(told.of('full_history').length - before).toBe(1);
      const kept = model === 'gpt-4.1' ? 'u,u' : 'u,a,u,a';
      expect(contexts().at(-1)).toBe(`${kept},x,u,a,u,a,u`);
    },
  );

  it("the SDK's runner sends the compaction and the later items", async () => {
    const { open, stock, contexts } = compactionWorld();
    const session = open();
    await converse(stock, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(stock, session, ['three', 'four'], gpt41);
    expect(contexts().at(-1)).toBe('x,u,a,u');
  });
});

describe('a history that cannot be compacted', () => {
  it('an empty history is refused', async () => {
    const failure = await compactionWorld()
      .open()
      .runCompaction({ force: true })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CompactionError);
    expect(failure).toMatchObject({ code: 'compaction_failed', reason: 'nothing_to_compact' });
  });

  it('a history without a known model is refused, and one with a given model is compacted', async () => {
    const { open } = compactionWorld();
    const session = open();
    await session.addItems([user('one'), assistant('fine')]);
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({ reason: 'no_model' });
    const given = open({ history: { compaction: { model: 'gpt-4.1' } } });
    await given.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,x');
  });

  it('a question without its answer stays behind the compaction', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    await session.addItems([user('two')]);
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,x,u');
  });

  it('a history with an unanswered call is refused', async () => {
    const { open } = compactionWorld({ history: { compaction: { model: 'gpt-4.1' } } });
    const session = open();
    const call = { type: 'function_call', callId: 'call_1', name: 'f', arguments: '{}' } as const;
    await session.addItems([user('one'), call]);
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({
      reason: 'unanswered_tool_call',
    });
  });

  it.each(['off', 'shadow'] as const)('mode %s is refused, because it serves the list', async (rollout) => {
    const { open, stock } = compactionWorld({ rollout });
    const session = open();
    await converse(stock, session, ['one']);
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({ reason: 'mode' });
  });

  it('a ledger without content is refused', async () => {
    const { open, chained } = compactionWorld({ keepContent: false });
    const session = open();
    await converse(chained, session, ['one']);
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({
      reason: 'content_not_kept',
    });
    expect(() => open({ history: { compaction: { atTokens: 1 } } })).toThrow('history.compaction');
  });

  it.each([
    ['no compaction', { output: [] }],
    ['no output', {}],
  ])('an answer with %s changes nothing', async (_name, body) => {
    const { open, chained, client } = compactionWorld();
    await converse(chained, open(), ['one']);
    const wrong = new OpenAI({
      apiKey: 'test',
      baseURL: client.baseURL,
      maxRetries: 0,
      fetch: async () => Response.json(body),
    });
    const session = open({ client: wrong });
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({ code: 'invalid_response' });
    expect(await historyOf(open())).toBe('u,a');
  });

  it('a context that is too long is compacted from a shorter beginning', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two', 'three', 'four'], gpt41);
    simulator.fault('responses.compact', { name: 'context_length_exceeded', times: 2 });
    await session.runCompaction({ force: true });
    expect(await historyOf(session)).toBe('u,x,u,a,u,a,u,a');
    await converse(chained, session, ['five'], gpt41);
    expect(await historyOf(session)).toBe('u,x,u,a,u,a,u,a,u,a');
  });

  it('a first turn that is too long is refused', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    simulator.fault('responses.compact', { name: 'context_length_exceeded' });
    await expect(session.runCompaction({ force: true })).rejects.toMatchObject({
      reason: 'too_long',
      tokens: expect.any(Number),
      limit: undefined,
      message: expect.stringMatching(/too long, it has \d+ tokens$/),
    });
    expect(await historyOf(session)).toBe('u,a,u,a');
  });

  it('a turn that another process takes meanwhile stays visible', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    let during: Promise<unknown> | undefined;
    const end = simulator.onRequest(({ path }) => {
      if (path.endsWith('/compact')) during ??= open().addItems([user('meanwhile')]);
    });
    await session.runCompaction({ force: true });
    await during;
    end();
    expect(await historyOf(open())).toBe('u,x,u');
  });

  it('an item that is removed meanwhile is in no compaction', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    let during: Promise<unknown> | undefined;
    const end = simulator.onRequest(({ path }) => {
      if (path.endsWith('/compact')) during ??= open().popItem();
    });
    const compacted = session.runCompaction({ force: true });
    expect(await compacted).toBeNull();
    await during;
    end();
    expect(await historyOf(open())).toBe('u');
  });
});

describe('history: { compaction: { atTokens } }', () => {
  it.each(['chained', 'stock'] as const)(
    'a long turn is compacted after its answer (%s runner)',
    async (name) => {
      const made = compactionWorld({ history: { compaction: { atTokens: 100 } } });
      const session = made.open();
      await converse(made[name], session, ['one'], gpt41);
      await session.flush();
      expect(await historyOf(session)).toBe('u,a');
      await converse(made[name], session, ['two', 'three', 'four'], gpt41);
      await session.flush();
      expect(made.told.of('compacted').length).toBeGreaterThan(0);
      expect(await historyOf(session)).toContain('x');
      const { items } = await session.transcript();
      expect(outline(items.map(({ item }) => item))).toBe('u,a,u,a,u,a,u,a');
      expect(made.told.of('compaction_failed')).toEqual([]);
    },
  );

  it('a function decides after each turn by tokens, items and turns', async () => {
    const seen: CompactionFacts[] = [];
    const compaction = (facts: CompactionFacts): boolean => seen.push(facts) === 2;
    const { open, chained } = compactionWorld({ history: { compaction } });
    const session = open();
    for (const turn of ['one', 'two', 'three']) {
      await converse(chained, session, [turn], gpt41);
      await session.flush();
    }
    expect(seen).toEqual([
      { tokens: expect.any(Number), items: 2, turns: 1 },
      { tokens: expect.any(Number), items: 4, turns: 2 },
      { tokens: expect.any(Number), items: 5, turns: 1 },
    ]);
    expect(await historyOf(session)).toBe('u,u,x,u,a');
  });

  it.each(['off', 'shadow'] as const)('mode %s compacts nothing and asks for nothing', async (rollout) => {
    const { open, stock, simulator, told } = compactionWorld({
      rollout,
      history: { compaction: { atTokens: 1 } },
    });
    const session = open();
    const requests = await requestsOf(simulator, async () => {
      await converse(stock, session, ['one', 'two']);
      await session.flush();
    });
    expect(requests).not.toContain('responses.compact');
    expect(requests).not.toContain('responses.retrieve');
    expect(told.of('compaction_failed')).toEqual([]);
  });

  it('a session that is erased during a compaction stays erased', async () => {
    const { client, chained, simulator, told } = compactionWorld();
    const session = new HybridSession({ client, onEvent: told.onEvent, history: { compaction: {} } });
    await converse(chained, session, ['one'], gpt41);
    let erased: Promise<unknown> | undefined;
    const end = simulator.onRequest(({ path }) => {
      if (path.endsWith('/compact')) erased ??= session.erase({ remote: true });
    });
    expect(await session.runCompaction({ force: true })).toBeNull();
    await erased;
    end();
    expect(session.sessionId).toBeUndefined();
    expect(simulator.snapshot().conversations).toEqual([]);
  });

  it('compactions without progress end after two', async () => {
    const { open, chained, told } = compactionWorld({ history: { compaction: { atTokens: 1 } } });
    const session = open();
    for (const turn of ['1', '2', '3', '4', '5']) {
      await converse(chained, session, [turn], gpt41);
      await session.flush();
    }
    expect(told.of('compacted')).toHaveLength(2);
  });

  it('a function that throws compacts nothing, and is reported', async () => {
    const { open, chained, told } = compactionWorld({ history: { compaction: refuse } });
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    await session.flush();
    expect(told.of('compaction_failed')).toMatchObject([{ reason: 'TypeError' }]);
    expect(await historyOf(session)).toBe('u,a');
  });

  it('a failed compaction is reported and costs nothing', async () => {
    const { open, chained, simulator, told } = compactionWorld({ history: { compaction: { atTokens: 1 } } });
    simulator.fault('responses.compact', { status: 404, message: 'no such route' });
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.flush();
    expect(told.of('compaction_failed').length).toBeGreaterThan(0);
    expect(await historyOf(session)).toBe('u,a,u,a');
  });

  it('a session without the option makes no request for it', async () => {
    const { open, chained, simulator } = compactionWorld();
    const session = open();
    const requests = await requestsOf(simulator, async () => {
      await converse(chained, session, ['one', 'two'], gpt41);
      await session.flush();
    });
    expect(requests).not.toContain('responses.compact');
    expect(requests).not.toContain('responses.retrieve');
  });
});

describe("the server's own compaction", () => {
  const agent = assistantAgent().clone({
    modelSettings: {
      providerData: { context_management: [{ type: 'compaction', compact_threshold: 1000 }] },
    },
  });
  const long = 'word '.repeat(3000);

  it.each([
    ['first', false, [long, 'two', 'three']],
    ['first', true, [long, 'two', 'three']],
    ['second', false, ['one', long, 'three']],
    ['second', true, ['one', long, 'three']],
    ['last', false, ['one call get_weather {"city":"Rome"}', 'two', long]],
    ['last', true, ['one call get_weather {"city":"Rome"}', 'two', long]],
  ] as const)(
    'a compaction in the answer of the %s turn begins the view, no item is lost, and later turns chain (streamed: %s)',
    async (_turn, stream, turns) => {
      const { open, chained, sent, simulator, contexts } = compactionWorld();
      const session = open();
      await converse(chained, session, [...turns, 'again', 'and again'], { agent, stream });
      const { items } = await session.transcript();
      const users = items.flatMap(({ item }) =>
        'role' in item && item.role === 'user' ? [item.content] : [],
      );
      expect(users.map((content) => textOfContent(content))).toEqual([...turns, 'again', 'and again']);
      expect(await historyOf(session)).toMatch(/^x,/);
      expect(items.map(({ item, seen }) => [item.type === 'compaction', seen])).toContainEqual([true, true]);
      expect(items[0]?.seen).toBe(false);
      expect(sent().slice(-2)).toEqual(['chain 1', 'chain 1']);
      expect(contexts().at(-1)).toMatch(/^x,/);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
      expect(await open().getItems()).toEqual(await session.getItems());
      expect(listOf(simulator, session.conversationId ?? '')).toBe(outline(items.map(({ item }) => item)));
    },
  );

  it("the SDK's runner does not save the input of a compacted turn, and the session says so", async () => {
    const { open, stock, told } = compactionWorld();
    const session = open();
    await converse(stock, session, ['one', long, 'three'], { agent });
    const { items } = await session.transcript();
    expect(outline(items.map(({ item }) => item))).toBe('u,a,x,a,u,a');
    expect(told.of('input_unsaved')).toEqual([
      { type: 'warning', sessionId: 'user-42', code: 'input_unsaved' },
    ]);
  });
});

describe("history: { compaction: { strategy: 'server' } }", () => {
  const options = { history: { compaction: { strategy: 'server', atTokens: 1000 } } } as const;

  it('the model boundary lets the server compact, and the session keeps the transcript', async () => {
    const { open, chained, contexts, sent } = compactionWorld(options);
    const session = open();
    await converse(chained, session, ['one', 'word '.repeat(3000), 'three', 'four'], gpt41);
    expect(await historyOf(session)).toBe('x,a,u,a,u,a');
    expect(contexts().at(-1)).toBe('x,a,u,a,u');
    expect(sent().slice(-2)).toEqual(['chain 1', 'chain 1']);
    expect((await session.transcript()).length).toBe(9);
  });

  it("the caller's own context management stays", async () => {
    const { open, chained, simulator } = compactionWorld(options);
    const context_management = [{ type: 'compaction', compact_threshold: 5000 }];
    const agent = assistantAgent().clone({ modelSettings: { providerData: { context_management } } });
    await converse(chained, open(), ['one'], { agent });
    expect(simulator.log.findLast(({ operation }) => operation === 'responses.create')?.body).toMatchObject({
      context_management,
    });
  });
});

function refuse(): boolean {
  throw new TypeError('secret');
}

function textOfContent(content: unknown): string {
  if (typeof content === 'string') return content;
  const [part] = Array.isArray(content) ? content : [];
  return String(part?.text);
}
