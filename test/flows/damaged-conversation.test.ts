import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { texts } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import {
  converse,
  historyOf,
  idsOf,
  listedIds,
  listOf,
  recorder,
  requestsOf,
  TURNS,
} from './support/story.ts';

/** A conversation that has lost all answers but the newest, and the whole ledger of the session that wrote it. */
async function damaged() {
  const world = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const session = new HybridSession({ client: world.client, ledger });
  const answers = await converse(simulatedRunner(world.client), session, TURNS);
  return { ...world, ledger, answers, before: await session.getItems(), id: await session.getSessionId() };
}

describe('a session attached to a damaged conversation whose ledger is whole', () => {
  it('a session serves every item of a damaged conversation, in order, with its ID', async () => {
    const { client, simulator, ledger, id, before } = await damaged();
    expect(listOf(simulator, id)).toBe('u,u,u,u,a');
    const session = new HybridSession({ client, ledger, conversationId: id });
    const items = await session.getItems();
    expect(items).toEqual(before);
    const ids = idsOf(items);
    expect(new Set(ids).size).toBe(8);
    expect([0, 2, 4, 6, 7].map((index) => ids[index])).toEqual(listedIds(simulator, id));
    for (const [, itemId] of ids.entries()) expect(itemId).toMatch(/^msg_/);
  });

  it('verify() names the items that a damaged conversation lost', async () => {
    const { client, ledger, id, before } = await damaged();
    const session = new HybridSession({ client, ledger, conversationId: id });
    const report = await session.verify();
    expect(report).toMatchObject({
      verified: true,
      unproven: 0,
      length: 8,
      listed: 5,
      missing: [],
      sources: { ledger: 8 },
    });
    expect(report.findings).toEqual(
      [1, 3, 5].map((index) => ({
        type: 'lost',
        kind: 'message:assistant',
        index,
        id: idsOf(before)[index],
      })),
    );
  });

  it('a read reports the lost items and the restored ones', async () => {
    const { client, ledger, id } = await damaged();
    const { events, onEvent } = recorder();
    const session = new HybridSession({
      client,
      ledger,
      conversationId: id,
      advanced: { compare: 'on-read' },
      onEvent,
    });
    await session.getItems();
    expect(events).toEqual([
      { type: 'lost', sessionId: id, mode: 'chain', findings: expect.any(Array), total: 3 },
      { type: 'restored', sessionId: id, count: 3, sources: { ledger: 3 } },
    ]);
  });

  it('the model sees every item of a damaged conversation, unlike with the stock session', async () => {
    const { client, ledger, id } = await damaged();
    const runner = simulatedRunner(client);
    const stock = new OpenAIConversationsSession({ client, conversationId: id });
    const [stockAnswer] = await converse(runner, stock, ['what did you say?']);
    expect(stockAnswer).toContain('I see 6 items (5u 1a)');

    const session = new HybridSession({
      client,
      ledger,
      conversationId: id,
      advanced: { compare: 'on-read' },
    });
    const [answer] = await converse(runner, session, ['and now?']);
    expect(answer).toContain('I see 11 items (6u 5a)');
    expect(await historyOf(session)).toBe('u,a,u,a,u,a,u,a,u,a,u,a');
  });

  it("a session with compare: 'manual' serves every item without a read of the conversation", async () => {
    const { client, simulator, ledger, id, before } = await damaged();
    const session = new HybridSession({
      client,
      ledger,
      conversationId: id,
      advanced: { compare: 'manual' },
    });
    const requests = await requestsOf(simulator, async () => {
      expect(await session.getItems()).toEqual(before);
    });
    expect(requests).toEqual([]);
  });
});

describe('a session with keepContent: false', () => {
  it.each(['own', 'inherited'] as const)(
    'a session with keepContent: false restores lost answers from responses (input_items: %s)',
    async (inputItems) => {
      const { client } = simulated({ unlink: 'every-turn', inputItems });
      const ledger = memoryLedger();
      const first = new HybridSession({ client, ledger, keepContent: false });
      const answers = await converse(simulatedRunner(client), first, TURNS);
      const { onEvent, of } = recorder();
      const second = new HybridSession({
        client,
        ledger,
        keepContent: false,
        advanced: { compare: 'on-read' },
        conversationId: await first.getSessionId(),
        onEvent,
      });
      const items = await second.getItems();
      expect(texts(items)).toEqual(TURNS.flatMap((turn, index) => [turn, answers[index]]));
      expect(of('restored')).toEqual([expect.objectContaining({ count: 3, sources: { response: 3 } })]);
      expect(await second.verify()).toMatchObject({ verified: true, missing: [] });
    },
  );
});
