import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { clock } from '../../src/util/clock.ts';
import { user } from '../support/conversation.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';
import { elsewhere } from './support/elsewhere.ts';
import { converse, requestsOf, TURNS } from './support/story.ts';

useVirtualTime();

const MODEL_CALL = 'responses.create';
const LIST = 'conversations.items.list';
const WRITE = 'conversations.items.create';

describe('the requests of a turn', () => {
  it.each(['rebuild', 'chain'] as const)(
    'a turn costs two requests in mode %s: the model and one write',
    async (rollout) => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client, rollout, bookmark: false });
      const runner = simulatedRunner(client);
      expect(await requestsOf(simulator, () => converse(runner, session, ['hi']))).toEqual([
        'conversations.create',
        MODEL_CALL,
        WRITE,
      ]);
      for (const turn of TURNS) {
        expect(await requestsOf(simulator, () => converse(runner, session, [turn]))).toEqual([
          MODEL_CALL,
          WRITE,
        ]);
      }
    },
  );

  it('a turn with a tool call costs one more request to the model', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    const runner = simulatedRunner(client);
    await converse(runner, session, ['hi']);
    const say = 'call get_weather {"city":"Oslo"} call get_weather {"city":"Rome"}';
    expect(await requestsOf(simulator, () => converse(runner, session, [say]))).toEqual([
      MODEL_CALL,
      MODEL_CALL,
      WRITE,
    ]);
  });

  it('the requests of a turn do not grow with the history, unlike with the stock session', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({});
    const ours = new HybridSession({ client, conversationId: id, bookmark: false });
    await ours.addItems(Array.from({ length: 200 }, (_, index) => user(`text ${index}`)));
    const runner = simulatedRunner(client);
    expect(await requestsOf(simulator, () => converse(runner, ours, ['hi']))).toEqual([MODEL_CALL, WRITE]);

    const stock = new OpenAIConversationsSession({ client, conversationId: id });
    const requests = await requestsOf(simulator, () => converse(runner, stock, ['hi']));
    expect(requests.filter((operation) => operation === LIST).length).toBe(11);
  });

  it.each(['off', 'shadow'] as const)(
    'a turn sends the requests of the stock session in mode %s',
    async (rollout) => {
      const { client, simulator } = simulated();
      const { id } = await client.conversations.create({});
      const runner = simulatedRunner(client);
      const stock = new OpenAIConversationsSession({ client, conversationId: id });
      const stockRequests = await requestsOf(simulator, () => converse(runner, stock, TURNS));
      const session = new HybridSession({
        client,
        rollout,
        bookmark: false,
        conversationId: (await client.conversations.create({})).id,
      });
      expect(await requestsOf(simulator, () => converse(runner, session, TURNS))).toEqual(stockRequests);
      expect(await requestsOf(simulator, () => session.popItem())).toEqual(
        await requestsOf(simulator, () => stock.popItem()),
      );
    },
  );

  it('a turn reads the conversation once after attaching and once an hour, a page for each 100 items', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger, bookmark: false });
    await first.addItems(Array.from({ length: 130 }, (_, index) => user(`text ${index}`)));
    const conversationId = await first.getSessionId();
    const session = new HybridSession({ client, ledger: elsewhere(ledger), conversationId, bookmark: false });
    const runner = simulatedRunner(client);
    const turn = (): ReturnType<typeof requestsOf> =>
      requestsOf(simulator, async () => {
        await converse(runner, session, ['hi']);
        await session.flush();
      });
    expect(await turn()).toEqual([MODEL_CALL, WRITE, LIST, LIST]);
    expect(await turn()).toEqual([MODEL_CALL, WRITE]);
    await clock.sleep(60 * 60 * 1000);
    expect(await turn()).toEqual([MODEL_CALL, WRITE, LIST, LIST]);
    expect(await turn()).toEqual([MODEL_CALL, WRITE]);
  });

  it("a turn reads the conversation once with compare: 'on-read', and never with 'manual'", async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const runner = simulatedRunner(client);
    const every = new HybridSession({ client, ledger, advanced: { compare: 'on-read' }, bookmark: false });
    await converse(runner, every, ['hi']);
    expect(await requestsOf(simulator, () => converse(runner, every, ['hi']))).toEqual([
      LIST,
      MODEL_CALL,
      WRITE,
    ]);
    const conversationId = await every.getSessionId();
    const never = new HybridSession({
      client,
      ledger,
      conversationId,
      advanced: { compare: 'manual' },
      bookmark: false,
    });
    expect(await requestsOf(simulator, () => converse(runner, never, ['hi']))).toEqual([MODEL_CALL, WRITE]);
  });

  it('a turn with keepContent: false costs the same requests', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const session = new HybridSession({ client, keepContent: false, bookmark: false });
    const runner = simulatedRunner(client);
    await converse(runner, session, ['hi']);
    for (const turn of TURNS) {
      expect(await requestsOf(simulator, () => converse(runner, session, [turn]))).toEqual([
        MODEL_CALL,
        WRITE,
      ]);
    }
  });

  it("a turn with mirror: 'background' ends with the answer, before the write", async () => {
    const { simulator } = simulated();
    const gate = new EventTarget();
    const opened = new Promise((resolve) => gate.addEventListener('open', resolve));
    const client = simulatedClient({
      ...simulator,
      fetch: async (input, init) => {
        if (init?.method === 'POST' && new Request(input).url.endsWith('/items')) await opened;
        return simulator.fetch(input, init);
      },
    });
    const session = new HybridSession({ client, mirror: 'background', bookmark: false });
    const requests = await requestsOf(simulator, () => converse(simulatedRunner(client), session, TURNS));
    expect(requests).toEqual(['conversations.create', ...TURNS.map(() => MODEL_CALL)]);
    gate.dispatchEvent(new Event('open'));
    expect(await requestsOf(simulator, () => session.flush())).toContain(WRITE);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, listed: 8, findings: [] });
  });

  it('a history without a conversation costs no request', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, mirror: 'off', sessionId: 'session-1' });
    const runner = simulatedRunner(client);
    const requests = await requestsOf(simulator, () => converse(runner, session, TURNS));
    expect(requests).toEqual(TURNS.map(() => MODEL_CALL));
  });

  it('flush() with nothing to do, getItems() and getSessionId() cost no request', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    await converse(simulatedRunner(client), session, ['hi']);
    const requests = await requestsOf(simulator, async () => {
      await session.flush();
      await session.getItems();
      await session.getItems(1);
      await session.getSessionId();
      await session.runCompaction({ responseId: 'resp_1' });
    });
    expect(requests).toEqual([]);
  });

  it('a pop costs one request, and a clear one', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, bookmark: false });
    await converse(simulatedRunner(client), session, ['hi']);
    expect(await requestsOf(simulator, () => session.popItem())).toEqual(['conversations.items.delete']);
    expect(await requestsOf(simulator, () => session.clearSession())).toEqual(['conversations.delete']);
  });
});
