import { Agent, handoff } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { outline } from '../../mocks/wire/outline.ts';
import type OpenAI from 'openai';
import { HybridRunner, HybridSession, memoryLedger, type TokenUsage } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { compactionWorld, gpt41 } from './support/compaction-world.ts';
import { assistantAgent, converse, historyOf } from './support/story.ts';

useVirtualTime();

/** The sum of the usage of stored responses, as the API bills it. */
async function billed(client: OpenAI, ids: readonly string[]): Promise<TokenUsage> {
  const sum = { requests: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
  for (const id of ids) {
    const { usage } = await client.responses.retrieve(id);
    sum.requests += 1;
    sum.input += usage?.input_tokens ?? 0;
    sum.cached += usage?.input_tokens_details.cached_tokens ?? 0;
    sum.output += usage?.output_tokens ?? 0;
    sum.reasoning += usage?.output_tokens_details.reasoning_tokens ?? 0;
  }
  return sum;
}

const TOOL = 'two call get_weather {"city":"Rome"}';

describe('session.turns()', () => {
  it.each(['chained', 'stock'] as const)('turns are whole, newest first (%s runner)', async (name) => {
    const made = compactionWorld();
    const session = made.open();
    await converse(made[name], session, ['one', TOOL, 'three'], gpt41);
    const turns = await session.turns();
    expect(turns.map(({ items }) => outline(items))).toEqual(['u,a', 'u,c,r,a', 'u,a']);
    expect(turns.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
    expect(turns[1]?.toolCalls).toEqual({ get_weather: 1 });
    const [newest] = turns;
    expect(newest?.responses).toHaveLength(1);
    expect(newest?.time).toBe(newest?.responses[0]?.time);
    expect((await session.verify()).responseId).toBe(newest?.responses[0]?.responseId);
  });

  it('a turn has the sums of its responses', async () => {
    const { open, chained, client } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', TOOL], gpt41);
    const [second, first] = await session.turns();
    expect(second?.responses.map(({ plan, model, agent }) => [plan, model, agent])).toEqual([
      ['chain', 'gpt-4.1-2025-04-14', 'Assistant'],
      ['chain', 'gpt-4.1-2025-04-14', 'Assistant'],
    ]);
    expect(first?.responses.map(({ plan }) => plan)).toEqual(['replay']);
    for (const turn of [first, second]) {
      const ids = turn?.responses.map(({ responseId }) => responseId) ?? [];
      expect(turn?.usage).toEqual(await billed(client, ids));
    }
  });

  it('turns are paged from both ends', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['1', '2', '3', '4', '5'], gpt41);
    const idsOf = async (options?: Parameters<typeof session.turns>[0]): Promise<string[]> =>
      (await session.turns(options)).map(({ turnId }) => turnId);
    const all = await idsOf();
    expect(new Set(all).size).toBe(5);
    expect(await idsOf({ limit: 2 })).toEqual(all.slice(0, 2));
    expect(await idsOf({ limit: 2, before: all[1] ?? '' })).toEqual(all.slice(2, 4));
    expect(await idsOf({ after: all[1] ?? '' })).toEqual(all.slice(0, 1));
    expect(await idsOf({ order: 'oldest', limit: 2 })).toEqual(all.toReversed().slice(0, 2));
    expect(await idsOf({ order: 'oldest', after: all[3] ?? '' })).toEqual(all.slice(0, 3).toReversed());
    expect(await open().turns({ limit: 1 })).toEqual(await session.turns({ limit: 1 }));
    await expect(session.turns({ before: 'turn_99' })).rejects.toThrow('names no turn');
    await expect(session.turns({ limit: 0 })).rejects.toThrow('at least 1');
  });

  it('a question without its answer is an open turn', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    await session.addItems([user('Is anybody there?')]);
    const [turn] = await session.turns();
    expect(turn).toMatchObject({ state: 'open', responses: [], usage: undefined, time: undefined });
  });

  it('the tools of a turn are known, although the ledger keeps no content', async () => {
    const store = memoryLedger();
    const { open, chained } = compactionWorld({ ledger: store, keepContent: false });
    const session = open();
    await converse(chained, session, [TOOL], gpt41);
    expect((await open().usage()).tools).toEqual({ get_weather: 1 });
    expect((await open().turns())[0]).toMatchObject({ toolCalls: { get_weather: 1 } });
    expect(JSON.stringify(await store.read('user-42'))).not.toMatch(/Rome|get_weather/);
  });

  it('turns have the same names after a heal and in a rewritten log', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', TOOL, 'three'], gpt41);
    const before = await session.turns();
    await session.heal();
    await session.popItem();
    await session.popItem();
    expect(await open().turns()).toEqual(before.slice(1));
    expect((await session.usage()).total.requests).toBe(4);
  });
});

