import { Agent } from '@openai/agents';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HybridRunner, HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { conversationLedger } from '../../src/stores/conversation-ledger.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts } from '../flows/support/story.ts';
import { tamperedClient } from '../session/support/tampered.ts';
import { roles, texts, user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, simulatedClient, type Simulated } from '../support/simulated.ts';
import { engines } from './support/engines.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
const runner = new HybridRunner({ tracingDisabled: true });

/** When, while one process clears the session, another one's turn ends. */
const MOMENTS = ['after the clear is recorded', 'after the conversation is deleted'] as const;

/** A store that lets something happen at a moment of a clear, once. */
function interrupted(
  store: LedgerStore,
  moment: (typeof MOMENTS)[number],
  happen: () => Promise<unknown>,
): LedgerStore {
  let isDue = true;
  const once = async (): Promise<void> => {
    if (!isDue) return;
    isDue = false;
    await happen();
  };
  return {
    ...elsewhere(store),
    async append(sessionId, records, head, expected) {
      await store.append(sessionId, records, head, expected);
      if (moment === MOMENTS[0] && records.some(({ type }) => type === 'clear')) await once();
    },
    // The ledger goes last.
    async delete(sessionId, expected?: number) {
      if (moment === MOMENTS[1]) await once();
      await store.delete(sessionId, expected);
    },
  };
}

interface Race extends Simulated {
  readonly cleared: HybridSession;
  readonly other: HybridSession;
  readonly again: () => HybridSession;
  readonly conversationId: string;
}

/** A session of two turns that one process clears, while another one has a third. */
async function race(
  open: (world: Simulated) => LedgerStore | Promise<LedgerStore>,
  moment: (typeof MOMENTS)[number],
  keepContent = true,
): Promise<Race> {
  const world = simulated();
  const { client } = world;
  const other = new HybridSession({ client, ledger: await open(world), keepContent });
  await runner.run(agent, 'one', { session: other });
  await runner.run(agent, 'two', { session: other });
  const conversationId = await other.getSessionId();
  const ledger = interrupted(await open(world), moment, () =>
    runner.run(agent, 'after the clear', { session: other }),
  );
  const cleared = new HybridSession({ client, ledger, conversationId, keepContent });
  await cleared.getItems();
  await cleared.clearSession();
  const store = await open(world);
  const again = (): HybridSession =>
    new HybridSession({ client, ledger: store, conversationId, keepContent });
  return { ...world, cleared, other, again, conversationId };
}

/** What everybody has after the race, and whether the next turn of one reaches the others. */
async function outcomeOf({ simulator, cleared, other, again, conversationId }: Race): Promise<unknown> {
  const next = again();
  const seen = [];
  for (const session of [cleared, other, next]) {
    const items = await session.getItems();
    await session.flush();
    const { verified, length, listed, pending, findings, missing } = await session.verify();
    seen.push([roles(items), texts(items)[0], verified, length, listed, pending, findings, missing]);
  }
  const ids = await Promise.all([cleared, other, next].map((session) => session.getSessionId()));
  const id = ids[0] ?? '';
  const conversations = simulator.snapshot().conversations.map((one) => one.id);
  const isOne = [...ids, ...conversations].every((one) => one === id && one !== conversationId);
  const listed = listedTexts(simulator, id)[0];
  await runner.run(agent, 'and on', { session: other });
  return { seen, isOne, listed, next: roles(await cleared.getItems()) };
}

/** The turn that came after the clear is all there is, for everybody, and in a conversation. */
const ONLY_THE_TURN_AFTER = {
  seen: Array.from({ length: 3 }, () => ['u,a', 'after the clear', true, 2, 2, 0, [], []]),
  isOne: true,
  listed: 'after the clear',
  next: 'u,a,u,a',
};

describe.for(engines.filter(({ missing }) => missing === undefined))(
  'A clear of a session whose ledger is in $name',
  { timeout: 60_000 },
  (engine) => {
    it.each(MOMENTS)('keeps the turn that another process ends %s, in a conversation', async (moment) => {
      const place = await engine.create();
      const closers: (() => Promise<void>)[] = [];
      onTestFinished(async () => {
        for (const close of closers) await close();
        await place.remove?.();
      });
      const open = async (): Promise<LedgerStore> => {
        const { store, close } = await place.open();
        if (close !== undefined) closers.push(close);
        return store;
      };
      expect(await outcomeOf(await race(open, moment))).toEqual(ONLY_THE_TURN_AFTER);
    });
  },
);

