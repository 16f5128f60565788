import { Agent, OpenAIConversationsSession } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { createSimulatorCore, type SimulatorCore } from '../../mocks/simulator.ts';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { texts, user } from '../support/conversation.ts';
import { simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { clock } from '../../src/util/clock.ts';
import { listedTexts, recorder } from './support/story.ts';

useVirtualTime();

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

const PLAIN = { apiKey: 'test', baseURL: 'http://127.0.0.1/v1' };

interface LateServer {
  readonly client: OpenAI;
  readonly fetch: typeof globalThis.fetch;
  /** How many requests to the conversation came since the first write lost its answer. */
  readonly since: () => number;
  /** How many writes are still to be applied. */
  readonly held: () => number;
  /** Applies the delayed writes. */
  readonly settle: () => Promise<void>;
}

/**
 * A server that answers the next `lost` writes with an error and applies each of them `after` further requests later.
 *
 * @param answer how the caller learns that it has no answer.
 */
function lateServer(
  simulator: SimulatorCore,
  { lost, after, answer }: { lost: number; after: number; answer: '504' | '500' | 'dropped' },
): LateServer {
  const held: { readonly due: number; readonly request: Request }[] = [];
  let [since, left] = [0, lost];
  const applyDue = async (): Promise<void> => {
    for (const one of held.splice(0)) {
      if (one.due > since) held.push(one);
      else await simulator.fetch(one.request);
    }
  };
  const fetch = async (input: Request | string | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    if (!request.url.includes('/conversations/')) return simulator.fetch(request);
    if (left < lost) since += 1;
    await applyDue();
    if (request.method !== 'POST' || !request.url.includes('/items') || left === 0)
      return simulator.fetch(request);
    left -= 1;
    held.push({ due: since + after, request });
    if (answer === 'dropped') throw new TypeError('fetch failed');
    return Response.json(
      { error: { message: 'upstream', type: 'server_error' } },
      { status: Number(answer) },
    );
  };
  return {
    client: new OpenAI({ ...PLAIN, fetch, maxRetries: 2 }),
    fetch,
    since: () => since,
    held: () => held.length,
    settle: async () => {
      since = Number.POSITIVE_INFINITY;
      await applyDue();
    },
  };
}

/** The same ledger as another process sees it. */
function elsewhere(ledger: LedgerStore): LedgerStore {
  return { ...ledger };
}

const LATE = [1, 2, 3, 4, 5, 6, 7, 9, 12, 99];
const CASES = LATE.flatMap((after) =>
  [1, 2].flatMap((lost) =>
    (['504', 'dropped'] as const).flatMap((answer) =>
      [false, true].flatMap((restart) => [0, 2].map((lag) => ({ after, lost, answer, restart, lag }))),
    ),
  ),
);

describe.each(CASES)(
  'a write that is applied $after requests after its answer $answer, $lost lost, restart: $restart, lag $lag',
  ({ after, lost, answer, restart, lag }) => {
    it('a late write stands once in the history and once in the conversation', async () => {
      const simulator = createSimulatorCore({ unlink: 'none' });
      const plain = new OpenAI({ ...PLAIN, fetch: simulator.fetch });
      const ledger = memoryLedger();
      const told = recorder();
      const first = new HybridSession({ client: plain, ledger });
      await simulatedRunner(plain).run(agent, 'one', { session: first });
      const conversationId = await first.getSessionId();

      const server = lateServer(simulator, { lost, after, answer });
      if (lag > 0)
        simulator.fault('conversations.items.list', { name: 'lagging_items', count: 2, times: lag });
      const open = (store: LedgerStore): HybridSession =>
        new HybridSession({ client: server.client, ledger: store, conversationId, onEvent: told.onEvent });
      let session = open(ledger);
      const runner = simulatedRunner(server.client);
      await runner.run(agent, 'two', { session });
      if (restart) session = open(elsewhere(ledger));
      for (const text of ['three', 'four', 'five']) await runner.run(agent, text, { session });
      await server.settle();
      expect(server.held()).toBe(0);
      await session.flush();

      const said = texts(await session.getItems());
      expect(said.filter((_, at) => at % 2 === 0)).toEqual(['one', 'two', 'three', 'four', 'five']);
      expect(said).toHaveLength(10);
      expect(listedTexts(simulator, conversationId)).toEqual(said);
      expect(await session.verify()).toMatchObject({ verified: true, findings: [], pending: 0, length: 10 });
      expect(told.of('adopted')).toEqual([]);
    });
  },
);

describe('a process that dies without the answer to its write', () => {
  it.each(LATE)(
    'a dead process leaves no copy of a write that is applied %i requests later',
    async (after) => {
      const simulator = createSimulatorCore({ unlink: 'none' });
      const ledger = memoryLedger();
      const server = lateServer(simulator, { lost: 1, after, answer: 'dropped' });
      const told = recorder();
      const dying = new OpenAI({ ...PLAIN, fetch: server.fetch, maxRetries: 0 });
      const first = new HybridSession({ client: dying, ledger });
      const conversationId = await first.getSessionId();
      await simulatedRunner(dying).run(agent, 'one', { session: first });

      // The lease of the dead process has run out.
      await clock.sleep(30_000);
      const session = new HybridSession({
        client: server.client,
        ledger: elsewhere(ledger),
        conversationId,
        onEvent: told.onEvent,
      });
      const runner = simulatedRunner(server.client);
      for (const text of ['two', 'three', 'four']) await runner.run(agent, text, { session });
      await server.settle();
      await session.flush();

      const said = texts(await session.getItems());
      expect(said.filter((_, at) => at % 2 === 0)).toEqual(['one', 'two', 'three', 'four']);
      expect(listedTexts(simulator, conversationId)).toEqual(said);
      expect(told.of('adopted')).toEqual([]);
    },
  );

  it.each(LATE)(
    'a process that resumes after its lease finds no copy of a write that is applied %i requests later',
    async (after) => {
      const simulator = createSimulatorCore({ unlink: 'none' });
      const ledger = memoryLedger();
      const server = lateServer(simulator, { lost: 1, after, answer: '504' });
      const frozen = new OpenAI({ ...PLAIN, fetch: server.fetch, maxRetries: 0 });
      const first = new HybridSession({ client: frozen, ledger });
      const conversationId = await first.getSessionId();
      await simulatedRunner(frozen).run(agent, 'one', { session: first });

      await clock.sleep(30_000);
      const second = new HybridSession({ client: server.client, ledger: elsewhere(ledger), conversationId });
      const runner = simulatedRunner(server.client);
      await runner.run(agent, 'two', { session: second });
      await runner.run(agent, 'three', { session: first });
      await server.settle();
      await second.flush();
      await first.flush();

      for (const session of [first, second]) {
        const said = texts(await session.getItems());
        expect(said.filter((_, at) => at % 2 === 0)).toEqual(['one', 'two', 'three']);
        expect(listedTexts(simulator, conversationId)).toEqual(said);
      }
    },
  );
});

/** Delivers every write to the conversation twice and gives the answer of one delivery. */
function twice(simulator: SimulatorCore, answer: 'first' | 'second'): OpenAI {
  return new OpenAI({
    ...PLAIN,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const isWrite = request.method === 'POST' && request.url.endsWith('/items');
      if (!isWrite) return simulator.fetch(request);
      const answers = [await simulator.fetch(request.clone()), await simulator.fetch(request)];
      return answers[answer === 'first' ? 0 : 1] ?? Response.error();
    },
  });
}

