import { Agent, OpenAIProvider, Runner, type AgentInputItem } from '@openai/agents';
import OpenAI from 'openai';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../mocks/simulator.ts';
import { conversationLedger, HybridSession, type HybridSessionOptions } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { cuttingProxy, type Cut, type CuttingProxy } from '../support/cutting-proxy.ts';
import { listedTexts } from './support/story.ts';

// Waiting is tested where it matters; here only what happens after it.
vi.mock('../../src/session/sleep.ts', () => ({
  sleep: () => new Promise((resolve) => setImmediate(resolve)),
}));

const CUTS: readonly Cut[] = [
  'no answer before',
  'no answer after',
  'dropped before',
  'dropped after',
  '500 after',
  '429 before',
  '409 before',
  'half an answer',
  'another answer',
];

const CASES = CUTS.flatMap((cut) => [0, 2].map((maxRetries) => ({ cut, maxRetries })));

const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });

interface World {
  readonly simulator: SimulatorCore;
  readonly proxy: CuttingProxy;
  readonly client: OpenAI;
}

const closing: (() => Promise<void>)[] = [];
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
});

/** A simulator over HTTP, and between it and the client a server that cuts connections. */
async function world(maxRetries: number): Promise<World> {
  const simulator = createSimulatorCore({ unlink: 'none' });
  const server = await simulator.listen();
  const proxy = await cuttingProxy(server.url);
  closing.push(
    () => proxy.close(),
    () => server.close(),
  );
  const client = new OpenAI({ apiKey: 'test', baseURL: proxy.url, maxRetries, timeout: 1500 });
  return { simulator, proxy, client };
}

/** As an app does it: what failed is done once more. */
async function twice<T>(deed: () => Promise<T>): Promise<T> {
  try {
    return await deed();
  } catch {
    return deed();
  }
}

/** The session, the ledger and the list hold this, each item once. */
async function expectOnce(
  { simulator, proxy }: World,
  session: HybridSession,
  said: readonly string[],
): Promise<void> {
  expect(proxy.hasCut()).toBe(true);
  await twice(() => session.flush());
  await session.verify();
  await session.flush();
  expect(texts(await session.getItems())).toEqual(said);
  expect(listedTexts(simulator, await session.getSessionId())).toEqual(said);
  const report = { verified: true, pending: 0, findings: [], missing: [], listed: said.length };
  expect(await session.verify()).toMatchObject(report);
}

function numbered(count: number): AgentInputItem[] {
  return Array.from({ length: count }, (_, index) => user(`text ${index}`));
}