describe('session.usage()', () => {
  it('usage is counted once over processes and heals, also of turns that were taken back', async () => {
    const { open, chained, client } = compactionWorld();
    await converse(chained, open(), ['one'], gpt41);
    await converse(chained, open(), [TOOL], gpt41);
    await converse(chained, open(), ['three'], { agent: assistantAgent('gpt-5.4') });
    const turns = await open().turns();
    const ids = turns.flatMap(({ responses }) => responses.map(({ responseId }) => responseId));
    await open().heal();
    await open().undo();
    const { total, models, tools, uncounted } = await open().usage();
    expect(total).toEqual(await billed(client, ids));
    expect(Object.keys(models).toSorted()).toEqual([
      'gpt-4.1-2025-04-14',
      expect.stringContaining('gpt-5.4'),
    ]);
    expect(tools).toEqual({ get_weather: 1 });
    expect(uncounted).toBe(0);
  });

  it("responses of the SDK's runner are uncounted", async () => {
    const { open, stock } = compactionWorld({}, {});
    const session = open();
    await session.addItems([user('hello')]);
    expect(await session.usage()).toMatchObject({ total: { requests: 0 }, models: {}, uncounted: 0 });
    await converse(stock, session, ['one'], gpt41);
    expect(await session.usage()).toMatchObject({ total: { requests: 0 }, uncounted: 1 });
  });
});

