import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions, type LedgerStore } from '../../src/index.ts';
import { clock } from '../../src/util/clock.ts';
import { texts, user } from '../support/conversation.ts';
import { deferred } from '../support/deferred.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { converse, idsOf, listedTexts, recorder, requestsOf } from './support/story.ts';

useVirtualTime();

const MODEL_CALL = 'responses.create';
const LIST = 'conversations.items.list';
const WRITE = 'conversations.items.create';

/** A session of another process, attached to a conversation that has lost its first item. */
async function attached(options: HybridSessionOptions = {}, whole: HybridSessionOptions = {}) {
  const { client, simulator } = simulated();
  const ledger = memoryLedger();
  const first = new HybridSession({ client, ledger, ...whole });
  await converse(simulatedRunner(client), first, ['hi']);
  const conversationId = await first.getSessionId();
  const [lost = ''] = idsOf(await first.getItems());
  await client.conversations.items.delete(lost, { conversation_id: conversationId });
  const { problems, onEvent, of } = recorder();
  const gate = { opened: Promise.resolve() };
  const gated = simulatedClient({
    ...simulator,
    fetch: async (input, init) => {
      if ((init?.method ?? 'GET') === 'GET') await gate.opened;
      return simulator.fetch(input, init);
    },
  });
  const session = new HybridSession({
    client: gated,
    ledger: elsewhere(ledger),
    conversationId,
    onEvent,
    ...whole,
    ...options,
  });
  const runner = simulatedRunner(client);
  return { client, simulator, ledger, session, runner, conversationId, lost, problems, of, gate };
}

describe("with compare: 'auto', the conversation of a session that the ledger knows", () => {
  it('the conversation is compared after the first answer, which does not wait for it', async () => {
    const { session, runner, lost, conversationId, problems, gate } = await attached();
    const { promise, resolve: open } = deferred<void>();
    gate.opened = promise;
    const [answer] = await converse(runner, session, ['thanks']);
    expect(answer).toContain('I see 3 items (2u 1a)');
    expect(problems()).toEqual([]);
    open();
    await session.flush();
    expect(problems()).toEqual([
      {
        type: 'lost',
        sessionId: conversationId,
        mode: 'chain',
        findings: [{ type: 'lost', id: lost, kind: 'message:user', index: 0 }],
        total: 1,
      },
      { type: 'restored', sessionId: conversationId, count: 1, sources: { ledger: 1 } },
    ]);
  });

  it('the conversation is compared with keepContent: false, and a response gives the lost content', async () => {
    const { session, runner, of } = await attached(
      { advanced: { cache: { maxBytes: 1 } } },
      { keepContent: false },
    );
    await converse(runner, session, ['thanks']);
    await session.flush();
    expect(of('lost')).toHaveLength(1);
    expect(of('restored')).toEqual([expect.objectContaining({ count: 1, sources: { chain: 1 } })]);
  });

  it('a comparison delays no write of the next turn, and is repeated a minute later', async () => {
    const { simulator, session, runner, problems, of, gate } = await attached();
    const { promise, resolve: open } = deferred<void>();
    gate.opened = promise;
    await converse(runner, session, ['two', 'three']);
    expect(await requestsOf(simulator, () => converse(runner, session, ['four']))).toEqual([
      MODEL_CALL,
      WRITE,
    ]);
    expect(problems()).toEqual([]);
    open();
    await clock.sleep(60_000);
    await converse(runner, session, ['five']);
    await session.flush();
    expect(of('lost')).toHaveLength(1);
  });

  it('a failed comparison is repeated a minute later, after an answer', async () => {
    const { simulator, session, runner, of } = await attached();
    simulator.fault(LIST, { status: 400, times: 1 });
    const turn = (text: string): ReturnType<typeof requestsOf> =>
      requestsOf(simulator, async () => {
        await converse(runner, session, [text]);
        await session.flush();
      });
    expect(await turn('two')).toEqual([MODEL_CALL, WRITE, LIST]);
    expect(of('list_failed')).toEqual([expect.objectContaining({ reason: 'Error (400)' })]);
    expect(of('lost')).toEqual([]);
    expect(await turn('three')).toEqual([MODEL_CALL, WRITE]);
    await clock.sleep(60_000);
    expect(await turn('three')).toEqual([MODEL_CALL, WRITE, LIST]);
    expect(of('lost')).toHaveLength(1);
    expect(await turn('four')).toEqual([MODEL_CALL, WRITE]);
  });

  it("the model sees another writer's items at the turn after the comparison", async () => {
    const { client, session, runner, conversationId, of } = await attached();
    const stock = new OpenAIConversationsSession({ client, conversationId });
    await stock.addItems([user('theirs')]);
    const [first] = await converse(runner, session, ['two']);
    expect(first).toContain('I see 3 items (2u 1a)');
    await session.flush();
    expect(of('adopted')).toEqual([expect.objectContaining({ count: 1, code: 'adopted' })]);
    const [second] = await converse(runner, session, ['three']);
    expect(second).toContain('I see 6 items (4u 2a)');
  });

  it("the conversation is compared by verify() alone with compare: 'manual'", async () => {
    const { simulator, session, runner, of } = await attached({ advanced: { compare: 'manual' } });
    expect(await requestsOf(simulator, () => converse(runner, session, ['two']))).toEqual([
      MODEL_CALL,
      WRITE,
    ]);
    await session.flush();
    expect(of('lost')).toEqual([]);
    expect(await requestsOf(simulator, () => session.verify())).toEqual([LIST]);
    expect(of('lost')).toHaveLength(1);
  });
});

