import { describe, expect, it } from 'vitest';
import { HybridSession, type HybridSessionOptions } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { restorableStore, type RestorableStore } from '../support/restorable-store.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { converse, listedTexts, recorder } from './support/story.ts';

useVirtualTime();

const REWOUND = { type: 'warning', code: 'store_rewound' };

/** A session of two turns, its backup, and two more turns. */
async function longer(
  options: Partial<HybridSessionOptions> = {},
  world: Simulated = simulated(),
): Promise<
  Simulated &
    RestorableStore & {
      readonly session: HybridSession;
      readonly id: string;
      readonly old: Awaited<ReturnType<RestorableStore['backup']>>;
      readonly warnings: () => readonly object[];
      readonly say: (session: HybridSession, text: string) => Promise<void>;
    }
> {
  const place = restorableStore();
  const { onEvent, of } = recorder();
  const { client } = world;
  const session = new HybridSession({ client, ledger: place.store, onEvent, ...options });
  const runner = simulatedRunner(client);
  const say = async (to: HybridSession, text: string): Promise<void> => {
    await converse(runner, to, [text]);
  };
  for (const text of ['one', 'two']) await say(session, text);
  const id = await session.getSessionId();
  const old = await place.backup(id);
  for (const text of ['three', 'four']) await say(session, text);
  return { ...world, ...place, session, id, old, warnings: () => of('store_rewound'), say };
}

const questions = (all: readonly string[]): string[] => all.filter((_, index) => index % 2 === 0);

describe('a failover that lost the newest turns', () => {
  it('a failover costs nothing if the session still has the lost turns', async () => {
    const { session, simulator, id, old, restore, warnings, say } = await longer();
    const before = texts(await session.getItems());
    await restore(old);
    await say(session, 'five');
    const after = texts(await session.getItems());
    expect(after.slice(0, -2)).toEqual(before);
    expect(questions(after)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(listedTexts(simulator, id)).toEqual(after);
    expect(warnings()).toEqual([{ ...REWOUND, sessionId: id, reason: 'records are missing' }]);
    expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0 });
  });

  it.each(['await', 'background'] as const)(
    'a failover is repaired from the conversation by a new session, unproven (mirror: %s)',
    async (mirror) => {
      const { client, store, simulator, id, old, restore, say } = await longer({ mirror });
      await restore(old);
      const { onEvent, of } = recorder();
      const later = new HybridSession({ client, ledger: store, conversationId: id, mirror, onEvent });
      await say(later, 'five');
      await later.flush();
      const after = texts(await later.getItems());
      expect(questions(after)).toEqual(['one', 'two', 'three', 'four', 'five']);
      expect(listedTexts(simulator, id)).toEqual(after);
      expect(of('store_rewound')).toEqual([{ ...REWOUND, sessionId: id, reason: 'records are missing' }]);
      expect(await later.verify()).toMatchObject({ verified: false, findings: [], pending: 0 });
    },
  );

  it('a failover is noticed by another process after its first answer', async () => {
    const { client, store, simulator, id, old, restore, say } = await longer();
    await restore(old);
    const later = new HybridSession({ client, ledger: { ...store }, conversationId: id });
    await say(later, 'five');
    await later.flush();
    const after = texts(await later.getItems());
    expect(questions(after)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(listedTexts(simulator, id)).toEqual(after);
    expect(await later.verify()).toMatchObject({ verified: false, unproven: 4, findings: [] });
  });

  it.each(['healed', 'cleared'] as const)(
    'a failover to before the session was %s costs no turn of this process',
    async (how) => {
      const { session, client, store, simulator, id, backup, restore, say } = await longer();
      const old = await backup(id);
      if (how === 'healed') await session.heal();
      else await session.clearSession();
      await say(session, 'five');
      const before = texts(await session.getItems());
      const { conversationId = '' } = session;
      await restore(old);
      expect(texts(await session.getItems())).toEqual(before);
      await say(session, 'six');
      await session.flush();
      const after = texts(await session.getItems());
      expect(questions(after)).toEqual([...questions(before), 'six']);
      expect(session.conversationId).toBe(conversationId);
      expect(listedTexts(simulator, conversationId)).toEqual(after);
      const later = new HybridSession({ client, ledger: { ...store }, conversationId: id });
      expect(texts(await later.getItems())).toEqual(after);
      expect(await later.verify()).toMatchObject({ verified: false, findings: [], pending: 0 });
    },
  );

  it.each([
    ['another process has adopted them meanwhile', 'auto', 'three,four,five'],
    ['another process has gone on without them', 'manual', 'five,three,four'],
  ] as const)('lost turns stay once if %s', async (_name, compare, newest) => {
    const { session, client, store, simulator, id, old, restore, say } = await longer();
    await restore(old);
    const options = { client, ledger: { ...store }, conversationId: id, advanced: { compare } };
    const later = new HybridSession(options);
    await say(later, 'five');
    await later.flush();
    expect(questions(texts(await session.getItems()))).toEqual(['one', 'two', ...newest.split(',')]);
    await say(session, 'six');
    await session.flush();
    expect(questions(texts(await later.getItems()))).toEqual(['one', 'two', ...newest.split(','), 'six']);
    expect(questions(listedTexts(simulator, id))).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
    expect(await later.verify()).toMatchObject({ verified: false, pending: 0, missing: [] });
  });

  it('a failover without a conversation is reported, and the missing turns are unproven', async () => {
    const options = { mirror: 'off', sessionId: 'user-42' } as const;
    const { store, client, old, restore } = await longer(options);
    await restore(old);
    const { onEvent, of } = recorder();
    const later = new HybridSession({ client, ledger: store, onEvent, ...options });
    expect(questions(texts(await later.getItems()))).toEqual(['one', 'two']);
    expect(await later.verify()).toMatchObject({ verified: false, unproven: 4 });
    expect(of('store_rewound')).toEqual([expect.objectContaining(REWOUND)]);
  });
});