describe('session.undo()', () => {
  it('an edited question continues from the response before the old one', async () => {
    const { open, chained, sent, contexts } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two', TOOL], gpt41);
    const [turn, ...others] = await session.undo();
    expect(others).toEqual([]);
    expect(outline(turn?.items ?? [])).toBe('u,c,r,a');
    await converse(chained, session, ['three, edited'], gpt41);
    expect(sent().at(-1)).toBe('chain 1');
    expect(contexts().at(-1)).toBe('u,a,u,a,u');
    expect(texts(await session.getItems()).filter((text) => text.startsWith('three'))).toHaveLength(1);
    expect(await session.verify()).toMatchObject({ verified: true, length: 6, pending: 0, findings: [] });
  });

  it.each([
    ['a number of turns', { turns: 2 }, 2],
    ['more turns than there are', { turns: 9 }, 4],
  ] as const)('%s is taken back at once, oldest first', async (_name, options, count) => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['1', '2', '3', '4'], gpt41);
    const all = await session.turns({ order: 'oldest' });
    expect(await session.undo(options)).toEqual(all.slice(4 - count));
    expect(await open().turns({ order: 'oldest' })).toEqual(all.slice(0, 4 - count));
    expect(await session.undo({ turns: 9 })).toHaveLength(4 - count);
    expect(await session.undo()).toEqual([]);
  });

  it.each(['turn', 'response'] as const)('a history goes back to a %s', async (by) => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['1', '2', '3', '4'], gpt41);
    const second = (await session.turns({ order: 'oldest' }))[1];
    const to = by === 'turn' ? second?.turnId : second?.responses[0]?.responseId;
    expect(await session.undo({ to })).toHaveLength(2);
    expect(await historyOf(session)).toBe('u,a,u,a');
    await expect(session.undo({ to: 'resp_nowhere' })).rejects.toThrow('names no turn');
    await expect(session.undo({ to: '', turns: 1 })).rejects.toThrow('cannot go with');
    await expect(session.undo({ turns: 0 })).rejects.toThrow('at least 1');
  });

  it('content of a turn that was taken back is in no record of the store', async () => {
    const store = memoryLedger();
    const { open, chained } = compactionWorld({ ledger: store });
    const session = open();
    await converse(chained, session, ['one', 'the secret question'], gpt41);
    await session.undo();
    expect(JSON.stringify(await store.read('user-42'))).not.toContain('secret');
  });

  it('a turn that another process adds meanwhile is taken back in place of the one before', async () => {
    const store = memoryLedger();
    const { open, chained } = compactionWorld({ ledger: store });
    const ours = open();
    await converse(chained, ours, ['one', 'two'], gpt41);
    const theirs = open({ ledger: elsewhere(store) });
    const [[taken], added] = await Promise.all([ours.undo(), theirs.addItems([user('three')])]);
    expect(added).toBeUndefined();
    const left = texts(await open().getItems());
    expect([taken?.items.length, left.at(-1)]).toEqual(
      left.at(-1) === 'three' ? [2, 'three'] : [1, left.at(-1)],
    );
  });

  it('a branch keeps turns that were taken back', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    const whole = await session.getItems();
    await session.undo({ keep: true });
    const [branch] = await session.branches();
    const kept = open({ sessionId: branch?.sessionId });
    expect(texts(await kept.getItems())).toEqual(texts(whole));
    expect(await historyOf(session)).toBe('u,a');
  });

  it.each(['off', 'shadow', 'rebuild'] as const)(
    'a turn is taken back from the list, too (mode %s)',
    async (mode) => {
      const { open, chained } = compactionWorld({ rollout: mode });
      const session = open();
      await converse(chained, session, ['one', 'two'], gpt41);
      expect(await session.undo()).toHaveLength(1);
      expect(await historyOf(session)).toBe('u,a');
      await converse(chained, session, ['two, edited'], gpt41);
      expect(await historyOf(session)).toBe('u,a,u,a');
    },
  );

  it('a turn behind a compaction comes back to the compaction, and a turn before it ends the view', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    await session.undo();
    expect(await historyOf(session)).toBe('u,u,x');
    await session.undo();
    expect(await historyOf(session)).toBe('u,a');
  });
});

