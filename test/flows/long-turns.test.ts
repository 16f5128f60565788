import { Agent, OpenAIConversationsSession, tool } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { historyOf, idsOf, listedIds, listedTexts } from './support/story.ts';

const CALLS = 12;

const add = tool({
  name: 'add_one',
  description: 'Adds one',
  parameters: z.object({ to: z.number() }),
  execute: ({ to }) => String(to + 1),
});

describe('a turn of more items than the API takes at once', () => {
  const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [add] });
  const say = Array.from({ length: CALLS }, (_, index) => `call add_one {"to":${index}}`).join(' ');
  const items = 2 * CALLS + 2;

  it('a long turn fails with the stock session after the model has answered', async () => {
    const { client } = simulated();
    const session = new OpenAIConversationsSession({ client });
    await expect(simulatedRunner(client).run(agent, say, { session })).rejects.toThrow(/array too long/);
  });

  it.each([false, true])('a long turn is written in pieces, streamed: %s', async (stream) => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const runner = simulatedRunner(client);
    if (stream) await (await runner.run(agent, say, { session, stream: true })).completed;
    else await runner.run(agent, say, { session });
    const created = simulator.log.filter(({ operation }) => operation === 'conversations.items.create');
    const pieces = created.map(({ body }) => (Array.isArray(body?.['items']) ? body['items'].length : 0));
    expect(Math.max(...pieces)).toBe(20);
    expect(pieces.reduce((sum, length) => sum + length, 0)).toBe(items);
    expect((await session.getItems()).length).toBe(items);
    const id = await session.getSessionId();
    expect(idsOf(await session.getItems())).toEqual(listedIds(simulator, id));
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: items });
  });

  it.each(['off', 'shadow', 'rebuild', 'chain'] as const)(
    'a long turn is whole in mode %s',
    async (rollout) => {
      const { client } = simulated();
      const session = new HybridSession({ client, rollout });
      const runner = simulatedRunner(client);
      await runner.run(agent, say, { session });
      const { finalOutput } = await runner.run(agent, 'thanks', { session });
      expect(finalOutput).toContain(`I see ${items + 1} items (2u ${CALLS}c ${CALLS}r 1a)`);
    },
  );
});

describe('written items', () => {
  it('written items are recorded with the IDs of the conversation', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    const written = Array.from({ length: 45 }, (_, index) => user(`text ${index}`));
    await session.addItems(written);
    const id = await session.getSessionId();
    expect(idsOf(await session.getItems())).toEqual(listedIds(simulator, id));
    expect(listedTexts(simulator, id)).toEqual(texts(written));

    const later = new HybridSession({ client, ledger, conversationId: id });
    expect(await later.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 45 });
    expect(await historyOf(later)).toBe(written.map(() => 'u').join(','));
  });

  it('written items keep their order if a piece in the middle fails at first', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const written = Array.from({ length: 65 }, (_, index) => user(`text ${index}`));
    simulator.fault('conversations.items.create', { status: 429, skip: 1, times: 1 });
    await session.addItems(written);
    expect((await session.verify()).pending).toBe(45);
    await session.flush();
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(texts(written));
    expect(texts(await session.getItems())).toEqual(texts(written));
  });
});
