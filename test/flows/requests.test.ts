import { OpenAIConversationsSession } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger } from '../../src/index.ts';
import { user } from '../support/conversation.ts';
import { simulated, simulatedClient, simulatedRunner } from '../support/simulated.ts';
import { converse, requestsOf, TURNS } from './support/story.ts';

const MODEL_CALL = 'responses.create';
const LIST = 'conversations.items.list';
const WRITE = 'conversations.items.create';

describe('the requests of a turn', () => {
  it.each(['rebuild', 'chain'] as const)('are two in mode %s: the model and one write', async (rollout) => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, rollout });
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
  });

  it('are the same when it calls a tool, but for the model', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const runner = simulatedRunner(client);
    await converse(runner, session, ['hi']);
    const say = 'call get_weather {"city":"Oslo"} call get_weather {"city":"Rome"}';
    expect(await requestsOf(simulator, () => converse(runner, session, [say]))).toEqual([
      MODEL_CALL,
      MODEL_CALL,
      WRITE,
    ]);
  });

  it('do not grow with the history, where those of the stock session do', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({});
    const ours = new HybridSession({ client, conversationId: id });
    await ours.addItems(Array.from({ length: 200 }, (_, index) => user(`text ${index}`)));
    const runner = simulatedRunner(client);
    expect(await requestsOf(simulator, () => converse(runner, ours, ['hi']))).toEqual([MODEL_CALL, WRITE]);

    const stock = new OpenAIConversationsSession({ client, conversationId: id });
    const requests = await requestsOf(simulator, () => converse(runner, stock, ['hi']));
    expect(requests.filter((operation) => operation === LIST).length).toBe(11);
  });

  it.each(['off', 'shadow'] as const)('are those of the stock session in mode %s', async (rollout) => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({});
    const runner = simulatedRunner(client);
    const stock = new OpenAIConversationsSession({ client, conversationId: id });
    const stockRequests = await requestsOf(simulator, () => converse(runner, stock, TURNS));
    const session = new HybridSession({
      client,
      rollout,
      conversationId: (await client.conversations.create({})).id,
    });
    expect(await requestsOf(simulator, () => converse(runner, session, TURNS))).toEqual(stockRequests);
    expect(await requestsOf(simulator, () => session.popItem())).toEqual(
      await requestsOf(simulator, () => stock.popItem()),
    );
  });

  it('hold one read of the list on attaching, a page for each 100 items', async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const first = new HybridSession({ client, ledger });
    await first.addItems(Array.from({ length: 130 }, (_, index) => user(`text ${index}`)));
    const conversationId = await first.getSessionId();
    const session = new HybridSession({ client, ledger, conversationId });
    const runner = simulatedRunner(client);
    expect(await requestsOf(simulator, () => converse(runner, session, ['hi']))).toEqual([
      LIST,
      LIST,
      MODEL_CALL,
      WRITE,
    ]);
    expect(await requestsOf(simulator, () => converse(runner, session, ['hi']))).toEqual([MODEL_CALL, WRITE]);
  });

  it("hold one read of the list with checkList: 'every-read', and none with 'never'", async () => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const runner = simulatedRunner(client);
    const every = new HybridSession({ client, ledger, checkList: 'every-read' });
    await converse(runner, every, ['hi']);
    expect(await requestsOf(simulator, () => converse(runner, every, ['hi']))).toEqual([
      LIST,
      MODEL_CALL,
      WRITE,
    ]);
    const conversationId = await every.getSessionId();
    const never = new HybridSession({ client, ledger, conversationId, checkList: 'never' });
    expect(await requestsOf(simulator, () => converse(runner, never, ['hi']))).toEqual([MODEL_CALL, WRITE]);
  });

  it('are the same when the ledger keeps no content', async () => {
    const { client, simulator } = simulated({ unlink: 'every-turn' });
    const session = new HybridSession({ client, keepContent: false });
    const runner = simulatedRunner(client);
    await converse(runner, session, ['hi']);
    for (const turn of TURNS) {
      expect(await requestsOf(simulator, () => converse(runner, session, [turn]))).toEqual([
        MODEL_CALL,
        WRITE,
      ]);
    }
  });

  it('end with the answer when the mirror works behind it', async () => {
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
    const session = new HybridSession({ client, mirror: 'background' });
    const requests = await requestsOf(simulator, () => converse(simulatedRunner(client), session, TURNS));
    expect(requests).toEqual(['conversations.create', ...TURNS.map(() => MODEL_CALL)]);
    gate.dispatchEvent(new Event('open'));
    expect(await requestsOf(simulator, () => session.flush())).toContain(WRITE);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, listed: 8, findings: [] });
  });

  it('are none at all for the history without a conversation', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, mirror: 'off', sessionId: 'session-1' });
    const runner = simulatedRunner(client);
    const requests = await requestsOf(simulator, () => converse(runner, session, TURNS));
    expect(requests).toEqual(TURNS.map(() => MODEL_CALL));
  });

  it('are none for a flush with nothing to do, a getItems, a getSessionId', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
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

  it('are one for a pop, and one for a clear', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    await converse(simulatedRunner(client), session, ['hi']);
    expect(await requestsOf(simulator, () => session.popItem())).toEqual(['conversations.items.delete']);
    expect(await requestsOf(simulator, () => session.clearSession())).toEqual(['conversations.delete']);
  });
});
