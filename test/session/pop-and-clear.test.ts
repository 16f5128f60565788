import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore, type Mode } from '../../src/index.ts';
import { CHAINING_PORT } from '../../src/chaining/port.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse, historyOf, listedTexts, recorder, TURNS } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, simulatedRunner, type Simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { tamperedClient } from './support/tampered.ts';

const MODES: readonly Mode[] = ['off', 'shadow', 'rebuild', 'chain'];

useVirtualTime();

async function told(world: Simulated, ledger: LedgerStore = memoryLedger()): Promise<HybridSession> {
  const session = new HybridSession({ client: world.client, ledger, bookmark: false });
  await converse(simulatedRunner(world.client), session, TURNS.slice(0, 2));
  return session;
}

/** Whether the process has died: then no request of its gets through any more. */
function mortal({ simulator }: Simulated): { client: Simulated['client']; die: () => void } {
  let isDead = false;
  const client = tamperedClient(simulator, () => {
    if (isDead) throw new TypeError('fetch failed');
    return undefined;
  });
  return {
    client,
    die: () => {
      isDead = true;
    },
  };
}

describe.each(MODES)('a pop in mode %s', (rollout) => {
  it('a pop takes the newest item out of the history, the ledger and the conversation', async () => {
    const world = simulated();
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const { client, simulator } = world;
    const session = new HybridSession({ client, ledger, conversationId, rollout });
    const before = await session.getItems();
    expect([await session.popItem()]).toEqual(before.slice(-1));
    expect(await session.getItems()).toEqual(before.slice(0, -1));
    expect(listedTexts(simulator, conversationId).length).toBe(3);
    const rebuilt = new HybridSession({ client, ledger, conversationId, rollout: 'rebuild' });
    expect(await historyOf(rebuilt)).toBe('u,a,u');
    expect(await rebuilt.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it('a pop goes on to the first item, and then has nothing to give', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const session = new HybridSession({ client, ledger, conversationId, rollout });
    const popped: unknown[] = [];
    for (let count = 0; count < 6; count += 1) popped.push(await session.popItem());
    expect(popped.slice(4)).toEqual([undefined, undefined]);
    expect(listedTexts(simulator, conversationId)).toEqual([]);
    expect(await session.verify()).toMatchObject({ verified: true, length: 0, listed: 0, findings: [] });
    await session.addItems([user('again')]);
    expect(texts(await session.getItems())).toEqual(['again']);
  });

  it('a pop of an item that the ledger does not know deletes it from the list', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({
      items: ['one', 'two'].map((content) => ({ role: 'user' as const, content })),
    });
    const session = new HybridSession({ client, conversationId: id, rollout });
    expect(texts([await session.popItem()])).toEqual(['two']);
    expect(listedTexts(simulator, id)).toEqual(['one']);
    expect(texts(await session.getItems())).toEqual(['one']);
  });

  it('a pop that is interrupted between ledger and conversation is finished by the next process', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const process1 = mortal(world);
    const dying = new HybridSession({
      client: process1.client,
      ledger: elsewhere(ledger),
      conversationId,
      rollout,
    });
    await dying.getItems();
    simulator.fault('conversations.items.delete', { status: 500, times: 1 });
    expect(texts([await dying.popItem()])[0]).toContain('Answer 2');
    process1.die();
    expect(listedTexts(simulator, conversationId).length).toBe(4);

    const { onEvent, of } = recorder();
    const next = new HybridSession({
      client,
      ledger: elsewhere(ledger),
      conversationId,
      rollout,
      onEvent,
    });
    expect(await historyOf(next)).toBe('u,a,u');
    await next.flush();
    expect(listedTexts(simulator, conversationId).length).toBe(3);
    expect(of('adopted')).toEqual([]);
    expect(await next.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });
});

describe.each(['off', 'shadow'] as const)('a pop in mode %s, beside another session', (rollout) => {
  /** A session that is about to pop: while it reads the list, somebody else does something. */
  async function popping(
    world: Simulated,
    ledger: LedgerStore,
    conversationId: string,
    meanwhile: (answer: () => Promise<Response>) => Promise<unknown>,
  ): Promise<HybridSession> {
    let isDone = false;
    const client = tamperedClient(world.simulator, async ({ method, path }, answer) => {
      if (isDone || method !== 'GET' || !path.endsWith('/items')) return undefined;
      isDone = true;
      await meanwhile(answer);
      return undefined;
    });
    return new HybridSession({ client, ledger: elsewhere(ledger), conversationId, rollout });
  }

  it('a pop beside another session gives nothing that the other one has taken out since the list was read', async () => {
    const world = simulated();
    const ledger = memoryLedger();
    const other = await told(world, ledger);
    const conversationId = await other.getSessionId();
    const before = await other.getItems();
    const taken: unknown[] = [];
    const session = await popping(world, ledger, conversationId, async (answer) => {
      await answer();
      taken.push(await other.popItem());
    });
    taken.push(await session.popItem());
    expect(taken).toEqual(before.slice(-2).toReversed());
    expect(await other.getItems()).toEqual(before.slice(0, -2));
    expect(listedTexts(world.simulator, conversationId).length).toBe(2);
  });

  it('a pop beside another session takes out for good what the other one has written and not recorded yet', async () => {
    const world = simulated();
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const recording = deferred<void>();
    const store: LedgerStore = {
      ...elsewhere(ledger),
      append: async (id, records, ...args) => {
        if (records.some(({ type }) => type === 'mirror')) await recording.promise;
        return ledger.append(id, records, ...args);
      },
    };
    const { client, simulator } = world;
    const other = new HybridSession({ client, ledger: store, conversationId });
    await other.getItems();
    let adding: Promise<void> | undefined;
    const session = await popping(world, ledger, conversationId, async () => {
      adding = other.addItems([user('one more')]);
      while (listedTexts(simulator, conversationId).length === 4) await new Promise(setImmediate);
    });
    expect(texts([await session.popItem()])).toEqual(['one more']);
    recording.resolve();
    await adding;
    expect(await historyOf(session)).toBe('u,a,u,a');
    await other.flush();
    expect(listedTexts(simulator, conversationId).length).toBe(4);
    const next = new HybridSession({ client, ledger, conversationId });
    expect(await next.verify()).toMatchObject({ verified: true, length: 4, pending: 0, findings: [] });
  });
});

describe.each(MODES)('an append in mode %s', (rollout) => {
  it('an append that is interrupted between ledger and conversation is finished by the next process', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const process1 = mortal(world);
    const dying = new HybridSession({
      client: process1.client,
      ledger: elsewhere(ledger),
      conversationId,
      rollout,
    });
    await dying.getItems();
    process1.die();
    await dying.addItems([user('one more')]);
    expect(listedTexts(simulator, conversationId).length).toBe(4);
    const next = new HybridSession({
      client,
      ledger: elsewhere(ledger),
      conversationId,
      rollout,
    });
    expect(await historyOf(next)).toBe('u,a,u,a,u');
    await next.flush();
    expect(listedTexts(simulator, conversationId).length).toBe(5);
    expect(await next.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });
});

describe.each(MODES)('a clear in mode %s', (rollout) => {
  it('a clear leaves nothing to be adopted on its way to delete the conversation', async () => {
    const world = simulated();
    const { simulator, client } = world;
    const ledger = memoryLedger();
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, ledger, rollout, onEvent, bookmark: false });
    const conversationId = await session.getSessionId();
    simulator.fault('conversations.items.create', { status: 504, moment: 'after', times: 1 });
    await session.addItems([user('one')]);
    let seen: unknown;
    const slow = tamperedClient(simulator, async ({ method, path }) => {
      if (method === 'DELETE' && path.endsWith(conversationId)) seen = (await session.verify()).length;
      return undefined;
    });
    await new HybridSession({
      client: slow,
      ledger: elsewhere(ledger),
      conversationId,
      rollout,
    }).clearSession();
    expect(seen).toBe(0);
    expect(of('adopted')).toEqual([]);
    expect(await ledger.checkpoint(conversationId)).toMatchObject({ length: 0 });
    expect(await ledger.checkpoint(conversationId)).not.toHaveProperty('conversation');
  });

  it('a clear is not undone by a process that has read the list before', async () => {
    const world = simulated();
    const { simulator, client } = world;
    const ledger = memoryLedger();
    const clearing = await told(world, ledger);
    const conversationId = await clearing.getSessionId();
    let [isReading, isDone] = [false, false];
    const slow = tamperedClient(simulator, async ({ method, path }, answer) => {
      if (!isReading || isDone || method !== 'GET' || !path.endsWith('/items')) return undefined;
      isDone = true;
      await answer();
      await clearing.clearSession();
      return undefined;
    });
    const session = new HybridSession({
      client: slow,
      ledger: elsewhere(ledger),
      conversationId,
      rollout,
      advanced: { compare: 'on-read' },
    });
    expect((await session.getItems()).length).toBe(4);
    isReading = true;
    expect(await session.getItems()).toEqual([]);
    expect(isDone).toBe(true);
    expect(await ledger.checkpoint(conversationId)).toMatchObject({ length: 0 });
    expect(await new HybridSession({ client, ledger, conversationId }).getItems()).toEqual([]);
  });

  it('a clear that the ledger applied without an answer is finished by the next write', async () => {
    const { simulator } = simulated();
    const ledger = memoryLedger();
    let isDown = false;
    const client = tamperedClient(simulator, () => {
      if (isDown) throw new TypeError('fetch failed');
      return undefined;
    });
    const store: LedgerStore = {
      ...elsewhere(ledger),
      rewrite: async (...args) => {
        await ledger.rewrite(...args);
        isDown = true;
        throw new Error('The store is down');
      },
      read: async (...args) => {
        if (isDown) throw new Error('The store is down');
        return ledger.read(...args);
      },
    };
    const session = new HybridSession({ client, ledger: store, rollout });
    await session.addItems([user('one')]);
    await expect(session.clearSession()).rejects.toThrow('The store is down');
    isDown = false;
    const name = await session.getSessionId();
    expect(await session.getItems()).toEqual([]);
    await session.addItems([user('two')]);
    expect(await session.getSessionId()).toBe(name);
    expect(session.conversationId).not.toBe(name);
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([session.conversationId]);
  });

  it('a clear deletes the conversation, empties the ledger, keeps the name and begins another conversation', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const session = new HybridSession({ client, ledger, conversationId, rollout, bookmark: false });
    await session.getItems();
    await session.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(await ledger.checkpoint(conversationId)).toMatchObject({ length: 0 });
    expect(JSON.stringify(await ledger.read(conversationId))).not.toMatch(/what can you do|I see/);
    expect(await session.getItems()).toEqual([]);
    const [answer] = await converse(simulatedRunner(client), session, ['hi']);
    expect(answer).toContain('I see 1 item');
    expect(await session.getSessionId()).toBe(conversationId);
    expect(session.conversationId).not.toBe(conversationId);
    expect(await historyOf(session)).toBe('u,a');
    expect(listedTexts(simulator, session.conversationId ?? '')).toHaveLength(2);
  });

  it('a clear that could not delete the conversation is reported, and the next write deletes it', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const { onEvent, of } = recorder();
    const session = new HybridSession({
      client,
      ledger,
      conversationId,
      rollout,
      onEvent,
      bookmark: false,
    });
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession();
    expect(of('mirror_failed')).toMatchObject([{ sessionId: conversationId, count: 1 }]);
    expect(JSON.stringify(await ledger.read(conversationId))).not.toMatch(/what can you do|I see/);
    expect(await session.getItems()).toEqual([]);
    await session.addItems([user('again')]);
    expect(await session.getSessionId()).toBe(conversationId);
    expect(session.conversationId).not.toBe(conversationId);
    expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([session.conversationId]);
  });

  it('a clear that could not delete the conversation is finished by a flush, before any write', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const conversationId = await (await told(world, ledger)).getSessionId();
    const open = (): HybridSession =>
      new HybridSession({
        client,
        ledger: elsewhere(ledger),
        conversationId,
        rollout,
      });
    simulator.fault('conversations.delete', { status: 500, times: 2 });
    await open().clearSession();
    await expect(open().flush()).rejects.toMatchObject({ code: 'mirror_incomplete', pending: 1 });
    await open().flush();
    expect(simulator.snapshot().conversations).toEqual([]);
    expect(await open().getItems()).toEqual([]);
  });

  it.each(['before', 'after'] as const)(
    'a clear that is interrupted %s the conversation is deleted is finished by the next process',
    async (moment) => {
      const world = simulated();
      const { client, simulator } = world;
      const ledger = memoryLedger();
      const conversationId = await (await told(world, ledger)).getSessionId();
      const dying = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, rollout });
      simulator.fault('conversations.delete', { name: 'connection_reset', times: 1, moment });
      await dying.clearSession();

      const next = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, rollout });
      expect(await next.getItems()).toEqual([]);
      await next.addItems([user('again')]);
      expect(texts(await next.getItems())).toEqual(['again']);
      expect(await next.getSessionId()).toBe(conversationId);
      expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([next.conversationId]);
    },
  );
});

