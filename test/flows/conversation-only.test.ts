import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { converse, historyOf, listOf, recorder, TURNS } from './support/story.ts';

/** A conversation that the stock session wrote with a model that is unlinked: only its newest answer is left. */
async function stockConversation() {
  const world = simulated({ unlink: 'every-turn' });
  const stock = new OpenAIConversationsSession({ client: world.client });
  await converse(simulatedRunner(world.client), stock, TURNS);
  return { ...world, id: await stock.getSessionId() };
}

describe('a new process that knows only the conversation', () => {
  it('a new process adopts the conversation as it is and reports it as unproven', async () => {
    const { client, id } = await stockConversation();
    const { events, onEvent } = recorder();
    const session = new HybridSession({ client, conversationId: id, onEvent });
    expect(await historyOf(session)).toBe('u,u,u,u,a');
    expect(events).toEqual([{ type: 'warning', code: 'adopted', sessionId: id, count: 5 }]);
    const report = await session.verify();
    expect(report).toMatchObject({ verified: false, unproven: 5, length: 5, listed: 5, missing: [] });
    expect(report.findings).toEqual([]);
  });

  it('a new process reports an adopted conversation as unproven even before the first read', async () => {
    const { client, id } = await stockConversation();
    const report = await new HybridSession({ client, conversationId: id }).verify();
    expect(report).toMatchObject({ verified: false, unproven: 5, length: 5 });
    expect(report.findings.map(({ type }) => type)).toEqual(Array.from({ length: 5 }, () => 'foreign'));
  });

  it('a new process loses no item after it adopted the conversation', async () => {
    const { client, simulator, id } = await stockConversation();
    const session = new HybridSession({ client, conversationId: id });
    const answers = await converse(simulatedRunner(client), session, ['one', 'two', 'three']);
    expect(answers.at(-1)).toContain('I see 10 items (7u 3a)');
    expect(await historyOf(session)).toBe('u,u,u,u,a,u,a,u,a,u,a');
    expect(listOf(simulator, id)).toBe('u,u,u,u,u,u,u,a');
    const report = await session.verify();
    expect(report).toMatchObject({ verified: false, unproven: 5, length: 11, pending: 0 });
    expect(report.findings.map(({ type, index }) => `${type} ${index}`)).toEqual([
      'lost 4',
      'lost 6',
      'lost 8',
    ]);
  });

  it('a new process adopts the conversation before its first write, so that the order is right', async () => {
    const { client, id } = await stockConversation();
    const session = new HybridSession({ client, conversationId: id, advanced: { compare: 'manual' } });
    await session.addItems([{ type: 'message', role: 'user', content: 'new' }]);
    expect(await historyOf(session)).toBe('u,u,u,u,a,u');
    expect((await session.verify()).unproven).toBe(5);
  });

  it('a conversation is adopted once, however many sessions attach', async () => {
    const { client, id } = await stockConversation();
    const ledger = memoryLedger();
    const sessions = Array.from(
      { length: 4 },
      () => new HybridSession({ client, ledger, conversationId: id }),
    );
    const histories = await Promise.all(sessions.map((session) => historyOf(session)));
    expect(histories).toEqual(Array.from({ length: 4 }, () => 'u,u,u,u,a'));
    expect(await historyOf(new HybridSession({ client, ledger, conversationId: id }))).toBe('u,u,u,u,a');
  });

  it('an empty conversation is adopted as proven', async () => {
    const { client } = simulated();
    const { id } = await client.conversations.create({});
    const session = new HybridSession({ client, conversationId: id });
    expect(await session.getItems()).toEqual([]);
    await converse(simulatedRunner(client), session, ['hi']);
    expect(await session.verify()).toMatchObject({ verified: true, unproven: 0, length: 2 });
  });
});
