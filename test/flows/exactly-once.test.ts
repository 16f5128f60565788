import { Agent, OpenAIProvider, Runner, type AgentInputItem } from '@openai/agents';
import OpenAI from 'openai';
import { afterAll, describe, expect, it } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../mocks/simulator.ts';
import { HybridSession, type HybridSessionOptions } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { cuttingProxy, type Cut, type CuttingProxy } from '../support/cutting-proxy.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { listedTexts } from './support/story.ts';

useVirtualTime();

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

/** A write has to end before its lease does: the longest one gives a slow machine the most time. */
const LONG_LEASE = 600_000;

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
  // A request is given up when the proxy keeps its answer back, not when the machine is slow.
  const client = new OpenAI({ apiKey: 'test', baseURL: proxy.url, maxRetries, fetch: proxy.fetch });
  return { simulator, proxy, client };
}

/** Repeats a failed call once, as an app does. */
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
  expect(listedTexts(simulator, session.conversationId ?? '')).toEqual(said);
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
    const session = new HybridSession({
      client: here.client,
      advanced: { mirrorLease: LONG_LEASE },
      bookmark: false,
      ...options,
    });
    await session.addItems([user('zero')]);
    return { here, session };
  };

  it.concurrent('one conversation is used after a lost answer to its creation', async () => {
    const here = await world(maxRetries);
    here.proxy.plan({ cut, method: 'POST', path: /\/conversations$/, skip: 0 });
    const session = new HybridSession({
      client: here.client,
      advanced: { mirrorLease: LONG_LEASE },
      bookmark: false,
    });
    await twice(() => session.addItems([user('zero')]));
    await expectOnce(here, session, ['zero']);
    const others = here.simulator.snapshot().conversations.filter(({ id }) => id !== session.conversationId);
    expect(others.flatMap(({ items }) => items)).toEqual([]);
  });

  it.concurrent.each([
    ['first', 0],
    ['middle', 1],
    ['last', 2],
  ])('the %s piece of a long append is written once', async (_which, skip) => {
    const { here, session } = await opened();
    here.proxy.plan({ cut, method: 'POST', path: /\/items$/, skip });
    const items = numbered(45);
    await session.addItems(items);
    expect(here.proxy.hasCut()).toBe(true);
    await expectOnce(here, session, ['zero', ...texts(items)]);
  });

  it.concurrent('a popped item is deleted once', async () => {
    const { here, session } = await opened();
    await session.addItems(numbered(3));
    here.proxy.plan({ cut, method: 'DELETE', path: /\/items\//, skip: 0 });
    expect(texts([await session.popItem()])).toEqual(['text 2']);
    await expectOnce(here, session, ['zero', 'text 0', 'text 1']);
  });

  it.concurrent('a session is cleared once and goes on in a new conversation', async () => {
    const { here, session } = await opened();
    const before = await session.getSessionId();
    here.proxy.plan({ cut, method: 'DELETE', path: /\/conversations\/[^/]+$/, skip: 0 });
    await session.clearSession();
    await session.addItems([user('one')]);
    expect(await session.getSessionId()).toBe(before);
    expect(session.conversationId).not.toBe(before);
    await expectOnce(here, session, ['one']);
    expect(here.simulator.snapshot().conversations.some(({ id }) => id === before)).toBe(false);
  });

  it.concurrent.each([
    ['created', /\/conversations$/, 0],
    ['written', /\/conversations\/[^/]+$/, 0],
    ['rewritten', /\/conversations\/[^/]+$/, 1],
  ])(
    'another process can prove the history although the bookmark could not be %s',
    async (_what, path, skip) => {
      const here = await world(maxRetries);
      here.proxy.plan({ cut, method: 'POST', path, skip });
      const session = new HybridSession({ client: here.client, advanced: { mirrorLease: LONG_LEASE } });
      const said = ['zero', 'one', 'two', 'three'];
      // Without a place for the bookmark a session does not begin.
      for (const text of said) await twice(() => session.addItems([user(text)]));
      await expectOnce(here, session, said);
      const { conversationId } = session;
      const later = new HybridSession({ client: here.client, conversationId });
      expect(texts(await later.getItems())).toEqual(said);
      expect(await later.verify()).toMatchObject({ verified: true, unproven: 0, findings: [] });
    },
  );

  it.concurrent.each([false, true])(
    'a turn that the app repeats is recorded once (stream: %s)',
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
      // The input of a failed run stays.
      const before = texts(await session.getItems());
      if (!isAsked) await ask();
      const now = texts(await session.getItems());
      const added = isAsked ? now.slice(1) : now.slice(before.length);
      expect(now.slice(0, now.length - added.length)).toEqual(isAsked ? ['zero'] : before);
      expect(added.filter((text) => text === 'hi').length).toBeLessThanOrEqual(1);
      await expectOnce(here, session, now);
    },
  );

  it.concurrent('a second erase() removes the rest of a session', async () => {
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
