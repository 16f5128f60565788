import { describe, expect, it } from 'vitest';
import { HybridSession } from '../../src/index.ts';
import { listedTexts, recorder } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const METADATA = { owner: 'user-7' };

/** A conversation that names another one as the place of its bookmark, which holds none, and belongs to another user. */
async function forged() {
  const { client, simulator } = simulated();
  const items = [{ role: 'user' as const, content: 'private' }];
  const victim = await client.conversations.create({ metadata: METADATA, items });
  const { id: conversationId } = await client.conversations.create({
    metadata: { hybrid_session: victim.id },
  });
  const { onEvent, of } = recorder();
  const session = new HybridSession({ client, conversationId, onEvent });
  const expectUntouched = async (): Promise<void> => {
    expect((await client.conversations.retrieve(victim.id)).metadata).toEqual(METADATA);
    expect(listedTexts(simulator, victim.id)).toEqual(['private']);
  };
  return { client, simulator, conversationId, session, of, expectUntouched };
}

describe('a conversation that is named as the place of the bookmark, and holds none', () => {
  it('a conversation without this bookmark is neither served nor written, although the metadata name it', async () => {
    const { client, conversationId, session, expectUntouched } = await forged();
    await session.addItems([user('one')]);
    await session.addItems([user('two')]);
    expect(texts(await session.getItems())).toEqual(['one', 'two']);
    await expectUntouched();
    // The session has a bookmark of its own by now.
    const next = new HybridSession({ client, conversationId });
    expect(texts(await next.getItems())).toEqual(['one', 'two']);
    expect(await next.verify()).toMatchObject({ verified: true, unproven: 0 });
  });

  it.each(['before', 'after'])(
    'a conversation without this bookmark is not deleted by clear or erase, %s a turn',
    async (moment) => {
      for (const end of ['clear', 'erase'] as const) {
        const { session, of, expectUntouched } = await forged();
        if (moment === 'after') await session.addItems([user('one')]);
        if (end === 'clear') await session.clearSession();
        else await session.erase({ remote: true });
        await expectUntouched();
        expect(of('warning').filter(({ code }) => code === 'bookmark_failed')).toEqual([]);
      }
    },
  );

  it('a conversation that names itself as its bookmark keeps its metadata', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create({ metadata: METADATA });
    const metadata = { ...METADATA, hybrid_session: conversationId };
    await client.conversations.update(conversationId, { metadata });
    const session = new HybridSession({ client, conversationId });
    await session.addItems([user('one')]);
    const now = await client.conversations.retrieve(conversationId);
    expect(now.metadata).toEqual({ ...METADATA, hybrid_session: expect.stringMatching(/^conv_/) });
    expect(now.metadata).not.toEqual(metadata);
    await session.erase({ remote: true });
    expect(simulator.snapshot().conversations).toEqual([]);
  });
});

describe('a bookmark', () => {
  it.each([false, true])(
    'a deleted bookmark is created again (by another process: %s)',
    async (isElsewhere) => {
      const { client, simulator } = simulated();
      const first = new HybridSession({ client });
      await first.addItems([user('one')]);
      const conversationId = await first.getSessionId();
      const { metadata } = await client.conversations.retrieve(conversationId);
      await client.conversations.delete((metadata as Record<string, string>)['hybrid_session'] ?? '');
      const session = isElsewhere ? new HybridSession({ client, conversationId }) : first;
      await session.addItems([user('two')]);
      await session.addItems([user('three')]);
      const next = new HybridSession({ client, conversationId });
      expect(texts(await next.getItems())).toEqual(['one', 'two', 'three']);
      // What a process without the bookmark adopted stays unproven.
      const proven = isElsewhere ? { verified: false, unproven: 1 } : { verified: true, unproven: 0 };
      expect(await next.verify()).toMatchObject({ ...proven, length: 3, findings: [] });
      expect(simulator.snapshot().conversations).toHaveLength(2);
    },
  );

  it('clear deletes a conversation and its bookmark, and a flush finishes a failed clear', async () => {
    const { client, simulator } = simulated();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, onEvent });
    await session.addItems([user('one')]);
    await session.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    await session.addItems([user('two')]);
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession();
    expect(of('mirror_failed')).toMatchObject([{ count: 1 }]);
    expect(await session.getItems()).toEqual([]);
    await session.flush();
    expect(simulator.snapshot().conversations).toEqual([]);
  });
});