async function slow<T>(call: () => Promise<T>): Promise<T> {
  await clock.sleep(5);
  const answer = await call();
  await clock.sleep(5);
  return answer;
}

/** A store that takes 10 milliseconds for each call. */
function slowly(store: LedgerStore): LedgerStore {
  return {
    checkpoint: (sessionId) => slow(() => store.checkpoint(sessionId)),
    read: (...args) => slow(() => store.read(...args)),
    append: (...args) => slow(() => store.append(...args)),
    rewrite: (...args) => slow(() => store.rewrite(...args)),
    delete: (...args) => slow(() => store.delete(...args)),
  };
}

describe('an item that another process writes during the comparison', () => {
  it.each(['chain', 'shadow'] as const)(
    'an item that another process writes during the comparison is not lost, in mode %s',
    async (rollout) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const writer = new HybridSession({ client, ledger });
      await writer.addItems([user('zero')]);
      const conversationId = await writer.getSessionId();
      let count = 0;
      const between = simulatedClient({
        ...simulator,
        fetch: async (input, init) => {
          const answer = await simulator.fetch(input, init);
          // The other process writes behind the back of the list that was just read.
          if ((init?.method ?? 'GET') === 'GET') await writer.addItems([user(`text ${(count += 1)}`)]);
          return answer;
        },
      });
      const { onEvent, of } = recorder();
      const reader = new HybridSession({
        client: between,
        ledger: elsewhere(ledger),
        conversationId,
        rollout,
        advanced: { compare: 'on-read' },
        onEvent,
      });
      for (let read = 0; read < 3; read += 1) await reader.getItems();
      expect(count).toBeGreaterThan(2);
      expect(of('lost')).toEqual([]);
      expect(of('adopted')).toEqual([]);
      expect((await reader.verify()).findings).toEqual([]);
    },
  );

  it.each(['chain', 'shadow'] as const)(
    'an item that another of two processes writes is neither lost nor new on a slow store, in mode %s',
    async (rollout) => {
      const { client, simulator } = simulated();
      const ledger = memoryLedger();
      const { onEvent, of } = recorder();
      const options = { client, rollout, advanced: { compare: 'on-read' }, onEvent } as const;
      const first = new HybridSession({ ...options, ledger: slowly(ledger) });
      await first.addItems([user('zero')]);
      const conversationId = await first.getSessionId();
      const second = new HybridSession({ ...options, ledger: slowly(ledger), conversationId });
      await Promise.all(
        [first, second].map(async (session, process) => {
          for (let turn = 0; turn < 20; turn += 1) {
            await session.getItems();
            await session.addItems([user(`question ${process} ${turn}`), user(`more ${process} ${turn}`)]);
          }
        }),
      );
      await first.flush();
      await second.flush();
      expect(of('lost')).toEqual([]);
      expect(of('adopted')).toEqual([]);
      expect(texts(await first.getItems()).toSorted()).toEqual(
        listedTexts(simulator, conversationId).toSorted(),
      );
      expect(await second.verify()).toMatchObject({ verified: true, length: 81, pending: 0 });
    },
  );
});