describe('a write that the network delivers twice', () => {
  it.each(['first', 'second'] as const)(
    'a write that is delivered twice stands once if the %s delivery is answered',
    async (answer) => {
      const simulator = createSimulatorCore({ unlink: 'none' });
      const client = twice(simulator, answer);
      const told = recorder();
      const session = new HybridSession({ client, advanced: { compare: 'on-read' }, onEvent: told.onEvent });
      const runner = simulatedRunner(client);
      for (const text of ['one', 'two', 'three']) await runner.run(agent, text, { session });
      const said = texts(await session.getItems());
      expect(said.filter((_, at) => at % 2 === 0)).toEqual(['one', 'two', 'three']);
      const { findings } = await session.verify();
      expect(findings.every(({ type }) => type === 'duplicated')).toBe(true);
      await session.flush();
      expect(listedTexts(simulator, await session.getSessionId())).toEqual(said);
      expect(told.of('adopted')).toEqual([]);
    },
  );

  it('an equal item of another writer is not taken for a second delivery', async () => {
    const simulator = createSimulatorCore({ unlink: 'none' });
    const client = new OpenAI({ ...PLAIN, fetch: simulator.fetch });
    const session = new HybridSession({ client, advanced: { compare: 'on-read' } });
    const pair = [user('again'), user('please')];
    await session.addItems([user('hello')]);
    const stock = new OpenAIConversationsSession({ client, conversationId: await session.getSessionId() });
    await stock.addItems([user('somebody')]);
    await session.getItems();
    await session.addItems(pair);
    await stock.addItems(pair);
    expect(texts(await session.getItems()).join(' ')).toBe('hello somebody again please again please');
  });
});

describe('equal items of two writers', () => {
  it('equal items of two writers stay two although one write lost its answer', async () => {
    const simulator = createSimulatorCore({ unlink: 'none' });
    const ledger = memoryLedger();
    const server = lateServer(simulator, { lost: 1, after: 4, answer: '504' });
    const plain = new OpenAI({ ...PLAIN, fetch: simulator.fetch });
    const first = new HybridSession({ client: plain, ledger });
    await first.addItems([user('zero')]);
    const conversationId = await first.getSessionId();
    const late = new HybridSession({ client: server.client, ledger, conversationId });
    const other = new HybridSession({ client: plain, ledger: elsewhere(ledger), conversationId });
    await late.addItems([user('ok')]);
    await other.addItems([user('ok')]);
    await server.settle();
    await late.flush();
    expect(texts(await late.getItems())).toEqual(['zero', 'ok', 'ok']);
    expect(listedTexts(simulator, conversationId)).toEqual(['zero', 'ok', 'ok']);
  });
});