describe.concurrent.each(CASES)('$cut, with $maxRetries retries of the client', ({ cut, maxRetries }) => {
  const opened = async (
    options: HybridSessionOptions = {},
  ): Promise<{ here: World; session: HybridSession }> => {
    const here = await world(maxRetries);
    const session = new HybridSession({ client: here.client, ...options });
    await session.addItems([user('zero')]);
    return { here, session };
  };

  it.concurrent('creates one conversation that is used, whatever empty ones are left behind', async () => {
    const here = await world(maxRetries);
    here.proxy.plan({ cut, method: 'POST', path: /\/conversations$/, skip: 0 });
    const session = new HybridSession({ client: here.client });
    await twice(() => session.addItems([user('zero')]));
    await expectOnce(here, session, ['zero']);
    const others = here.simulator.snapshot().conversations.filter(({ id }) => id !== session.sessionId);
    expect(others.flatMap(({ items }) => items)).toEqual([]);
  });

  it.concurrent.each([
    ['first', 0],
    ['middle', 1],
    ['last', 2],
  ])('writes the %s piece of a long append once', async (_which, skip) => {
    const { here, session } = await opened();
    here.proxy.plan({ cut, method: 'POST', path: /\/items$/, skip });
    const items = numbered(45);
    await session.addItems(items);
    expect(here.proxy.hasCut()).toBe(true);
    await expectOnce(here, session, ['zero', ...texts(items)]);
  });

  it.concurrent('takes an item out once', async () => {
    const { here, session } = await opened();
    await session.addItems(numbered(3));
    here.proxy.plan({ cut, method: 'DELETE', path: /\/items\//, skip: 0 });
    expect(texts([await session.popItem()])).toEqual(['text 2']);
    await expectOnce(here, session, ['zero', 'text 0', 'text 1']);
  });

  it.concurrent('clears a session once, and begins anew', async () => {
    const { here, session } = await opened();
    const before = await session.getSessionId();
    here.proxy.plan({ cut, method: 'DELETE', path: /\/conversations\/[^/]+$/, skip: 0 });
    await twice(() => session.clearSession());
    await session.addItems([user('one')]);
    expect(await session.getSessionId()).not.toBe(before);
    await expectOnce(here, session, ['one']);
    expect(here.simulator.snapshot().conversations.some(({ id }) => id === before)).toBe(false);
  });

  it.concurrent('keeps the ledger in the metadata at the version that was written', async () => {
    const { here, session: opening } = await opened();
    const conversationId = await opening.getSessionId();
    const ledger = conversationLedger({ client: here.client });
    const session = new HybridSession({ client: here.client, conversationId, ledger });
    await session.addItems([user('one')]);
    here.proxy.plan({ cut, method: 'POST', path: /\/conversations\/[^/]+$/, skip: 0 });
    const added = await session.addItems([user('two')]).then(
      () => ['two'],
      () => [],
    );
    const now = texts(await session.getItems());
    // An append whose answer got lost for good fails, and is there whole or not at all.
    expect([['zero', 'one', 'two'], ...(added.length === 0 ? [['zero', 'one']] : [])]).toContainEqual(now);
    await twice(() => session.flush());
    expect(listedTexts(here.simulator, conversationId)).toEqual(now);
    const later = new HybridSession({
      client: here.client,
      conversationId,
      ledger: conversationLedger({ client: here.client }),
    });
    expect(texts(await later.getItems())).toEqual(now);
  });

  it.concurrent.each([false, true])(
    'remembers a turn once that is asked for again (stream: %s)',
    async (stream) => {
      const { here, session } = await opened();
      const runner = new Runner({
        modelProvider: new OpenAIProvider({ openAIClient: here.client }),
        tracingDisabled: true,
      });
      here.proxy.plan({ cut, method: 'POST', path: /\/responses$/, skip: 0 });
      const ask = async (): Promise<void> => {
        if (!stream) return void (await runner.run(agent, 'hi', { session }));
        const streamed = await runner.run(agent, 'hi', { session, stream: true });
        await streamed.completed;
      };
      const isAsked = await ask().then(
        () => true,
        () => false,
      );
      // What a failed run has told its session stays: it was said.
      const before = texts(await session.getItems());
      if (!isAsked) await ask();
      const now = texts(await session.getItems());
      const added = isAsked ? now.slice(1) : now.slice(before.length);
      expect(now.slice(0, now.length - added.length)).toEqual(isAsked ? ['zero'] : before);
      expect(added.filter((text) => text === 'hi').length).toBeLessThanOrEqual(1);
      await expectOnce(here, session, now);
    },
  );

  it.concurrent('erases what is left of a session once it is asked again', async () => {
    const { here, session } = await opened();
    const runner = new Runner({
      modelProvider: new OpenAIProvider({ openAIClient: here.client }),
      tracingDisabled: true,
    });
    await runner.run(agent, 'hi', { session });
    here.proxy.plan({ cut, method: 'DELETE', path: /\/responses\//, skip: 0 });
    await twice(() => session.erase({ remote: true }));
    expect(here.proxy.hasCut()).toBe(true);
    const { conversations, responses } = here.simulator.snapshot();
    expect([...conversations, ...responses]).toEqual([]);
  });
});
