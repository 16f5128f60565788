import { describe, expect, it } from 'vitest';
import {
  ConversationOwnedError,
  HybridSession,
  memoryLedger,
  type HybridSessionEvent,
} from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { converse, historyOf, listedTexts, TURNS } from './support/story.ts';

useVirtualTime();

describe('a session with a name of its own', () => {
  it('a named session goes on in another process that knows the name and the ledger alone', async () => {
    const world = simulated();
    const ledger = memoryLedger();
    const name = { sessionId: 'user-42', ledger, client: world.client };
    for (const turn of TURNS) await converse(simulatedRunner(world.client), new HybridSession(name), [turn]);
    const session = new HybridSession(name);
    expect(await historyOf(session)).toBe('u,a,u,a,u,a,u,a');
    expect(await session.getSessionId()).toBe('user-42');
    expect(session.conversationId).toMatch(/^conv_/);
    expect(world.simulator.snapshot().conversations.filter(({ items }) => items.length > 0)).toHaveLength(1);
  });

  it('every conversation that a session has or had leads to it, and it keeps its name', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ sessionId: 'user-42', ledger, client });
    await session.addItems([user('one')]);
    const first = session.conversationId;
    await session.heal();
    const second = session.conversationId;
    await session.addItems([user('two')]);
    expect(second).not.toBe(first);
    for (const conversationId of [first, second]) {
      const found = new HybridSession({ conversationId, ledger, client });
      expect(texts(await found.getItems())).toEqual(['one', 'two']);
      expect(found.sessionId).toBe('user-42');
      expect(found.conversationId).toBe(second);
    }
    await session.clearSession();
    await session.addItems([user('three')]);
    for (const conversationId of [first, second, session.conversationId]) {
      const found = new HybridSession({ conversationId, ledger, client });
      expect(texts(await found.getItems())).toEqual(['three']);
      expect(found.sessionId).toBe('user-42');
    }
    expect(simulator.snapshot().conversations.map(({ id }) => id)).not.toContain(second);
  });

  it('a conversation that was created for a call without items leads to its session', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ sessionId: 'user-42', ledger, client });
    await session.addItems([user('one')]);
    await session.clearSession();
    await session.runCompaction({ responseId: 'resp_1' });
    const replacement = {
      type: 'function_call',
      callId: 'call_1',
      name: 'look_up',
      arguments: '{}',
    } as const;
    await session.applyHistoryMutations({
      mutations: [{ type: 'replace_function_call', callId: 'call_1', replacement }],
    });
    const found = new HybridSession({ conversationId: session.conversationId, ledger, client });
    expect(session.conversationId).toMatch(/^conv_/);
    expect(await found.verify()).toMatchObject({ length: 0, responseId: 'resp_1' });
    expect(found.sessionId).toBe('user-42');
  });

  it('a named session adopts a conversation, but not that of another session', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const { id: conversationId } = await client.conversations.create({
      items: [{ type: 'message', role: 'user', content: 'before' }],
    });
    const session = new HybridSession({ sessionId: 'user-42', conversationId, ledger, client });
    await session.addItems([user('after')]);
    expect(texts(await session.getItems())).toEqual(['before', 'after']);
    const again = new HybridSession({ sessionId: 'user-42', ledger, client });
    expect(texts(await again.getItems())).toEqual(['before', 'after']);
    expect(again.conversationId).toBe(conversationId);
    const other = new HybridSession({ sessionId: 'user-43', conversationId, ledger, client });
    await expect(other.getItems()).rejects.toThrow(ConversationOwnedError);
    await expect(other.addItems([user('no')])).rejects.toThrow(ConversationOwnedError);
    const { id } = await client.conversations.create({});
    const elsewhere = new HybridSession({ sessionId: 'user-42', conversationId: id, ledger, client });
    await expect(elsewhere.getItems()).rejects.toThrow(ConversationOwnedError);
  });

  it('a read creates no conversation, and two processes that begin at once create one', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const events: HybridSessionEvent[] = [];
    const open = (): HybridSession =>
      new HybridSession({
        sessionId: 'user-42',
        ledger,
        client,
        bookmark: false,
        onEvent: (event) => events.push(event),
      });
    expect(await open().getItems()).toEqual([]);
    expect(await open().popItem()).toBeUndefined();
    expect(simulator.snapshot().conversations).toEqual([]);
    const [one, two] = [open(), open()];
    await Promise.all([one.addItems([user('one')]), two.addItems([user('two')])]);
    expect(texts(await open().getItems()).toSorted()).toEqual(['one', 'two']);
    await one.flush();
    await two.flush();
    expect(one.conversationId).toBe(two.conversationId);
    expect(listedTexts(simulator, one.conversationId ?? '').toSorted()).toEqual(['one', 'two']);
  });

  it('a named session goes on with and without a conversation', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const name = { sessionId: 'user-42', ledger, client };
    await new HybridSession({ ...name, mirror: 'off' }).addItems([user('one')]);
    const session = new HybridSession(name);
    await session.addItems([user('two')]);
    await new HybridSession({ ...name, mirror: 'off' }).addItems([user('three')]);
    await session.flush();
    expect(texts(await session.getItems())).toEqual(['one', 'two', 'three']);
    expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['one', 'two', 'three']);
  });

  it('a turn is kept if no conversation can be created, and mirrored later', async () => {
    const { client, simulator } = simulated();
    const events: HybridSessionEvent[] = [];
    const session = new HybridSession({
      sessionId: 'user-42',
      client,
      onEvent: (event) => events.push(event),
    });
    const recover = simulator.fault('conversations.create', { status: 500 });
    await session.addItems([user('one')]);
    expect(texts(await session.getItems())).toEqual(['one']);
    expect(events).toContainEqual(expect.objectContaining({ code: 'mirror_failed', sessionId: 'user-42' }));
    recover();
    await session.flush();
    expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['one']);
  });
});
