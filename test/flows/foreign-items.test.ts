import { OpenAIConversationsSession } from '@openai/agents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { runs } from '../support/runs.ts';
import { converse, listedTexts, recorder } from './support/story.ts';

async function withForeignTurns(world: Simulated, rollout: Mode) {
  const { client } = world;
  const { onEvent, of } = recorder();
  const session = new HybridSession({ client, rollout, advanced: { compare: 'on-read' }, onEvent });
  const runner = simulatedRunner(client);
  await converse(runner, session, ['ours 1']);
  const conversation = await session.getSessionId();
  const stock = new OpenAIConversationsSession({ client, conversationId: conversation });
  await converse(runner, stock, ['theirs 1']);
  await converse(runner, session, ['ours 2']);
  await client.responses.create({ model: 'gpt-4.1', conversation, input: 'theirs 2' });
  const [answer] = await converse(runner, session, ['ours 3']);
  return { session, conversation, answer, of };
}

describe.each(['off', 'shadow', 'rebuild', 'chain'] as const)(
  'items of another writer, in mode %s',
  (rollout) => {
    it('an item of another writer is adopted once, at its place', async () => {
      const world = simulated();
      const { session, conversation, answer, of } = await withForeignTurns(world, rollout);
      expect(answer).toContain('I see 9 items (5u 4a)');
      const items = await session.getItems();
      expect(texts(items)).toEqual(listedTexts(world.simulator, conversation));
      expect(texts(items).filter((_, index) => index % 2 === 0)).toEqual([
        'ours 1',
        'theirs 1',
        'ours 2',
        'theirs 2',
        'ours 3',
      ]);
      expect(of('adopted')).toEqual([
        expect.objectContaining({ count: 2 }),
        expect.objectContaining({ count: 2 }),
      ]);
      expect(await session.verify()).toMatchObject({
        verified: false,
        unproven: 4,
        findings: [],
        length: 10,
        listed: 10,
      });
    });
  },
);

describe('items of another writer', () => {
  it('items of another writer stay unproven, since the conversation may have lost some', async () => {
    const world = simulated({ unlink: 'every-turn' });
    const { client } = world;
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    const runner = simulatedRunner(client);
    await converse(runner, session, ['ours 1']);
    expect(await session.verify()).toMatchObject({ verified: true, unproven: 0 });
    const conversationId = await session.getSessionId();
    const stock = new OpenAIConversationsSession({ client, conversationId });
    await converse(runner, stock, ['theirs 1', 'theirs 2', 'theirs 3']);
    await converse(runner, session, ['ours 2']);
    // Of three questions one answer is left, and nothing tells that there were more.
    const report = await session.verify();
    expect(report).toMatchObject({ verified: false, unproven: 4, length: 8, missing: [] });
    await session.heal();
    expect(await session.verify()).toMatchObject({ verified: false, unproven: 4, length: 8 });
  });

  it('an adopted item stays in the history after the conversation lost it', async () => {
    const world = simulated();
    const { session } = await withForeignTurns(world, 'rebuild');
    const before = await session.getItems();
    world.simulator.fault('conversations.items.list', { name: 'dropped_items', count: 3 });
    expect(await session.getItems()).toEqual(before);
  });

  it("an item from before the session's first turn is adopted", async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    const id = await session.getSessionId();
    await client.conversations.items.create(id, { items: [{ role: 'user', content: 'theirs' }] });
    await session.addItems([user('ours')]);
    expect(texts(await session.getItems())).toEqual(['theirs', 'ours']);
  });

  it('an item of another writer takes its place whenever it is noticed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('ours' as const, 'theirs' as const, 'read' as const), { maxLength: 12 }),
        fc.constantFrom<Mode>('off', 'shadow', 'rebuild', 'chain'),
        async (steps, rollout) => {
          const { client, simulator } = simulated();
          const ledger = memoryLedger();
          const session = new HybridSession({ client, ledger, rollout, advanced: { compare: 'on-read' } });
          const id = await session.getSessionId();
          const stock = new OpenAIConversationsSession({ client, conversationId: id });
          for (const [index, step] of steps.entries()) {
            if (step === 'read') await session.getItems();
            else await (step === 'ours' ? session : stock).addItems([user(`${step} ${index}`)]);
          }
          const expected = steps.flatMap((step, index) => (step === 'read' ? [] : [`${step} ${index}`]));
          expect(texts(await session.getItems())).toEqual(expected);
          expect(texts(await session.getItems())).toEqual(expected);
          expect(listedTexts(simulator, id)).toEqual(expected);
          const later = new HybridSession({ client, ledger, conversationId: id, rollout: 'rebuild' });
          expect(texts(await later.getItems())).toEqual(expected);
        },
      ),
      { numRuns: runs(100), seed: 20261123 },
    );
  });

  it("an equal item of another writer is not mistaken for the session's own", async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    const id = await session.getSessionId();
    const stock = new OpenAIConversationsSession({ client, conversationId: id });
    await session.addItems([user('yes')]);
    await stock.addItems([user('yes')]);
    await session.addItems([user('yes')]);
    expect(texts(await session.getItems())).toEqual(['yes', 'yes', 'yes']);
    expect(await session.verify()).toMatchObject({ verified: false, unproven: 1, length: 3, listed: 3 });
  });

  it('an adopted item can be popped', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    await session.addItems([user('ours')]);
    const id = await session.getSessionId();
    await new OpenAIConversationsSession({ client, conversationId: id }).addItems([user('theirs')]);
    expect(texts(await session.getItems())).toEqual(['ours', 'theirs']);
    expect(texts([await session.popItem()])).toEqual(['theirs']);
    expect(listedTexts(simulator, id)).toEqual(['ours']);
    expect(texts(await session.getItems())).toEqual(['ours']);
  });
});

describe('an answer of another writer that says the same as a pending one', () => {
  it.each([
    ['failed', 'later', 503],
    ['was refused for a while', 'later', 429],
    ['failed', 'after an undo', 503],
  ] as const)(
    'an equal answer of another client stays where it is when the write %s (%s)',
    async (_how, end, status) => {
      const world = simulated({ respond: () => 'Done.' });
      const { client, simulator } = world;
      const options = { client, sessionId: 'user-42', ledger: memoryLedger() };
      const session = new HybridSession(options);
      const runner = simulatedRunner(client);
      await converse(runner, session, ['first']);
      const conversationId = session.conversationId ?? '';
      const lift = simulator.fault('conversations.items.create', { status });
      await converse(runner, session, ['ours']);
      if (end === 'after an undo') await session.undo();
      lift();
      await converse(runner, new OpenAIConversationsSession({ client, conversationId }), ['theirs']);
      await session.flush();
      const ours = end === 'after an undo' ? [] : ['ours', 'Done.'];
      const all = ['first', 'Done.', 'theirs', 'Done.', ...ours];
      expect(listedTexts(simulator, conversationId)).toEqual(all);
      expect(texts(await session.getItems())).toEqual(all);
    },
  );
});
