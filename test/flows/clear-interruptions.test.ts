import { Agent } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { dyingClient, interruptedClient } from './support/dying.ts';
import { elsewhere } from './support/elsewhere.ts';
import { historyOf, TURNS } from './support/story.ts';

// A lease of a process that died runs out while the next one waits.
useVirtualTime();

const MOMENTS = ['before', 'after'] as const;

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

interface Told extends Simulated {
  readonly ledger: LedgerStore;
  readonly said: readonly string[];
  /** The conversations that the session has had so far. */
  readonly old: readonly (string | undefined)[];
}

/** A session whose second conversation holds its turns. */
async function told(): Promise<Told> {
  const world = simulated({ unlink: 'every-turn' });
  const ledger = memoryLedger();
  const session = open({ ...world, ledger });
  for (const turn of TURNS) await runner.run(agent, turn, { session });
  const first = session.conversationId;
  await session.heal({ previous: 'delete' });
  const old = [first, session.conversationId];
  return { ...world, ledger, said: texts(await session.getItems()), old };
}

/** The session in another process. */
function open({ client, ledger }: Pick<Told, 'client' | 'ledger'>, isBookmarked = false): HybridSession {
  return new HybridSession({
    client,
    ledger: elsewhere(ledger),
    sessionId: 'user-42',
    bookmark: isBookmarked,
  });
}

/** The next process goes on with the remaining items, and leaves one conversation that holds all of them. */
async function expectWhole(world: Told, left: readonly string[]): Promise<void> {
  const { simulator, ledger, client, said, old } = world;
  const next = open(world);
  expect(texts(await next.getItems())).toEqual(left);
  await next.addItems([user('next')]);
  await next.flush();
  expect(texts(await next.getItems())).toEqual([...left, 'next']);
  expect(await next.verify()).toMatchObject({
    sessionId: 'user-42',
    verified: true,
    findings: [],
    pending: 0,
    listed: left.length + 1,
  });
  expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([next.conversationId]);
  for (const conversationId of old) {
    const found = new HybridSession({ client, ledger: elsewhere(ledger), conversationId });
    expect(texts(await found.getItems())).toEqual([...left, 'next']);
    expect(found.sessionId).toBe('user-42');
  }
  const stored = JSON.stringify([await ledger.checkpoint('user-42'), await ledger.read('user-42')]);
  const cleared = said.filter((text) => !left.includes(text));
  for (const text of cleared) expect(stored).not.toContain(JSON.stringify(text));
}

describe('a clear', () => {
  it.each(MOMENTS)(
    'a clear that dies at any request, %s its effect, is finished by the next process',
    async (moment) => {
      for (let at = 1, hasDied = true; hasDied; at += 1) {
        const world = await told();
        const { client, count } = dyingClient(world.simulator, at, moment);
        await open({ ...world, client })
          .clearSession()
          .catch(() => undefined);
        hasDied = count() >= at;
        // The ledger is rewritten before the first request.
        expect(await historyOf(open(world))).toBe('');
        await expectWhole(world, []);
      }
    },
  );

  it.each(MOMENTS)(
    'a clear that dies at any write of its ledger, %s its effect, has taken place or not',
    async (moment) => {
      for (let at = 1, hasDied = true; hasDied; at += 1) {
        const world = await told();
        const { ledger } = world;
        let count = 0;
        const dies = async (write: () => Promise<void>): Promise<void> => {
          count += 1;
          if (count < at) return write();
          if (count === at && moment === 'after') await write();
          throw new Error('The disk is full');
        };
        const store: LedgerStore = {
          ...elsewhere(ledger),
          append: (...args) => dies(() => ledger.append(...args)),
          rewrite: (...args) => dies(() => ledger.rewrite(...args)),
        };
        const { client } = world;
        const session = new HybridSession({ client, ledger: store, sessionId: 'user-42' });
        const isDone = await session.clearSession().then(
          () => true,
          () => false,
        );
        hasDied = count >= at;
        const left = texts(await open(world).getItems());
        expect(isDone ? [[]] : [[], world.said]).toContainEqual(left);
        await expectWhole(world, left);
      }
    },
  );

  it.each(MOMENTS)(
    'a turn of another process %s any request of a clear is kept or cleared',
    async (moment) => {
      for (let at = 1, isInTime = true; isInTime; at += 1) {
        const world = await told();
        const other = open(world);
        await other.getItems();
        const { client, count } = interruptedClient(world.simulator, at, moment, () =>
          other.addItems([user('meanwhile'), user('too')]),
        );
        await open({ ...world, client }).clearSession();
        isInTime = count() >= at;
        expect(texts(await other.getItems())).toEqual(isInTime ? ['meanwhile', 'too'] : []);
        await other.flush();
        await expectWhole(world, isInTime ? ['meanwhile', 'too'] : []);
      }
    },
  );

  it.each(MOMENTS)(
    'a clear by another process %s any request of a turn leaves the whole turn or none of it',
    async (moment) => {
      for (let at = 1, isInTime = true; isInTime; at += 1) {
        const world = await told();
        const { client, count } = interruptedClient(world.simulator, at, moment, () =>
          open(world).clearSession(),
        );
        const other = open({ ...world, client });
        await runner.run(agent, 'and now?', { session: other });
        isInTime = count() >= at;
        const history = await historyOf(other);
        expect(isInTime ? ['', 'u,a'] : ['u,a,u,a,u,a,u,a,u,a']).toContain(history);
        await other.flush();
        if (isInTime) await expectWhole(world, texts(await other.getItems()));
      }
    },
  );

  it.each(MOMENTS)(
    'a clear without a ledger that dies at any request, %s its effect, leaves nothing or everything',
    async (moment) => {
      for (let at = 1, hasDied = true; hasDied; at += 1) {
        const { client: living, simulator } = simulated({ unlink: 'every-turn' });
        const session = new HybridSession({ client: living });
        for (const turn of TURNS) await runner.run(agent, turn, { session });
        const { conversationId } = session;
        const { client, count } = dyingClient(simulator, at, moment);
        await new HybridSession({ client, conversationId }).clearSession().catch(() => undefined);
        hasDied = count() >= at;
        const next = new HybridSession({ client: living, conversationId });
        const isThere = simulator.snapshot().conversations.some(({ id }) => id === conversationId);
        const { verified = true, length = 0 } = isThere ? await next.verify() : {};
        // Only where the bookmark is gone by then, and the conversation is not, the list is taken as it is.
        expect([0, 5, 8]).toContain(length);
        expect(verified).toBe(length !== 5);
        if (isThere) await next.clearSession();
        expect(simulator.snapshot().conversations.flatMap(({ items }) => items)).toEqual([]);
      }
    },
  );
});
