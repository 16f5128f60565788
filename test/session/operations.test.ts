import { describe, expect, it } from 'vitest';
import {
  HybridSession,
  memoryLedger,
  type HybridSessionOptions,
  type LedgerStore,
  type SessionObserver,
} from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { listedTexts, recorder, requestsOf } from '../flows/support/story.ts';
import { assistant, call, texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

/** The operations of a session with their facts, as an observer sees them. */
function observed() {
  const operations: [string, object][] = [];
  const operation = (name: string): NonNullable<ReturnType<NonNullable<SessionObserver['begin']>>> => ({
    begin: operation,
    end: (facts) => void operations.push([name, facts]),
  });
  const observer: SessionObserver = { begin: operation };
  return { observer, operations };
}

function opened(options: HybridSessionOptions = {}) {
  const world = simulated();
  const { observer, operations } = observed();
  const session = new HybridSession({
    client: world.client,
    bookmark: false,
    observers: [observer],
    ...options,
  });
  return { ...world, session, operations };
}

describe('the facts of an operation', () => {
  it('an append tells its session, its mode, its items and what is pending', async () => {
    const { session, operations, simulator } = opened();
    const sessionId = await session.getSessionId();
    await session.addItems([user('one'), user('two')]);
    simulator.fault('conversations.items.create', { status: 403 });
    await session.addItems([user('three')]);
    expect(operations).toEqual([
      ['append', { sessionId, mode: 'chain', items: 2, pending: 0 }],
      ['append', { sessionId, mode: 'chain', items: 1, pending: 1 }],
    ]);
  });

  it('an append in the background tells what is pending when it ends', async () => {
    const { session, operations } = opened({ mirror: 'background' });
    await session.getSessionId();
    await session.addItems([user('one')]);
    expect(operations[0]?.[1]).toMatchObject({ items: 1, pending: 1 });
    await session.flush();
  });

  it('an append without a conversation has nothing pending', async () => {
    const { observer, operations } = observed();
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', observers: [observer] });
    await session.addItems([user('one')]);
    expect(operations).toEqual([['append', { sessionId: 'user-42', mode: 'chain', items: 1 }]]);
  });

  it('an append that fails before it begins tells the given name', async () => {
    const { observer, operations } = observed();
    const ledger: LedgerStore = { ...memoryLedger(), checkpoint: () => Promise.reject(new Error('down')) };
    const session = new HybridSession({
      mirror: 'off',
      sessionId: 'user-42',
      ledger,
      observers: [observer],
      advanced: { ledgerRetry: 0 },
    });
    await expect(session.addItems([user('one')])).rejects.toThrow('down');
    await expect(session.getItems()).rejects.toThrow('down');
    expect(operations.map(([name, facts]) => [name, Reflect.get(facts, 'sessionId')])).toEqual([
      ['append', 'user-42'],
      ['read', 'user-42'],
    ]);
  });
});

async function twoSessions() {
  const { client, simulator } = simulated();
  const store = memoryLedger();
  const first = new HybridSession({ client, ledger: store, bookmark: false });
  await first.addItems([user('one'), call('call_1', 'look', { a: 1 })]);
  const conversationId = await first.getSessionId();
  const second = new HybridSession({ client, ledger: elsewhere(store), conversationId, bookmark: false });
  expect(await second.getItems()).toHaveLength(2);
  return { client, simulator, conversationId, first, second };
}

describe('a history that two processes change', () => {
  it('a change of a call is made to the newest history', async () => {
    const { first, second } = await twoSessions();
    await first.addItems([call('call_2', 'look', { b: 1 })]);
    const replacement = call('call_2', 'look', { b: 2 });
    await second.applyHistoryMutations({
      mutations: [{ type: 'replace_function_call', callId: 'call_2', replacement }],
    });
    expect(await first.getItems()).toMatchObject([
      { role: 'user' },
      { arguments: '{"a":1}' },
      { arguments: '{"b":2}' },
    ]);
  });

  it('the end of a history is compared with the newest one', async () => {
    const { first, second } = await twoSessions();
    await first.addItems([user('three')]);
    const transaction = {
      type: 'replace_suffix',
      expectedSuffix: [user('three')],
      replacement: [user('four')],
    } as const;
    await second.applyHistoryTransaction({ operationId: 'op_1', transaction: transaction as never });
    expect(texts(await first.getItems()).at(-1)).toBe('four');
  });

  it('a mutation without a replacement asks nothing', async () => {
    const { first, simulator } = await twoSessions();
    expect(await requestsOf(simulator, () => first.applyHistoryMutations({ mutations: [] }))).toEqual([]);
  });
});

describe('a session in the mode of the stock session', () => {
  it.each(['off', 'shadow'] as const)(
    'a pop in mode %s begins a session that has not begun',
    async (rollout) => {
      const { session, simulator } = opened({ rollout });
      expect(await session.popItem()).toBeUndefined();
      expect(simulator.snapshot().conversations).toHaveLength(1);
      await session.addItems([user('one')]);
      expect(await session.popItem()).toMatchObject({ role: 'user' });
      expect(listedTexts(simulator, session.conversationId ?? '')).toEqual([]);
    },
  );

  it('a pop in another mode begins nothing', async () => {
    const { session, simulator } = opened();
    expect(await session.popItem()).toBeUndefined();
    expect(simulator.log).toEqual([]);
  });
});

describe('a clear', () => {
  it('a clear of a conversation that the ledger does not know deletes it, or says that it is missing', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create({});
    await new HybridSession({ client, conversationId, bookmark: false }).clearSession();
    expect(simulator.snapshot().conversations).toEqual([]);
    const missing = new HybridSession({ client, conversationId: 'conv_missing', bookmark: false });
    await expect(missing.clearSession()).rejects.toMatchObject({ code: 'conversation_not_found' });
  });

  it('a clear of an unknown conversation that cannot be deleted now is told, and done later', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create({});
    const { onEvent, of } = recorder();
    const session = new HybridSession({ client, conversationId, bookmark: false, onEvent });
    const lift = simulator.fault('conversations.delete', { status: 500 });
    await session.clearSession();
    expect(of('mirror_failed')).toEqual([
      expect.objectContaining({
        type: 'warning',
        sessionId: conversationId,
        count: 1,
        reason: expect.stringContaining('500'),
      }),
    ]);
    lift();
    await session.flush();
    expect(simulator.snapshot().conversations).toEqual([]);
  });

  it('a clear on a server without conversations is told as such', async () => {
    const { client, simulator } = simulated();
    const { id: conversationId } = await client.conversations.create({});
    simulator.fault('conversations.delete', { status: 501 });
    const session = new HybridSession({ client, conversationId, bookmark: false });
    await expect(session.clearSession()).rejects.toMatchObject({ code: 'conversations_unavailable' });
  });

  it('a clear without a conversation empties the ledger, and one of an empty session writes nothing', async () => {
    const ledger = memoryLedger();
    const session = new HybridSession({ mirror: 'off', sessionId: 'user-42', ledger });
    await session.clearSession();
    expect(await ledger.checkpoint('user-42')).toBeUndefined();
    await session.addItems([user('one'), assistant('two')]);
    await session.clearSession();
    expect(await session.getItems()).toEqual([]);
    expect((await ledger.checkpoint('user-42'))?.length).toBe(0);
  });
});

describe('an unreadable ledger', () => {
  it('a flush says that the ledger is unreadable, not how much is pending', async () => {
    const { client, simulator } = simulated();
    const store = memoryLedger();
    const first = new HybridSession({ client, ledger: store, bookmark: false });
    const conversationId = await first.getSessionId();
    simulator.fault('conversations.items.create', { status: 403 });
    await first.addItems([user('one')]);
    let isDamaged = false;
    const damaged: LedgerStore = {
      ...elsewhere(store),
      read: async (...args) => {
        const page = await store.read(...args);
        return isDamaged
          ? { ...page, records: page.records.map(() => ({ type: 'nonsense' }) as never) }
          : page;
      },
    };
    const second = new HybridSession({ client, ledger: damaged, conversationId, bookmark: false });
    await expect(second.flush()).rejects.toMatchObject({ code: 'mirror_incomplete' });
    isDamaged = true;
    const third = new HybridSession({ client, ledger: damaged, conversationId, bookmark: false });
    await expect(third.flush()).rejects.toMatchObject({ code: 'ledger_unreadable' });
  });
});
