import { Agent } from '@openai/agents';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts } from '../flows/support/story.ts';
import { tamperedClient } from '../session/support/tampered.ts';
import { roles, texts, user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, type Simulated } from '../support/simulated.ts';
import { engines } from './support/engines.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
const runner = new HybridRunner({ tracingDisabled: true });

/** When, while one process clears the session, another one's turn ends. */
const MOMENTS = [
  'before the clear is recorded',
  'after the clear is recorded',
  'after the conversation is deleted',
] as const;

/** A store that lets something happen at a moment of a clear, once. */
function interrupted(
  store: LedgerStore,
  moment: (typeof MOMENTS)[number],
  happen: () => Promise<unknown>,
): LedgerStore {
  let isDue = true;
  let isCleared = false;
  const at = async (now: (typeof MOMENTS)[number]): Promise<void> => {
    if (!isDue || moment !== now) return;
    isDue = false;
    await happen();
  };
  return {
    ...elsewhere(store),
    // A clear rewrites the log.
    async rewrite(...args) {
      await at('before the clear is recorded');
      await store.rewrite(...args);
      isCleared = true;
      await at('after the clear is recorded');
    },
    // Then it records that the conversation is deleted.
    async append(...args) {
      if (isCleared) await at('after the conversation is deleted');
      await store.append(...args);
    },
  };
}

interface Race extends Simulated {
  readonly cleared: HybridSession;
  readonly other: HybridSession;
  readonly again: () => HybridSession;
  readonly sessionId: string;
}

/** A session of two turns that one process clears, while another one has a third. */
async function race(
  open: () => LedgerStore | Promise<LedgerStore>,
  moment: (typeof MOMENTS)[number],
  keepContent = true,
): Promise<Race> {
  const world = simulated();
  const { client } = world;
  const options = { client, keepContent, bookmark: false };
  const other = new HybridSession({ ...options, ledger: await open() });
  await runner.run(agent, 'one', { session: other });
  await runner.run(agent, 'two', { session: other });
  const sessionId = await other.getSessionId();
  const ledger = interrupted(await open(), moment, () =>
    runner.run(agent, 'after the clear', { session: other }),
  );
  const cleared = new HybridSession({ ...options, ledger, sessionId });
  await cleared.getItems();
  await cleared.clearSession();
  const store = await open();
  const again = (): HybridSession =>
    new HybridSession({ ...options, ledger: store, conversationId: sessionId });
  return { ...world, cleared, other, again, sessionId };
}

/** What every process has after the race, and whether the next turn of one reaches the others. */
async function outcomeOf({ simulator, cleared, other, again, sessionId }: Race): Promise<unknown> {
  const next = again();
  const sessions = [cleared, other, next];
  const seen = [];
  for (const session of sessions) {
    const items = await session.getItems();
    await session.flush();
    const { verified, length, listed, pending, findings, missing } = await session.verify();
    seen.push([roles(items), texts(items)[0], verified, length, listed, pending, findings, missing]);
  }
  const names = await Promise.all(sessions.map((session) => session.getSessionId()));
  const id = other.conversationId ?? '';
  const conversations = simulator.snapshot().conversations.map((one) => one.id);
  const isNamed = names.every((name) => name === sessionId);
  const isOne = conversations.length === 1 && conversations[0] === id && id !== sessionId;
  const listed = listedTexts(simulator, id)[0];
  await runner.run(agent, 'and on', { session: other });
  return { seen, isNamed, isOne, listed, next: roles(await cleared.getItems()) };
}

/** The turn that came after the clear is all there is, for every process, and in a conversation. */
const ONLY_THE_TURN_AFTER = {
  seen: Array.from({ length: 3 }, () => ['u,a', 'after the clear', true, 2, 2, 0, [], []]),
  isNamed: true,
  isOne: true,
  listed: 'after the clear',
  next: 'u,a,u,a',
};

const AFTER = MOMENTS.slice(1);

/** What every process has of a turn that came before the clear, and how the session goes on. */
async function remainsOf({ cleared, other, again, simulator, sessionId }: Race): Promise<unknown> {
  const sessions = [cleared, other, again()];
  const left = [];
  for (const session of sessions) left.push(...(await session.getItems()));
  const names = await Promise.all(sessions.map((session) => session.getSessionId()));
  const isNamed = names.every((name) => name === sessionId);
  const { length } = simulator.snapshot().conversations;
  await runner.run(agent, 'and on', { session: other });
  const ids = simulator.snapshot().conversations.map(({ id }) => id);
  const isOne = ids.length === 1 && ids[0] === other.conversationId;
  return { left, isNamed, conversations: length, isOne, next: texts(await cleared.getItems())[0] };
}

const NOTHING = { left: [], isNamed: true, conversations: 0, isOne: true, next: 'and on' };

describe.for(engines.filter(({ missing }) => missing === undefined))(
  'A clear of a session whose ledger is in $name',
  (engine) => {
    /** Opens stores on one place. */
    async function place(): Promise<() => Promise<LedgerStore>> {
      const place = await engine.create();
      const closers: (() => Promise<void>)[] = [];
      onTestFinished(async () => {
        for (const close of closers) await close();
        await place.remove?.();
      });
      return async () => {
        const { store, close } = await place.open();
        if (close !== undefined) closers.push(close);
        return store;
      };
    }

    it.each(AFTER)(
      'a clear keeps the turn that another process ends %s, in a conversation',
      async (moment) => {
        expect(await outcomeOf(await race(await place(), moment))).toEqual(ONLY_THE_TURN_AFTER);
      },
    );

    it('a clear takes the turn that another process ends before it is recorded', async () => {
      const raced = await race(await place(), 'before the clear is recorded');
      expect(await remainsOf(raced)).toEqual(NOTHING);
    });
  },
);