describe('session.fork()', () => {
  it('both sessions go on from the shared response', async () => {
    const { open, chained, sent, contexts } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', TOOL, 'three'], gpt41);
    const [, second] = await session.turns();
    const other = await session.fork({ sessionId: 'user-42-b', at: second?.turnId });
    expect(other.sessionId).toBe('user-42-b');
    await converse(chained, other, ['four'], gpt41);
    await converse(chained, session, ['five'], gpt41);
    expect(sent().slice(-2)).toEqual(['chain 1', 'chain 1']);
    expect(contexts().slice(-2)).toEqual(['u,a,u,c,r,a,u', 'u,a,u,c,r,a,u,a,u']);
    expect(await historyOf(other)).toBe('u,a,u,c,r,a,u,a');
    expect(other.conversationId).not.toBe(session.conversationId);
    expect(await other.verify()).toMatchObject({ verified: true, length: 8, pending: 0, findings: [] });
    expect(await session.verify()).toMatchObject({ verified: true, length: 10, pending: 0, findings: [] });
    expect(await open({ sessionId: 'user-42-b' }).getItems()).toEqual(await other.getItems());
  });

  it('branches are listed with the turn that they share', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    const [newest, oldest] = await session.turns();
    const first = await session.fork({ at: oldest?.responses[0]?.responseId });
    const second = await session.fork();
    const branches = await open().branches();
    expect(branches.map(({ sessionId, turnId }) => [sessionId, turnId])).toEqual([
      [first.sessionId, oldest?.turnId],
      [second.sessionId, newest?.turnId],
    ]);
    await first.erase();
    expect((await open().branches()).map(({ sessionId }) => sessionId)).toEqual([second.sessionId]);
    await session.undo();
    expect((await open().branches())[0]).toMatchObject({ sessionId: second.sessionId, turnId: undefined });
    expect(await first.branches()).toEqual([]);
  });

  it.each([true, false])(
    'the fork is whole after the first session was erased (remote %s)',
    async (remote) => {
      const { open, chained } = compactionWorld();
      const session = open();
      await converse(chained, session, ['one', TOOL], gpt41);
      const other = await session.fork({ sessionId: 'user-42-b' });
      await other.addItems([user('mine')]);
      await session.erase({ remote });
      expect(await historyOf(open({ sessionId: 'user-42-b' }))).toBe('u,a,u,c,r,a,u');
      await converse(chained, other, ['three'], gpt41);
      expect(await open({ sessionId: 'user-42-b' }).verify()).toMatchObject({ verified: true, length: 9 });
    },
  );

  it('the first session is whole after the fork was erased', async () => {
    const { open, chained, sent } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one', TOOL], gpt41);
    const other = await session.fork();
    await converse(chained, other, ['three'], gpt41);
    await other.erase({ remote: true });
    await converse(chained, session, ['four'], gpt41);
    expect(await session.verify()).toMatchObject({ verified: true, length: 8, findings: [] });
    expect(sent().at(-1)).toMatch(/^(chain 1|replay 7)$/);
  });

  it('a fork without a mirror, of a compacted history, and of a fork', async () => {
    const { open, chained, contexts } = compactionWorld({ mirror: 'off' });
    const session = open();
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    const second = await session.fork();
    const third = await second.fork();
    await converse(chained, third, ['four'], gpt41);
    expect(contexts().at(-1)).toBe('u,u,x,u,a,u');
    expect((await third.transcript()).length).toBe(8);
    expect(await third.verify()).toMatchObject({ verified: true, findings: [] });
  });

  it('a fork of a session that keeps no content is refused', async () => {
    const store = memoryLedger();
    const { open, chained } = compactionWorld({ ledger: store, keepContent: false });
    const session = open();
    await converse(chained, session, ['one', TOOL], gpt41);
    await expect(session.fork()).rejects.toMatchObject({ option: 'keepContent' });
    await expect(session.undo({ keep: true })).rejects.toMatchObject({ option: 'keepContent' });
    expect(await historyOf(session)).toBe('u,a,u,c,r,a');
  });

  it('a fork holds the items that the ledger did not keep before', async () => {
    const store = memoryLedger();
    const { open, chained } = compactionWorld({ ledger: store });
    await converse(chained, open({ keepContent: false }), ['one', TOOL], gpt41);
    const session = open();
    const other = await session.fork({ sessionId: 'user-42-b' });
    await session.erase({ remote: true });
    expect(await historyOf(other)).toBe('u,a,u,c,r,a');
    await converse(chained, other, ['three'], gpt41);
    expect(await other.verify()).toMatchObject({ verified: true, length: 8, findings: [] });
  });

  it('a name that a session has is refused, and an empty one', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['one'], gpt41);
    await session.fork({ sessionId: 'user-42-b' });
    await expect(session.fork({ sessionId: 'user-42-b' })).rejects.toThrow('names a session that exists');
    await expect(session.fork({ sessionId: 'user-42' })).rejects.toThrow('names a session that exists');
    await expect(session.fork({ sessionId: '' })).rejects.toThrow('must not be empty');
    await expect(session.fork({ at: 'turn_99' })).rejects.toThrow('names no turn');
    expect((await session.branches()).map(({ sessionId }) => sessionId)).toEqual(['user-42-b']);
  });

  it('a session that has not begun can be forked', async () => {
    const { open } = compactionWorld();
    const other = await open().fork({ sessionId: 'user-42-b' });
    expect(await other.getItems()).toEqual([]);
  });
});