describe('a missing ledger', () => {
  it('a missing ledger is rebuilt as unproven, with a warning', async () => {
    const { session, simulator, id, lose, warnings, say } = await longer();
    await lose(id);
    await say(session, 'five');
    const after = texts(await session.getItems());
    expect(questions(after)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(listedTexts(simulator, id)).toEqual(after);
    expect(warnings()).toEqual([{ ...REWOUND, sessionId: id, reason: 'nothing is left' }]);
    expect(await session.verify()).toMatchObject({ verified: false, findings: [], pending: 0 });
  });

  it('a ledger that vanishes between the read of a turn and its append is not taken for a new one', async () => {
    const { session, client, simulator, id, lose, warnings } = await longer();
    const runner = simulatedRunner(client);
    runner.once('agent_start', () => void lose(id));
    await converse(runner, session, ['five']);
    const after = texts(await session.getItems());
    expect(questions(after)).toEqual(['one', 'two', 'three', 'four', 'five']);
    expect(listedTexts(simulator, id)).toEqual(after);
    expect(warnings()).toHaveLength(1);
    expect(await session.verify()).toMatchObject({ verified: false });
  });

  it('a session without a conversation is not new because its ledger is missing', async () => {
    const { session, id, lose, warnings } = await longer({ mirror: 'off', sessionId: 'user-42' });
    await lose(id);
    expect(await session.getItems()).toEqual([]);
    expect(await session.verify()).toMatchObject({ verified: false, length: 0 });
    await session.addItems([user('five')]);
    expect(await session.verify()).toMatchObject({ verified: false, unproven: 1, length: 1 });
    expect(warnings()).toEqual([{ ...REWOUND, sessionId: id, reason: 'nothing is left' }]);
  });

  it('a ledger that this process erased or cleared is a new one', async () => {
    const { session, client, store, id, warnings, say } = await longer();
    const other = new HybridSession({ client, ledger: store, conversationId: id });
    await other.getItems();
    await session.clearSession();
    await say(session, 'new');
    await session.erase();
    await say(session, 'newer');
    expect(warnings()).toEqual([]);
  });
});

it('a lagging replica is waited for, without a warning', async () => {
  const { session, client, simulator, store, id, old, lag, warnings, say } = await longer();
  for (const text of ['five', 'six', 'seven']) {
    lag(old, 3);
    await say(session, text);
    lag(old, 3);
    const later = new HybridSession({ client, ledger: store, conversationId: id });
    expect(questions(texts(await later.getItems())).at(-1)).toBe(text);
  }
  expect(listedTexts(simulator, id)).toEqual(texts(await session.getItems()));
  expect(warnings()).toEqual([]);
  expect(await session.verify()).toMatchObject({ verified: true, findings: [] });
});