describe('A clear', () => {
  it.each(AFTER)(
    'a clear keeps the turn that another process ends %s when the ledger has no content',
    async (moment) => {
      const store = memoryLedger();
      const raced = await race(() => elsewhere(store), moment, false);
      expect(await outcomeOf(raced)).toEqual(ONLY_THE_TURN_AFTER);
    },
  );

  it.each(MOMENTS)('a clear deletes no conversation that another process heals %s', async (moment) => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const other = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: other });
    const sessionId = await other.getSessionId();
    const ledger = interrupted(store, moment, async () => {
      await other.addItems([user('after the clear')]);
      await other.heal({ previous: 'delete' });
    });
    const session = new HybridSession({ client, ledger, sessionId });
    await session.getItems();
    await session.clearSession();
    const isAfter = moment !== 'before the clear is recorded';
    for (const one of [session, other])
      expect(texts(await one.getItems())).toEqual(isAfter ? ['after the clear'] : []);
    const conversations = simulator.snapshot().conversations.map(({ id }) => id);
    expect(conversations).toEqual(isAfter ? [other.conversationId] : []);
    expect(await session.verify()).toMatchObject({ verified: true, length: isAfter ? 1 : 0, pending: 0 });
  });

  it.each(['is cleared', 'is healed'] as const)(
    'a clear ends a heal of another process that is writing: nothing comes back (%s last)',
    async (order) => {
      const { simulator, client } = simulated();
      const store = memoryLedger();
      const [writing, seen] = [deferred<void>(), deferred<void>()];
      let isHealing = false;
      const slow = tamperedClient(simulator, async ({ method, path }, answer) => {
        if (!isHealing || method !== 'POST' || !path.endsWith('/items')) return undefined;
        if (order === 'is healed') await answer();
        seen.resolve();
        await writing.promise;
        return undefined;
      });
      const other = new HybridSession({ client: slow, ledger: elsewhere(store) });
      await runner.run(agent, 'one', { session: other });
      const sessionId = await other.getSessionId();
      isHealing = true;
      const healed = other.heal().catch(() => undefined);
      await seen.promise;
      const session = new HybridSession({ client, ledger: elsewhere(store), sessionId });
      await session.clearSession();
      writing.resolve();
      await healed;
      await session.addItems([user('after the clear')]);
      for (const one of [session, other]) {
        await one.flush();
        expect(texts(await one.getItems())).toEqual(['after the clear']);
        expect(await one.verify()).toMatchObject({ verified: true, length: 1, listed: 1, pending: 0 });
      }
      expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['after the clear']);
    },
  );

  it('a clear looks again when the right to write was taken or given back meanwhile', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const first = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: first });
    const sessionId = await first.getSessionId();
    const ledger = interrupted(store, 'before the clear is recorded', async () => {
      const checkpoint = await store.checkpoint(sessionId);
      if (checkpoint === undefined) throw new Error('There is no ledger any more');
      const lease = { v: 3, commit: 'other/1', time: 0, type: 'lease', writer: 'other', until: 1 } as const;
      await store.append(
        sessionId,
        [lease],
        { ...checkpoint, version: checkpoint.version + 1 },
        checkpoint.version,
      );
    });
    const session = new HybridSession({ client, ledger, sessionId });
    await session.clearSession();
    expect(await store.checkpoint(sessionId)).toMatchObject({ length: 0 });
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(await session.getItems()).toEqual([]);
  });

  it('a cleared session keeps the next turn if no conversation can be created, and mirrors it later', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const other = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: other });
    const sessionId = await other.getSessionId();
    const ledger = interrupted(store, 'after the conversation is deleted', async () => {
      simulator.fault('conversations.create', { status: 400, times: 1 });
      await runner.run(agent, 'after the clear', { session: other });
    });
    const session = new HybridSession({ client, ledger, sessionId });
    await session.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(texts(await session.getItems())[0]).toBe('after the clear');
    await runner.run(agent, 'and on', { session });
    expect(listedTexts(simulator, session.conversationId ?? '')[0]).toBe('after the clear');
    expect(await other.verify()).toMatchObject({
      verified: true,
      length: 4,
      listed: 4,
      pending: 0,
      conversationId: session.conversationId,
    });
  });

  it.each([1, 2, 3])(
    'a clear in %d other processes at the same time clears once, and leaves no conversation',
    async (count) => {
      const { client, simulator } = simulated();
      const store = memoryLedger();
      const first = new HybridSession({ client, ledger: elsewhere(store) });
      await runner.run(agent, 'one', { session: first });
      const sessionId = await first.getSessionId();
      const others = Array.from(
        { length: count },
        () => new HybridSession({ client, ledger: elsewhere(store), sessionId }),
      );
      await Promise.all([first, ...others].map((session) => session.clearSession()));
      expect(simulator.snapshot().conversations).toEqual([]);
      await first.addItems([user('after the clear')]);
      for (const session of others) expect(texts(await session.getItems())).toEqual(['after the clear']);
      expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([first.conversationId]);
    },
  );
});

describe('An erase', () => {
  it('an erase removes what another process appends meanwhile, too', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const other = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: other });
    const sessionId = await other.getSessionId();
    let isDue = true;
    const ledger: LedgerStore = {
      ...elsewhere(store),
      // The ledger goes last.
      async delete(...args) {
        if (isDue) {
          isDue = false;
          await runner.run(agent, 'two', { session: other });
        }
        await store.delete(...args);
      },
    };
    const session = new HybridSession({ client, ledger, sessionId });
    const { responses, items, conversations } = await session.erase({ remote: true });
    expect([responses.length, items, conversations]).toEqual([2, 4, [sessionId]]);
    expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [] });
    expect(await store.checkpoint(sessionId)).toBeUndefined();
  });
});