describe('A clear', () => {
  it.each(MOMENTS)(
    'keeps the turn that another process ends %s when the ledger has no content',
    async (moment) => {
      const store = memoryLedger();
      const raced = await race(() => elsewhere(store), moment, false);
      expect(await outcomeOf(raced)).toEqual(ONLY_THE_TURN_AFTER);
    },
  );

  it.each(['before it looks', 'while it looks'] as const)(
    'keeps what another process says and moves elsewhere %s what there is to delete',
    async (moment) => {
      const { client, simulator } = simulated();
      const store = memoryLedger();
      const other = new HybridSession({ client, ledger: elsewhere(store) });
      await runner.run(agent, 'one', { session: other });
      const conversationId = await other.getSessionId();
      const moves = async (): Promise<void> => {
        await other.addItems([user('after the clear')]);
        await other.heal();
      };
      let [isCleared, looks] = [false, moment === 'before it looks' ? 2 : 3];
      const ledger: LedgerStore = {
        ...elsewhere(store),
        async append(...args) {
          await store.append(...args);
          isCleared ||= args[1].some(({ type }) => type === 'clear');
        },
        async read(...args) {
          if (isCleared && (looks -= 1) === 0) await moves();
          return store.read(...args);
        },
      };
      const session = new HybridSession({ client, ledger, conversationId });
      await session.getItems();
      await session.clearSession();
      for (const one of [session, other]) expect(texts(await one.getItems())).toEqual(['after the clear']);
      expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([await other.getSessionId()]);
    },
  );

  it('leaves alone where another process is just moving what it has said', async () => {
    const { simulator } = simulated();
    const store = memoryLedger();
    const [writing, seen] = [deferred<void>(), deferred<void>()];
    let isMoving = false;
    const slow = tamperedClient(simulator, async ({ method, path }, answer) => {
      if (!isMoving || method !== 'POST' || !path.endsWith('/items')) return undefined;
      await answer();
      seen.resolve();
      await writing.promise;
      return undefined;
    });
    const other = new HybridSession({ client: slow, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: other });
    const conversationId = await other.getSessionId();
    let moved: Promise<unknown> | undefined;
    const waiting = interrupted(store, MOMENTS[0], async () => {
      await other.addItems([user('after the clear')]);
      isMoving = true;
      moved = other.heal();
      await seen.promise;
    });
    // The move goes on when the clear has come to where it goes.
    const reached = (id: string): void => {
      if (id !== conversationId) writing.resolve();
    };
    const ledger: LedgerStore = {
      ...waiting,
      read: (...args) => waiting.read(...args).finally(() => reached(args[0])),
      delete: (...args) => waiting.delete(...args).finally(() => reached(args[0])),
    };
    const session = new HybridSession({ client: simulatedClient(simulator), ledger, conversationId });
    await session.getItems();
    await session.clearSession();
    await moved;
    for (const one of [session, other]) expect(texts(await one.getItems())).toEqual(['after the clear']);
  });

  it('looks again when the right to write was taken or given back meanwhile', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const first = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: first });
    const conversationId = await first.getSessionId();
    const ledger = interrupted(store, MOMENTS[1], async () => {
      const head = await store.head(conversationId);
      if (head === undefined) throw new Error('There is no ledger any more');
      const lease = { v: 1, commit: 'other/1', time: 0, type: 'lease', writer: 'other', until: 1 } as const;
      await store.append(conversationId, [lease], { ...head, version: head.version + 1 }, head.version);
    });
    const session = new HybridSession({ client, ledger, conversationId });
    await session.clearSession();
    expect(await store.head(conversationId)).toBeUndefined();
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(await session.getItems()).toEqual([]);
  });

  it('that cannot move what came after it says so and keeps it, and a heal moves it', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const other = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: other });
    const conversationId = await other.getSessionId();
    const ledger = interrupted(store, MOMENTS[1], async () => {
      await runner.run(agent, 'after the clear', { session: other });
      simulator.fault('conversations.create', { status: 400, times: 1 });
    });
    const session = new HybridSession({ client, ledger, conversationId });
    await expect(session.clearSession()).rejects.toMatchObject({ status: 400 });
    expect(roles(await session.getItems())).toBe('u,a');
    expect(texts(await other.getItems())[0]).toBe('after the clear');
    const healed = await session.heal();
    expect(listedTexts(simulator, healed.conversationId)[0]).toBe('after the clear');
    expect(await other.verify()).toMatchObject({
      verified: true,
      length: 2,
      pending: 0,
      conversationId: healed.conversationId,
    });
  });

  it('works as ever on a store that deletes whatever is expected', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const ledger: LedgerStore = { ...elsewhere(store), delete: (sessionId) => store.delete(sessionId) };
    const session = new HybridSession({ client, ledger });
    await runner.run(agent, 'one', { session });
    const id = await session.getSessionId();
    await session.clearSession();
    expect(await store.head(id)).toBeUndefined();
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(await session.getItems()).toEqual([]);
  });

  it('of a conversation that is its own ledger moves what came after it before that goes', async () => {
    const { cleared, other, simulator, conversationId } = await race(
      ({ client }) => conversationLedger({ client }),
      MOMENTS[0],
    );
    const items = await cleared.getItems();
    expect([roles(items), texts(items)[0]]).toEqual(['u,a', 'after the clear']);
    expect(await cleared.verify()).toMatchObject({ verified: true, length: 2, listed: 2, pending: 0 });
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([await cleared.getSessionId()]);
    // Where it went was written in what is gone.
    await expect(other.getItems()).rejects.toMatchObject({ code: 'conversation_not_found' });
    expect(await cleared.getSessionId()).not.toBe(conversationId);
  });
});

describe('An erase', () => {
  it('removes what another process appends meanwhile, too', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const other = new HybridSession({ client, ledger: elsewhere(store) });
    await runner.run(agent, 'one', { session: other });
    const conversationId = await other.getSessionId();
    const ledger = interrupted(store, MOMENTS[1], () => runner.run(agent, 'two', { session: other }));
    const session = new HybridSession({ client, ledger, conversationId });
    const { responses, items } = await session.erase({ remote: true });
    expect([responses.length, items]).toEqual([2, 4]);
    expect(simulator.snapshot()).toMatchObject({ conversations: [], responses: [] });
    expect(await store.head(conversationId)).toBeUndefined();
  });
});
