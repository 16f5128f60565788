import { OpenAIConversationsSession } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../mocks/index.ts';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { runs } from '../support/runs.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import {
  converse,
  historyOf,
  idsOf,
  listedIds,
  listedTexts,
  listOf,
  recorder,
  TURNS,
} from './support/story.ts';

useVirtualTime();

const LIST = 'conversations.items.list';

async function whole(fault?: Fault) {
  const world = simulated();
  const ledger = memoryLedger();
  const first = new HybridSession({ client: world.client, ledger });
  await converse(simulatedRunner(world.client), first, TURNS);
  const conversationId = await first.getSessionId();
  const items = await first.getItems();
  if (fault !== undefined) world.simulator.fault(LIST, fault);
  const { onEvent, of } = recorder();
  const { client } = world;
  const session = new HybridSession({
    client,
    ledger,
    conversationId,
    advanced: { compare: 'on-read' },
    onEvent,
  });
  return { ...world, ledger, conversationId, items, session, of };
}

describe('an unreliable list', () => {
  it('a list that drops an item costs no item of the history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 7 }), async (index) => {
        const { simulator, items, session, of } = await whole();
        const id = String(idsOf(items)[index]);
        simulator.fault(LIST, { name: 'dropped_items', id });
        expect(await session.getItems()).toEqual(items);
        const kind = index % 2 === 0 ? 'message:user' : 'message:assistant';
        expect(of('lost').map(({ findings }) => findings)).toEqual([[{ type: 'lost', id, kind, index }]]);
        expect(of('restored')).toEqual([expect.objectContaining({ count: 1 })]);
        expect(of('adopted')).toEqual([]);
        expect(await session.verify()).toMatchObject({ verified: true, listed: 7, length: 8 });
      }),
      { numRuns: runs(16), seed: 7 },
    );
  });

  it('a list that repeats items repeats no item of the history', async () => {
    const { items, session, of } = await whole({ name: 'duplicated_items', count: 3 });
    expect(await session.getItems()).toEqual(items);
    expect(of('adopted')).toEqual([]);
    const { findings, verified, listed } = await session.verify();
    expect({ verified, listed }).toEqual({ verified: true, listed: 11 });
    expect(findings.map(({ type, index }) => `${type} ${index}`)).toEqual([
      'duplicated 5',
      'duplicated 6',
      'duplicated 7',
    ]);
  });

  it('a list in another order does not reorder the history', async () => {
    const { items, session, of } = await whole('reordered_items');
    expect(await session.getItems()).toEqual(items);
    expect(of('adopted')).toEqual([]);
    const { findings, verified } = await session.verify();
    expect(verified).toBe(true);
    expect(findings.map(({ type }) => type)).toEqual(['reordered']);
  });

  it.each([1, undefined])(
    'a late write that is listed out of place is not adopted (%s times)',
    async (times) => {
      const { client, simulator, ledger, conversationId, items, session, of } = await whole();
      await session.getItems();
      const other = new HybridSession({ client, ledger: elsewhere(ledger), conversationId });
      simulator.fault('conversations.items.create', { status: 504, moment: 'after', times: 1 });
      const lift = simulator.fault(LIST, { name: 'reordered_items', ...(times && { times }) });
      await session.addItems([user('one more')]);
      expect((await other.verify()).length).toBe(9);
      expect((await session.verify()).length).toBe(9);
      lift();
      await session.flush();
      for (const one of [session, other]) {
        expect(texts(await one.getItems())).toEqual([...texts(items), 'one more']);
        await one.flush();
        expect(await one.verify()).toMatchObject({ verified: true, length: 9, pending: 0 });
      }
      await session.flush();
      expect(listedTexts(simulator, conversationId)).toEqual([...texts(items), 'one more']);
      expect(of('adopted')).toEqual([]);
    },
  );

  it('a list that lags one read behind is not a loss', async () => {
    const { client } = simulated({ lag: { reads: 1 } });
    const { onEvent, problems } = recorder();
    const session = new HybridSession({ client, advanced: { compare: 'on-read' }, onEvent });
    const answers = await converse(simulatedRunner(client), session, TURNS);
    expect(answers.at(-1)).toContain('I see 7 items (4u 3a)');
    expect(await historyOf(session)).toBe('u,a,u,a,u,a,u,a');
    expect(problems()).toEqual([]);
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], listed: 8 });
  });

  it('a list that lags forever costs no item', async () => {
    const { items, session, of } = await whole({ name: 'lagging_items', count: 2 });
    expect(await session.getItems()).toEqual(items);
    expect(of('adopted')).toEqual([]);
    expect((await session.verify()).findings.map(({ type, index }) => `${type} ${index}`)).toEqual([
      'lost 6',
      'lost 7',
    ]);
  });

  it('an empty list costs no item', async () => {
    const { items, session } = await whole({ name: 'lagging_items', count: 8 });
    expect(await session.getItems()).toEqual(items);
    expect(await session.verify()).toMatchObject({ verified: true, listed: 0, length: 8 });
  });

  it('an item that a wrong list lacked is not taken for new when it comes back', async () => {
    const { simulator, items, session, of } = await whole();
    const lift = simulator.fault(LIST, { name: 'dropped_items', count: 2 });
    expect(await session.getItems()).toEqual(items);
    lift();
    expect(await session.getItems()).toEqual(items);
    expect(of('adopted')).toEqual([]);
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], listed: 8 });
  });

  it.each([25, 130])(
    'a list that loses its cursor after a page costs no item, of %i items',
    async (count) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const first = new HybridSession({ client, ledger });
      await first.addItems(Array.from({ length: count }, (_, index) => user(`text ${index}`)));
      const conversationId = await first.getSessionId();
      simulator.fault(LIST, 'missing_cursor');

      const stock = new OpenAIConversationsSession({ client, conversationId });
      expect((await stock.getItems()).length).toBe(20);
      const attached = new HybridSession({ client, conversationId });
      expect((await attached.getItems()).length).toBe(count);
      const known = new HybridSession({ client, ledger, conversationId });
      expect(await known.verify()).toMatchObject({ verified: true, listed: count, findings: [] });
    },
  );

  it('a history is served from the ledger if the list fails', async () => {
    const { items, session, of } = await whole({ status: 500 });
    expect(await session.getItems()).toEqual(items);
    expect(of('list_failed')).toEqual([expect.objectContaining({ reason: 'Error (500)' })]);
  });

  it('a history is served from the ledger if the list fails on a later page', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger });
    await first.addItems(Array.from({ length: 130 }, (_, index) => user(`text ${index}`)));
    simulator.fault(LIST, { status: 503, skip: 1 });
    const conversationId = await first.getSessionId();
    const session = new HybridSession({ client, ledger, conversationId });
    expect((await session.getItems()).length).toBe(130);
    expect(listOf(simulator, conversationId).split(',').length).toBe(130);
  });

  it.each([1, 2])('a list that loses an item between two pages costs no item, %i time(s)', async (times) => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger });
    await first.addItems(Array.from({ length: 130 }, (_, index) => user(`text ${index}`)));
    const conversationId = await first.getSessionId();
    const items = await first.getItems();
    let left = times;
    const stop = simulator.onRequest(({ operation, query }) => {
      if (operation !== LIST || query.includes('after=') || left === 0) return;
      left -= 1;
      const cursor = listedIds(simulator, conversationId)[99] ?? '';
      void client.conversations.items.delete(cursor, { conversation_id: conversationId });
    });
    const session = new HybridSession({ client, ledger, conversationId });
    const report = await session.verify();
    stop();
    expect(report).toMatchObject({ verified: true, length: 130, listed: 130 - times });
    expect(report.findings.map(({ type }) => type)).toEqual(Array.from({ length: times }, () => 'lost'));
    expect(await session.getItems()).toEqual(items);
  });

  it('a read changes no list', async () => {
    const { simulator, session, conversationId } = await whole('reordered_items');
    const before = listedIds(simulator, conversationId);
    await session.getItems();
    await session.verify();
    await session.flush();
    expect(listedIds(simulator, conversationId)).toEqual(before);
  });
});
