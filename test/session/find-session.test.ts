import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions, type LedgerStore } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** A conversation that another session has nothing to do with, and a session of another user. */
async function world() {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const items = [{ role: 'user' as const, content: 'mine' }];
  const { id: conversationId } = await client.conversations.create({ items });
  const open = (options: HybridSessionOptions): HybridSession =>
    new HybridSession({ client, ledger, bookmark: false, ...options });
  const other = open({ sessionId: 'user-43' });
  await other.addItems([user('private')]);
  return { client, simulator, ledger, conversationId, open, other };
}

/** Whoever can write to the store can write an alias. */
async function forge(store: LedgerStore, from: string, to: string): Promise<void> {
  await new Ledger({ store, sessionId: from }).append(() => [{ type: 'alias', sessionId: to }]);
}

const FORGED = {
  'leads nowhere': 'user-99',
  'leads to a session that has another conversation': 'user-43',
  'leads to itself': undefined,
} as const;

describe.each(Object.entries(FORGED))('an alias that %s', (_, to) => {
  it('a wrong alias leads to no history but that of the conversation', async () => {
    const { ledger, conversationId, open, other } = await world();
    await forge(ledger, conversationId, to ?? conversationId);
    const session = open({ conversationId });
    expect(texts(await session.getItems())).toEqual(['mine']);
    expect(await session.getSessionId()).toBe(conversationId);
    await session.addItems([user('more')]);
    const again = open({ conversationId });
    expect(texts(await again.getItems())).toEqual(['mine', 'more']);
    expect(again.conversationId).toBe(conversationId);
    expect(texts(await other.getItems())).toEqual(['private']);
    expect(await other.verify()).toMatchObject({ verified: true, listed: 1, findings: [] });
  });

  it('a wrong alias keeps a session from nothing: it adopts the conversation under its own name', async () => {
    const { ledger, conversationId, open, other } = await world();
    await forge(ledger, conversationId, to ?? conversationId);
    const session = open({ sessionId: 'user-44', conversationId });
    expect(texts(await session.getItems())).toEqual(['mine']);
    await session.addItems([user('more')]);
    const found = open({ conversationId });
    expect(texts(await found.getItems())).toEqual(['mine', 'more']);
    expect(found.sessionId).toBe('user-44');
    expect(texts(await other.getItems())).toEqual(['private']);
  });
});

describe('an alias', () => {
  it('an alias of another alias leads to no session', async () => {
    const { client, ledger, conversationId, open } = await world();
    const { id: second } = await client.conversations.create({});
    await forge(ledger, second, 'user-43');
    await forge(ledger, conversationId, second);
    expect(texts(await open({ conversationId }).getItems())).toEqual(['mine']);
  });

  it('an alias is written once, for any number of processes', async () => {
    const { ledger, conversationId, open } = await world();
    const sessions = Array.from({ length: 4 }, () => open({ sessionId: 'user-44', conversationId }));
    await Promise.all(sessions.map((session) => session.getItems()));
    expect((await ledger.read(conversationId)).records.map(({ type }) => type)).toEqual(['alias']);
  });

  it('an alias of a former conversation leads to its session, also after a rewrite of its ledger', async () => {
    const { ledger, conversationId, open } = await world();
    const session = open({ sessionId: 'user-44', conversationId });
    await session.addItems([user('one'), user('two')]);
    await session.heal();
    await session.popItem();
    await session.heal();
    await session.popItem();
    expect((await ledger.read('user-44')).records[0]?.type).toBe('state');
    const found = open({ conversationId });
    expect(texts(await found.getItems())).toEqual(['mine']);
    expect([found.sessionId, found.conversationId]).toEqual(['user-44', session.conversationId]);
  });
});

describe('a session', () => {
  it('a session keeps its conversation when it is given one that it has had', async () => {
    const { conversationId, open } = await world();
    const session = open({ sessionId: 'user-44', conversationId });
    await session.addItems([user('one')]);
    const { conversationId: now } = await session.heal();
    const again = open({ sessionId: 'user-44', conversationId });
    expect(texts(await again.getItems())).toEqual(['mine', 'one']);
    expect(again.conversationId).toBe(now);
  });

  it.each(['await', 'off'] as const)(
    'a session is found by a conversation in place of its name (mirror: %s)',
    async (mirror) => {
      const { ledger, open, conversationId } = await world();
      const session = open({ sessionId: 'user-44', conversationId });
      await session.addItems([user('one')]);
      const { conversationId: now } = await session.heal();
      for (const id of [conversationId, now]) {
        const found = open({ sessionId: id, mirror });
        await found.addItems([user('more')]);
        expect(found.sessionId).toBe('user-44');
        expect((await ledger.read(id)).records.map(({ type }) => type)).toEqual(['alias']);
      }
      await session.flush();
      expect(texts(await open({ conversationId }).getItems())).toEqual(['mine', 'one', 'more', 'more']);
      expect(await session.verify()).toMatchObject({ unproven: 1, listed: 4, pending: 0, findings: [] });
    },
  );

  it('a session owns the conversation that is its name: no other session takes it', async () => {
    const { open } = await world();
    const session = open({});
    await session.addItems([user('one')]);
    const { conversationId } = session;
    const thief = open({ sessionId: 'user-45', conversationId });
    await expect(thief.getItems()).rejects.toMatchObject({
      code: 'conversation_owned',
      conversationId,
      sessionId: 'user-45',
    });
    const { conversationId: now } = await session.heal();
    for (const id of [conversationId, now]) {
      await expect(open({ sessionId: 'user-45', conversationId: id }).getItems()).rejects.toMatchObject({
        code: 'conversation_owned',
      });
    }
  });

  it('a cleared session still owns its former conversations', async () => {
    const { open } = await world();
    const session = open({ sessionId: 'user-44' });
    await session.addItems([user('one')]);
    const { conversationId } = session;
    await session.clearSession();
    await expect(open({ sessionId: 'user-45', conversationId }).getItems()).rejects.toMatchObject({
      code: 'conversation_owned',
    });
    expect(await open({ sessionId: 'user-44', conversationId }).getItems()).toEqual([]);
  });

  it('a session with keepContent: false keeps items whose conversation cannot be created yet', async () => {
    const { client, simulator, open } = await world();
    const session = open({ sessionId: 'user-44', keepContent: false });
    const recover = simulator.fault('conversations.create', { status: 500 });
    await session.addItems([user('one')]);
    expect(texts(await session.getItems())).toEqual(['one']);
    recover();
    await session.flush();
    expect(texts(await session.getItems())).toEqual(['one']);
    const { data } = await client.conversations.items.list(session.conversationId ?? '');
    expect(data).toHaveLength(1);
  });
});
