import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Operation } from '../../mocks/index.ts';
import { HybridSession, memoryLedger, type ContentCache, type LedgerStore } from '../../src/index.ts';
import { converse, historyOf, listedTexts, recorder, requestsOf, TURNS } from '../flows/support/story.ts';
import { roles, texts, user } from '../support/conversation.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { tamperedClient } from './support/tampered.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const WRITE: Operation = 'conversations.items.create';

/** Holds writes back until it is opened. */
function gated() {
  const { simulator } = simulated();
  const gate = new EventTarget();
  const opened = new Promise((resolve) => gate.addEventListener('open', resolve));
  const client = tamperedClient(simulator, async ({ method, path }) => {
    if (method === 'POST' && path.endsWith('/items')) await opened;
    return undefined;
  });
  return { simulator, client, open: () => void gate.dispatchEvent(new Event('open')) };
}

describe('a session', () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  beforeEach(() => {
    rejections.length = 0;
    process.on('unhandledRejection', note);
  });
  afterEach(async () => {
    // Rejections that nobody handles are told after the microtasks of the current turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    if (rejections.length > 0) throw new Error('A rejection was not handled', { cause: rejections[0] });
  });

  describe("with mirror: 'background'", () => {
    it('a session with a background mirror answers before the conversation is written, and serves what is on its way', async () => {
      const { client, simulator, open } = gated();
      const session = new HybridSession({ client, mirror: 'background' });
      const answers = await converse(simulatedRunner(client), session, TURNS);
      expect(answers.at(-1)).toContain('I see 7 items (4u 3a)');
      const id = await session.getSessionId();
      expect(listedTexts(simulator, id)).toEqual([]);
      expect(roles(await session.getItems())).toBe('u,a,u,a,u,a,u,a');
      open();
      await session.flush();
      expect(listedTexts(simulator, id)).toEqual(texts(await session.getItems()));
    });

    it('a session with a background mirror catches up at the next turn after a failure', async () => {
      const { client, simulator } = simulated();
      const { onEvent, of } = recorder();
      const session = new HybridSession({ client, mirror: 'background', onEvent });
      await session.getSessionId();
      simulator.fault(WRITE, { status: 500, times: 1, moment: 'after' });
      await converse(simulatedRunner(client), session, TURNS);
      await session.flush();
      expect(of('mirror_failed').length).toBe(1);
      const listed = listedTexts(simulator, await session.getSessionId());
      expect(listed).toEqual(texts(await session.getItems()));
    });

    it('a session with a background mirror serves the list in mode off only when it is up to date', async () => {
      const { client, open } = gated();
      const session = new HybridSession({ client, mirror: 'background', rollout: 'off' });
      await session.addItems([user('one')]);
      const items = session.getItems();
      open();
      expect(texts(await items)).toEqual(['one']);
    });

    it('a session with a background mirror leaves no rejection behind, whatever fails', async () => {
      const { simulator } = simulated();
      const client = simulatedClient(simulator);
      let isBroken = false;
      const store = memoryLedger();
      const ledger: LedgerStore = {
        ...store,
        append: (...args) => (isBroken ? Promise.reject(new Error('disk full')) : store.append(...args)),
        rewrite: (...args) => (isBroken ? Promise.reject(new Error('disk full')) : store.rewrite(...args)),
        read: (...args) => (isBroken ? Promise.reject(new Error('disk gone')) : store.read(...args)),
      };
      const cache: ContentCache = {
        get: () => undefined,
        set: () => {
          throw new Error('cache full');
        },
      };
      const session = new HybridSession({
        client,
        ledger,
        advanced: { cache },
        keepContent: false,
        mirror: 'background',
      });
      await session.addItems([user('one')]);
      await session.flush().catch(() => undefined);
      simulator.fault(WRITE, { status: 500, times: 1 });
      await session.addItems([user('two')]);
      isBroken = true;
      await session.flush().catch(() => undefined);
      await expect(session.addItems([user('three')])).rejects.toThrow(/disk/);
      isBroken = false;
      await session.addItems([user('four')]);
      await session.flush();
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'two', 'four']);
    });
  });

  describe("with mirror: 'off'", () => {
    it('a session without a mirror needs no conversation and no client', async () => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ mirror: 'off', sessionId: 'session-1' });
      const answers = await converse(simulatedRunner(client), session, TURNS);
      expect(answers.at(-1)).toContain('I see 7 items (4u 3a)');
      expect(new Set(simulator.log.map(({ operation }) => operation))).toEqual(new Set(['responses.create']));
      expect(await session.verify()).toMatchObject({
        sessionId: 'session-1',
        conversationId: undefined,
        verified: true,
        listed: undefined,
        pending: 0,
        sources: { ledger: 8 },
      });
      await session.flush();
    });

    it('a session without a mirror goes on in another session of the same name on the same ledger', async () => {
      const { client } = simulated();
      const ledger = memoryLedger();
      const first = new HybridSession({ ledger, mirror: 'off', sessionId: 'session-1' });
      await converse(simulatedRunner(client), first, ['hi']);
      const second = new HybridSession({ ledger, mirror: 'off', sessionId: 'session-1' });
      const [answer] = await converse(simulatedRunner(client), second, ['thanks']);
      expect(answer).toContain('I see 3 items (2u 1a)');
      expect(await historyOf(new HybridSession({ ledger, mirror: 'off', sessionId: 'other' }))).toBe('');
    });
  });

  describe('at its end', () => {
    it('a session at its end flushes', async () => {
      const { client, simulator } = simulated();
      let id = '';
      {
        await using session = new HybridSession({ client, mirror: 'background' });
        await session.addItems([user('one')]);
        id = await session.getSessionId();
      }
      expect(listedTexts(simulator, id)).toEqual(['one']);
    });

    it('a session at its end says what is still pending', async () => {
      const { client, simulator } = simulated();
      simulator.fault(WRITE, { status: 401 });
      const session = new HybridSession({ client });
      await session.addItems([user('one'), user('two')]);
      await expect(session[Symbol.asyncDispose]()).rejects.toMatchObject({
        code: 'mirror_incomplete',
        pending: 2,
        conversationId: session.sessionId,
      });
    });

    it('an unused session ends without work', async () => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client });
      const requests = await requestsOf(simulator, async () => {
        await session.flush();
        await session[Symbol.asyncDispose]();
        await session.clearSession();
      });
      expect(requests).toEqual([]);
    });
  });

  describe('that cannot begin', () => {
    it('a session that cannot begin fails the run before the model is asked, and can begin later', async () => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client, bookmark: false });
      simulator.fault('conversations.create', { status: 500, times: 1 });
      await expect(converse(simulatedRunner(client), session, ['hi'])).rejects.toMatchObject({ status: 500 });
      expect(simulator.log.map(({ operation }) => operation)).toEqual(['conversations.create']);
      await converse(simulatedRunner(client), session, ['hi']);
      expect(await historyOf(session)).toBe('u,a');
    });

    it('a session that cannot begin creates one conversation, however many calls come at once', async () => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client, bookmark: false });
      await Promise.all([
        session.getItems(),
        session.addItems([user('one')]),
        session.getSessionId(),
        session.addItems([user('two')]),
        session.verify(),
      ]);
      expect(simulator.snapshot().conversations.length).toBe(1);
      expect(texts(await session.getItems())).toEqual(['one', 'two']);
    });
  });

  describe('whose ledger fails', () => {
    it('a session whose ledger fails fails the call, and neither the history nor the conversation has half of it', async () => {
      const { client, simulator } = simulated();
      const store = memoryLedger();
      let isBroken = false;
      const ledger: LedgerStore = {
        ...store,
        append: (...args) => (isBroken ? Promise.reject(new Error('disk full')) : store.append(...args)),
        rewrite: (...args) => (isBroken ? Promise.reject(new Error('disk full')) : store.rewrite(...args)),
      };
      const session = new HybridSession({ client, ledger });
      await session.addItems([user('one')]);
      isBroken = true;
      const requests = await requestsOf(simulator, async () => {
        await expect(session.addItems([user('two')])).rejects.toThrow('disk full');
        await expect(session.popItem()).rejects.toThrow('disk full');
      });
      expect(requests).toEqual([]);
      isBroken = false;
      expect(texts(await session.getItems())).toEqual(['one']);
      await session.addItems([user('three')]);
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'three']);
    });

    it('an append that lost its answer stands once', async () => {
      const { client, simulator } = simulated();
      const store = memoryLedger();
      let lost = 0;
      const ledger: LedgerStore = {
        ...store,
        async append(...args) {
          await store.append(...args);
          if ((lost += 1) === 1) throw new Error('the line went dead');
        },
      };
      const session = new HybridSession({ client, ledger });
      await session.addItems([user('one')]);
      await session.addItems([user('two')]);
      expect(texts(await session.getItems())).toEqual(['one', 'two']);
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'two']);
    });
  });

  it('a session whose ledger fails takes calls in the order in which they are made', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    const results = await Promise.all([
      session.addItems([user('one')]),
      session.addItems([user('two')]),
      session.popItem(),
      session.addItems([user('three')]),
      session.getItems(),
      session.popItem(),
    ]);
    expect(texts([results[2]])).toEqual(['two']);
    expect(texts(results[4])).toEqual(['one', 'three']);
    expect(texts([results[5]])).toEqual(['three']);
  });

  it('a session whose ledger fails goes on after a call that failed', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    const results = await Promise.allSettled([
      session.addItems([user('one')]),
      session.addItems([{} as never]),
      session.addItems([user('two')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(texts(await session.getItems())).toEqual(['one', 'two']);
  });
});