describe('session.lastAgent()', () => {
  it('the agent after a handoff is known in the next process', async () => {
    const { open, simulator } = compactionWorld();
    const billing = new Agent({ name: 'Billing', model: 'gpt-4.1' });
    const triage = new Agent({ name: 'Triage', model: 'gpt-4.1', handoffs: [handoff(billing)] });
    const runner = new HybridRunner({ tracingDisabled: true });
    const session = open();
    expect(await session.lastAgent()).toBeUndefined();
    await runner.run(triage, 'hello', { session });
    expect(await open().lastAgent()).toBe('Triage');
    await runner.run(triage, 'call transfer_to_Billing {}', { session });
    expect(simulator.log.length).toBeGreaterThan(0);
    expect(await open().lastAgent()).toBe('Billing');
    await session.undo();
    expect(await open().lastAgent()).toBe('Triage');
  });
});

describe('session.metadata()', () => {
  it('values stay over turns, compactions, undo, heal and clear, and are read without the history', async () => {
    const store = memoryLedger();
    let reads = 0;
    const ledger = {
      ...store,
      read: (...range: Parameters<typeof store.read>) => ((reads += 1), store.read(...range)),
    };
    const { open, chained } = compactionWorld({ ledger });
    const session = open();
    expect(await session.metadata()).toEqual({});
    expect(await session.setMetadata({ title: 'Trip', owner: { id: 7 } })).toEqual({
      title: 'Trip',
      owner: { id: 7 },
    });
    await converse(chained, session, ['one', 'two'], gpt41);
    await session.setMetadata({ title: null, tags: ['a'] });
    await session.runCompaction({ force: true });
    await converse(chained, session, ['three'], gpt41);
    reads = 0;
    expect(await open().metadata()).toEqual({ owner: { id: 7 }, tags: ['a'] });
    expect(reads).toBe(0);
    await session.undo({ turns: 2 });
    await session.heal();
    await session.clearSession();
    expect(await open().metadata()).toEqual({ owner: { id: 7 }, tags: ['a'] });
    const other = await session.fork();
    expect(await other.metadata()).toEqual({ owner: { id: 7 }, tags: ['a'] });
    await session.erase();
    expect(await open().metadata()).toEqual({});
  });

  it('two processes change different values', async () => {
    const store = memoryLedger();
    const { open } = compactionWorld({ ledger: store });
    await Promise.all([
      open().setMetadata({ one: 1 }),
      open({ ledger: elsewhere(store) }).setMetadata({ two: 2 }),
    ]);
    expect(await open().metadata()).toEqual({ one: 1, two: 2 });
  });

  it('values that are no JSON are refused, and too many', async () => {
    const { open } = compactionWorld();
    const session = open();
    const bad = { when: new Date(0) } as unknown as Record<string, string>;
    await expect(session.setMetadata(bad)).rejects.toThrow('JSON');
    await expect(session.setMetadata({ text: 'x'.repeat(8192) })).rejects.toThrow('at most 8192 bytes');
    expect(await session.metadata()).toEqual({});
  });
});

describe('session.find()', () => {
  it('items are found by text, arguments and results, newest first', async () => {
    const { open, chained } = compactionWorld();
    const session = open();
    await converse(chained, session, ['Hello Rome', TOOL, 'thanks'], gpt41);
    await session.runCompaction({ force: true });
    const found = await session.find('ROME', { limit: 10 });
    expect(found.length).toBeGreaterThanOrEqual(4);
    expect(found.map(({ index }) => index)).toEqual(
      found.map(({ index }) => index).toSorted((a, b) => b - a),
    );
    expect(found.map(({ item }) => item.type)).toContain('function_call');
    expect(found.at(-1)).toMatchObject({ index: 0, turn: 0, seen: false });
    expect(await session.find('function_call')).toEqual([]);
    expect(await session.find('rome', { limit: 1 })).toHaveLength(1);
    await expect(session.find('')).rejects.toThrow('must not be empty');
    expect(await new HybridSession({ mirror: 'off', sessionId: 'nobody' }).find('x')).toEqual([]);
  });
});
