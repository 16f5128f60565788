import { Agent, MemorySession, OpenAIProvider, Runner, type Session } from '@openai/agents';
import * as fc from 'fast-check';

import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import {
  chainedProvider,
  contentCache,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type ContentCache,
  type HybridSessionEvent,
} from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { guardProcess, holds } from './support/property.ts';

guardProcess();

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
const runner = new HybridRunner({ tracingDisabled: true });

interface Step {
  readonly who: number;
  readonly act: 'run' | 'add' | 'read' | 'verify' | 'reopen' | 'pop';
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    who: fc.nat(2),
    act: fc.constantFrom('run', 'add', 'read', 'verify', 'reopen', 'pop'),
  }),
  { minLength: 3, maxLength: 12 },
);

describe('tenants of one process', () => {
  it('tenants of one process never see each other, with one store, one cache and one server', async () => {
    const sameAccount = fc.boolean();
    await holds(40, fc.tuple(steps, sameAccount, fc.boolean()), async ([taken, isShared, keepContent]) => {
      const simulator = createSimulatorCore({ unlink: 'every-turn' });
      const ledger = memoryLedger();
      const cache = contentCache();
      const clients = [0, 1, 2].map(
        (who) =>
          new OpenAI({ apiKey: isShared ? 'one' : `key-${who}`, fetch: simulator.fetch, maxRetries: 0 }),
      );
      const heard: HybridSessionEvent[][] = [[], [], []];
      const open = (who: number, conversationId?: string): HybridSession =>
        new HybridSession({
          client: isShared ? clients[0] : clients[who],
          ledger,
          advanced: { cache },
          keepContent,
          conversationId,
          onEvent: (event) => void heard[who]?.push(event),
        });
      const sessions = [0, 1, 2].map((who) => open(who));
      const ids = await Promise.all(sessions.map((session) => session.getSessionId()));
      const said: string[][] = [[], [], []];
      // Two at a time, so that they meet.
      for (let at = 0; at < taken.length; at += 2) {
        await Promise.all(
          taken.slice(at, at + 2).map(async ({ who, act }, index) => {
            const session = sessions[who];
            if (session === undefined) return;
            const text = `tenant ${who} step ${at + index}`;
            if (act === 'run') await runner.run(agent, text, { session });
            else if (act === 'add') await session.addItems([user(text)]);
            else if (act === 'read') await session.getItems();
            else if (act === 'verify') await session.verify();
            else if (act === 'pop') await session.popItem();
            else sessions[who] = open(who, ids[who]);
            if (act === 'run' || act === 'add') said[who]?.push(text);
          }),
        );
      }
      for (const who of [0, 1, 2]) {
        const all = JSON.stringify([await open(who, ids[who]).getItems(), await sessions[who]?.getItems()]);
        for (const other of [0, 1, 2]) if (other !== who) expect(all).not.toContain(`tenant ${other} `);
        for (const event of heard[who] ?? []) expect(event.sessionId).toBe(ids[who]);
      }
      // The contexts of the models, too.
      for (const { context } of simulator.log) {
        const tenants = new Set(
          [...JSON.stringify(context ?? []).matchAll(/tenant (\d)/g)].map(([, who]) => who),
        );
        expect(tenants.size).toBeLessThan(2);
      }
    });
  });

  it('a chained provider does not mix up two sessions with identical histories', async () => {
    const accounts = [0, 1].map((who) => {
      const simulator = createSimulatorCore({ unlink: 'none' });
      const client = new OpenAI({ apiKey: `key-${who}`, fetch: simulator.fetch, maxRetries: 0 });
      const provider = chainedProvider(new OpenAIProvider({ openAIClient: client }));
      return { simulator, client, runner: new Runner({ modelProvider: provider, tracingDisabled: true }) };
    });
    const turns = fc.array(fc.tuple(fc.nat(1), fc.constantFrom('hi', 'thanks', 'own')), {
      minLength: 2,
      maxLength: 8,
    });
    await holds(25, fc.tuple(turns, fc.boolean()), async ([taken, isStock]) => {
      const sessions: Session[] = accounts.map(({ client }, who) =>
        who === 1 && isStock ? new MemorySession() : new HybridSession({ client }),
      );
      for (const [who, word] of taken) {
        const account = accounts[who];
        const session = sessions[who];
        if (account === undefined || session === undefined) continue;
        const from = account.simulator.log.length;
        const before = texts(await session.getItems());
        const text = word === 'own' ? `tenant ${who} only` : word;
        await account.runner.run(agent, text, { session });
        const request = account.simulator.log
          .slice(from)
          .findLast(({ operation }) => operation === 'responses.create');
        // The model saw this session's history, the whole of it, and nothing else.
        expect(request?.context).toHaveLength(before.length + 1);
        expect(JSON.stringify(request?.context)).not.toContain(`tenant ${1 - who}`);
        expect(texts(await session.getItems()).slice(0, before.length + 1)).toEqual([...before, text]);
      }
    });
  });
});

/** Answers every question with the same thing. */
const answering = (answer: () => unknown): ContentCache => ({ get: answer, set: () => undefined });

describe('a cache that holds what it should not', () => {
  it.each<readonly [string, () => unknown]>([
    ['the message of somebody else', () => user("somebody else's")],
    [
      'a response of somebody else',
      () => ({ id: 'resp_x', parent: undefined, output: [{ id: 'x', type: 'message' }] }),
    ],
    ['a list', () => [user("somebody else's")]],
    ['a text', () => 'a text'],
    ['a number', () => 7],
    ['a promise', () => Promise.resolve(user("somebody else's"))],
    ['a promise that fails', () => Promise.reject(new Error('cache down'))],
    ['an object without an end', () => new Proxy({}, { get: () => undefined })],
  ])('a cache with wrong content costs a request, and its content is never served: %s', async (_, answer) => {
    const { client } = simulated({ unlink: 'every-turn' });
    const ledger = memoryLedger();
    const cache = answering(answer);
    const session = new HybridSession({ client, ledger, keepContent: false, advanced: { cache } });
    for (const text of ['hi', 'thanks']) await runner.run(agent, text, { session });
    const conversationId = await session.getSessionId();
    const later = new HybridSession({
      client,
      ledger,
      keepContent: false,
      advanced: { cache },
      conversationId,
    });
    const served = texts(await later.getItems());
    expect(served).toHaveLength(4);
    expect(served.filter((text, index) => index % 2 === 0)).toEqual(['hi', 'thanks']);
    expect(JSON.stringify(served)).not.toContain('somebody');
    expect(await later.verify()).toMatchObject({ verified: true });
  });
});