describe('a clear', () => {
  it('a clear is noticed by an open session, which serves no cleared item', async () => {
    const world = simulated();
    const { client } = world;
    const ledger = memoryLedger();
    const first = await told(world, ledger);
    const conversationId = await first.getSessionId();
    const second = new HybridSession({ client, ledger, conversationId });
    expect((await second.getItems()).length).toBe(4);
    await first.clearSession();
    expect(await second.getItems()).toEqual([]);
    expect(await second.verify()).toMatchObject({ sessionId: conversationId, verified: true, length: 0 });
  });

  it('a clear leaves a turn that another session is just writing in the ledger', async () => {
    const world = simulated();
    const { client, simulator } = world;
    const ledger = memoryLedger();
    const first = await told(world, ledger);
    const conversationId = await first.getSessionId();
    const second = new HybridSession({ client, ledger, conversationId });
    await second.getItems();
    await first.clearSession();
    await second.addItems([user('still here')]);
    for (const session of [first, second]) {
      expect(texts(await session.getItems())).toEqual(['still here']);
      expect(session.conversationId).toBe(second.conversationId);
      expect(session.sessionId).toBe(conversationId);
    }
    expect(listedTexts(simulator, second.conversationId ?? '')).toEqual(['still here']);
  });

  it('a clear keeps the name of a session without a conversation', async () => {
    const { client } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger, mirror: 'off', sessionId: 'session-1' });
    await session.addItems([user('one')]);
    await session.clearSession();
    expect(await session.getItems()).toEqual([]);
    expect(await session.getSessionId()).toBe('session-1');
    const next = new HybridSession({ client, ledger, mirror: 'off', sessionId: 'session-1' });
    expect(await next.getItems()).toEqual([]);
    await next.addItems([user('two')]);
    expect(texts(await session.getItems())).toEqual(['two']);
  });

  it('a clear completes when the store applied it but the response was lost', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const store: LedgerStore = {
      ...elsewhere(ledger),
      rewrite: async (...args) => {
        await ledger.rewrite(...args);
        throw new Error('The connection was lost');
      },
    };
    const session = new HybridSession({ client, ledger: store });
    await session.addItems([user('one')]);
    await session.clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    await session.addItems([user('two')]);
    expect(texts(await session.getItems())).toEqual(['two']);
    expect(simulator.snapshot().conversations.length).toBe(1);
  });

  it('a clear that the store refuses fails and changes nothing', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    let isDown = true;
    const store: LedgerStore = {
      ...elsewhere(ledger),
      rewrite: async (...args) => {
        if (isDown) throw new Error('The connection was lost');
        await ledger.rewrite(...args);
      },
    };
    const session = new HybridSession({ client, ledger: store });
    await session.addItems([user('one')]);
    await expect(session.clearSession()).rejects.toThrow('The connection was lost');
    expect(texts(await session.getItems())).toEqual(['one']);
    expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['one']);
    isDown = false;
    await session.clearSession();
    await session.addItems([user('two')]);
    expect(texts(await session.getItems())).toEqual(['two']);
    expect(simulator.snapshot().conversations.length).toBe(1);
  });

  it('a clear that fails beside a request of a run is finished by the next write', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    let asks: (() => Promise<unknown>) | undefined;
    let asked: Promise<unknown> | undefined;
    const store: LedgerStore = {
      ...elsewhere(ledger),
      rewrite: async (...args) => {
        asked = asks?.();
        await new Promise(setImmediate);
        await ledger.rewrite(...args);
      },
    };
    const session = new HybridSession({ client, ledger: store });
    await session.addItems([user('one')]);
    const conversationId = await session.getSessionId();
    asks = () => session[CHAINING_PORT].view('tail');
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession();
    await asked;
    asks = undefined;
    expect(await session.getItems()).toEqual([]);
    await session.addItems([user('two')]);
    expect(simulator.snapshot().conversations.map(({ id }) => id)).not.toContain(conversationId);
  });

  it.each(['nothing was said', 'items were said'])(
    'a clear is finished by the next write if every answer is lost for a while and %s',
    async (said) => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client, bookmark: false });
      const items = said === 'nothing was said' ? [] : [user('one')];
      await session.addItems(items);
      await session.getItems();
      const gone = await session.getSessionId();
      const recover = simulator.fault('*', { status: 409, moment: 'after' });
      await session.clearSession();
      for (let use = 0; use < 3; use += 1) expect(await session.getItems()).toEqual([]);
      recover();
      await session.addItems([user('two')]);
      expect(texts(await session.getItems())).toEqual(['two']);
      expect(await session.getSessionId()).toBe(gone);
      expect(simulator.snapshot().conversations.map(({ id }) => id)).toEqual([session.conversationId]);
    },
  );

  it('a clear waits for what is being written', async () => {
    const { client, simulator } = simulated({ latency: 5 });
    const session = new HybridSession({ client, mirror: 'background', bookmark: false });
    await session.addItems([user('one')]);
    await session.clearSession();
    expect(simulator.log.map(({ operation }) => operation)).toEqual([
      'conversations.create',
      'conversations.items.create',
      'conversations.delete',
    ]);
  });
});
