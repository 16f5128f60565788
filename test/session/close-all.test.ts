import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  closeAll,
  HybridSession,
  InvalidOptionsError,
  memoryLedger,
  type HybridSessionOptions,
  type LedgerStore,
} from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { pendingSessions } from '../../src/runtime/pending-work.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { converse, listedTexts, recorder } from '../flows/support/story.ts';
import { user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';
import { passTime, turns, useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const REGISTRY = Symbol.for('agents-hybrid-session.pending');

/** Sessions of other test files may have pending work: these tests have a registry of their own. */
let others: unknown;
beforeEach(() => {
  others = Reflect.get(globalThis, REGISTRY);
  Reflect.set(globalThis, REGISTRY, undefined);
});
afterEach(() => void Reflect.set(globalThis, REGISTRY, others));

function held(): number {
  const { busy, behind } = pendingSessions();
  return new Set([...busy, ...behind.values()]).size;
}

function world() {
  const { simulator, client } = simulated();
  const ledger = memoryLedger();
  const told = recorder();
  const open = (options: HybridSessionOptions = {}): HybridSession =>
    new HybridSession({ client, ledger, bookmark: false, onEvent: told.onEvent, ...options });
  const fail = (times: number): void =>
    void simulator.fault('conversations.items.create', { status: 500, times });
  return { simulator, client, ledger, open, fail, ...told };
}

describe('closeAll()', () => {
  it('every session with pending changes is flushed, and the others make no request', async () => {
    const { simulator, client, open, fail } = world();
    await converse(simulatedRunner(client), open({ sessionId: 'ended' }), ['hi']);
    fail(2);
    const sessions = [open({ sessionId: 'a' }), open({ sessionId: 'b' })];
    for (const session of sessions) await session.addItems([user('one')]);
    expect(held()).toBe(2);
    expect(await closeAll()).toEqual({ flushed: 2, unfinished: [] });
    for (const { conversationId = '' } of sessions)
      expect(listedTexts(simulator, conversationId)).toEqual(['one']);
    const before = simulator.log.length;
    expect(await closeAll()).toEqual({ flushed: 0, unfinished: [] });
    expect(simulator.log.length).toBe(before);
  });

  it('a write in the background is awaited, with the bookmark behind it', async () => {
    const { simulator, open } = world();
    const session = open({ mirror: 'background', bookmark: true });
    await session.addItems([user('one')]);
    expect(held()).toBe(1);
    expect(await closeAll()).toEqual({ flushed: 1, unfinished: [] });
    expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['one']);
    expect(simulator.log.map(({ operation }) => operation)).toContain('conversations.update');
  });

  it('a compaction in the background is awaited', async () => {
    const { client, open, of } = world();
    const session = open({ mirror: 'background', history: { compaction: { atTokens: 1 } } });
    await converse(simulatedRunner(client), session, ['hi', 'what can you do?']);
    await closeAll();
    expect(of('compacted').length).toBeGreaterThan(0);
    expect(held()).toBe(0);
  });

  it('a conversation that a clear could not delete is deleted', async () => {
    const { simulator, open } = world();
    const session = open({ sessionId: 'cleared' });
    await session.addItems([user('one')]);
    const { conversationId = '' } = session;
    simulator.fault('conversations.delete', { status: 500, times: 1 });
    await session.clearSession();
    expect(await closeAll()).toEqual({ flushed: 1, unfinished: [] });
    expect(simulator.snapshot().conversations.map(({ id }) => id)).not.toContain(conversationId);
  });

  it('the result names the sessions that stay behind, without throwing', async () => {
    const { open, fail } = world();
    fail(1000);
    const session = open({ sessionId: 'behind' });
    await session.addItems([user('one')]);
    const { conversationId } = session;
    const { flushed, unfinished } = await closeAll({ timeout: 60_000 });
    expect(flushed).toBe(0);
    expect(unfinished).toEqual([{ sessionId: 'behind', conversationId, pending: 1, reason: 'Error (500)' }]);
  });

  it('a store that does not answer costs no more than the timeout', async () => {
    const inner = memoryLedger();
    const { promise, resolve } = deferred<undefined>();
    const hanging: LedgerStore = { ...inner, append: () => promise };
    const { open } = world();
    const adding = open({ ledger: hanging, sessionId: 'hangs', mirror: 'off', client: undefined });
    const added = adding.addItems([user('one')]).catch(() => undefined);
    await turns(5);
    let closed: unknown;
    void closeAll({ timeout: 1000 }).then((result) => (closed = result));
    await turns(5);
    expect(closed).toBeUndefined();
    passTime(1000);
    await turns(5);
    expect(closed).toMatchObject({ flushed: 0, unfinished: [{ sessionId: 'hangs' }] });
    resolve(undefined);
    await added;
  });

  it('a wrong timeout is refused', async () => {
    await expect(closeAll({ timeout: -1 })).rejects.toThrow(InvalidOptionsError);
    await expect(closeAll({ timout: 1 } as never)).rejects.toThrow("option 'timout' is not known");
  });
});

describe('the sessions that closeAll() knows', () => {
  it('no session is held once its changes are written', async () => {
    const { client, open } = world();
    for (const mirror of ['await', 'background'] as const) {
      const session = open({ mirror });
      await converse(simulatedRunner(client), session, ['hi', 'thanks']);
      await session.popItem();
      await session.flush();
      await session.heal();
      await session.verify();
      await turns(20);
      expect(held()).toBe(0);
    }
  });

  it('many objects of one session hold one of them, until one of them has written the changes', async () => {
    const { open, fail } = world();
    fail(20);
    for (let request = 0; request < 20; request += 1)
      await open({ sessionId: 'one-session' }).addItems([user(`say ${request}`)]);
    expect(held()).toBe(1);
    await open({ sessionId: 'one-session' }).flush();
    expect(held()).toBe(0);
  });

  it('a session whose history exceeds the budget of memory stays known', async () => {
    const { open, fail } = world();
    fail(2);
    const session = open({ sessionId: 'too large', advanced: { cache: { maxBytes: 1 } } });
    await Promise.all([session.addItems([user('one')]), session.addItems([user('two')])]);
    await turns(20);
    expect(held()).toBe(1);
    expect(await closeAll()).toEqual({ flushed: 1, unfinished: [] });
  });

  it('an erased session and a session without a mirror are not held', async () => {
    const { open, fail } = world();
    fail(1);
    const session = open({ sessionId: 'erased' });
    await session.addItems([user('one')]);
    await session.erase();
    await open({ sessionId: 'alone', mirror: 'off' }).addItems([user('one')]);
    expect(held()).toBe(0);
  });
});

it('a write that resolves although another process holds the lease tells that the list is behind', async () => {
  const { simulator, ledger, open, of } = world();
  const session = open({ sessionId: 'leased' });
  await session.addItems([user('one')]);
  const dead = new Ledger({ store: elsewhere(ledger), sessionId: 'leased' });
  await dead.append(() => [{ type: 'lease', writer: 'dead', until: Date.now() + 600_000 }]);
  await session.addItems([user('two')]);
  expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(['one']);
  expect(of('mirror_failed')).toMatchObject([{ count: 1, reason: 'another process holds the lease' }]);
});
