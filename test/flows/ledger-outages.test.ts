import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { clock } from '../../src/util/clock.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { converse, listedTexts } from './support/story.ts';

useVirtualTime();

/** A store whose database answers no call from a moment on, for so many milliseconds. */
function restarting(memory: LedgerStore): { ledger: LedgerStore; restart: (milliseconds: number) => void } {
  let until = 0;
  const guarded =
    <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      if (clock.now() < until)
        throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' });
      return call(...args);
    };
  const ledger = {
    checkpoint: guarded((...args: Parameters<LedgerStore['checkpoint']>) => memory.checkpoint(...args)),
    read: guarded((...args: Parameters<LedgerStore['read']>) => memory.read(...args)),
    append: guarded((...args: Parameters<LedgerStore['append']>) => memory.append(...args)),
    rewrite: guarded((...args: Parameters<LedgerStore['rewrite']>) => memory.rewrite(...args)),
    delete: guarded((...args: Parameters<LedgerStore['delete']>) => memory.delete(...args)),
  };
  return { ledger, restart: (milliseconds) => (until = clock.now() + milliseconds) };
}

describe('a restart of the database', () => {
  it.each(['when the model has answered', 'before the history is read'])(
    'a restart of the database for 200 ms %s does not fail the run',
    async (moment) => {
      const { simulator, client } = simulated();
      const { ledger, restart } = restarting(memoryLedger());
      const session = new HybridSession({ client, ledger });
      const runner = simulatedRunner(client);
      await converse(runner, session, ['hi']);
      if (moment === 'before the history is read') restart(200);
      else runner.once('agent_end', () => restart(200));
      const [answer = ''] = await converse(runner, session, ['what can you do?']);
      const history = texts(await session.getItems());
      expect(history).toHaveLength(4);
      expect(history.slice(2)).toEqual(['what can you do?', answer]);
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(history);
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
    },
  );

  it.each(['by its name', 'by its conversation', 'without a conversation'])(
    'a restart of the database for 200 ms does not fail the first read of a new session object %s',
    async (way) => {
      const { client } = simulated();
      const { ledger, restart } = restarting(memoryLedger());
      const options =
        way === 'without a conversation' ? { client, ledger, mirror: 'off' as const } : { client, ledger };
      const session = new HybridSession({ ...options, sessionId: 'user-42' });
      await session.addItems([user('hi')]);
      const { conversationId } = session;
      restart(200);
      const again = new HybridSession({
        ...options,
        ...(way === 'by its conversation' ? { conversationId } : { sessionId: 'user-42' }),
      });
      expect(texts(await again.getItems())).toEqual(['hi']);
      expect(await again.getSessionId()).toBe('user-42');
    },
  );

  it("a restart of the database for longer than ledgerRetry fails with the driver's error", async () => {
    const { client } = simulated();
    const { ledger, restart } = restarting(memoryLedger());
    const session = new HybridSession({ client, ledger, advanced: { ledgerRetry: 1000 } });
    await session.addItems([user('hi')]);
    restart(1500);
    await expect(session.addItems([user('there')])).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await session.addItems([user('there')]);
    expect(texts(await session.getItems())).toEqual(['hi', 'there']);
  });
});

describe('an append that a lock delayed', () => {
  it.each(['the same object', 'an object of its own'])(
    'an append that was rejected and then applied stands once if %s repeats it',
    async (by) => {
      const { simulator, client } = simulated();
      const memory = memoryLedger();
      const held: (() => Promise<unknown>)[] = [];
      let isLocked = false;
      const ledger: LedgerStore = {
        ...memory,
        append: async (...args) => {
          if (!isLocked) return memory.append(...args);
          held.push(() => memory.append(...args).catch(() => undefined));
          throw new Error('Query read timeout');
        },
      };
      const session = new HybridSession({ client, ledger });
      await session.addItems([user('hi')]);
      const conversationId = await session.getSessionId();
      isLocked = true;
      await expect(session.addItems([user('once')])).rejects.toThrow('Query read timeout');
      isLocked = false;
      for (const release of held) await release();
      const again =
        by === 'the same object' ? session : new HybridSession({ client, ledger, conversationId });
      await again.addItems([user('once')]);
      await again.flush();
      expect(texts(await again.getItems())).toEqual(['hi', 'once']);
      expect(listedTexts(simulator, conversationId)).toEqual(['hi', 'once']);
    },
  );
});
