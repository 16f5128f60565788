import { describe, expect, it } from 'vitest';
import { HybridSession, memoryLedger, type HybridSessionOptions } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { idsOf, listedIds, listedTexts, requestsOf } from '../flows/support/story.ts';
import { assistant, call, result, texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const OPTIONS: readonly HybridSessionOptions[] = [
  { rollout: 'off' },
  { rollout: 'shadow' },
  { rollout: 'rebuild' },
  { rollout: 'chain' },
  { keepContent: false },
  { mirror: 'background' },
];

const append = (operationId: string, ...said: string[]) => ({
  operationId,
  transaction: { type: 'append_items' as const, items: said.map((text) => user(text)) },
});

const replace = (operationId: string, expected: string[], replacement: string[]) => ({
  operationId,
  transaction: {
    type: 'replace_suffix' as const,
    expectedSuffix: expected.map((text) => user(text)),
    replacement: replacement.map((text) => assistant(text)),
  },
});

const changed = (callId: string, args: object) => ({
  mutations: [{ type: 'replace_function_call' as const, callId, replacement: call(callId, 'look_up', args) }],
});

describe.each(OPTIONS)('a history transaction with %j', (options) => {
  async function told() {
    const world = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client: world.client, ledger, ...options });
    await session.addItems(['one', 'two', 'three'].map((text) => user(text)));
    return { ...world, ledger, session, id: await session.getSessionId() };
  }

  it('a history transaction replaces the end of the history, the ledger and the list, in order', async () => {
    const { session, simulator, id } = await told();
    await session.applyHistoryTransaction(replace('op', ['two', 'three'], ['four', 'five', 'six']));
    await session.addItems([user('seven')]);
    const expected = ['one', 'four', 'five', 'six', 'seven'];
    expect(texts(await session.getItems())).toEqual(expected);
    await session.flush();
    expect(listedTexts(simulator, id)).toEqual(expected);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });

  it('a history transaction is applied once, by any process and for any number of calls', async () => {
    const { session, client, ledger, simulator, id } = await told();
    const other = new HybridSession({ client, ledger, conversationId: id, ...options });
    await Promise.all([
      session.applyHistoryTransaction(append('op', 'four')),
      other.applyHistoryTransaction(append('op', 'four')),
      session.applyHistoryTransaction(append('op', 'four')),
    ]);
    await session.flush();
    const later = new HybridSession({ client, ledger, conversationId: id, ...options });
    await later.applyHistoryTransaction(append('op', 'four'));
    expect(texts(await later.getItems())).toEqual(['one', 'two', 'three', 'four']);
    expect(listedTexts(simulator, id)).toEqual(['one', 'two', 'three', 'four']);
  });

  it('a history transaction that does not fit changes nothing', async () => {
    const { session, simulator, id } = await told();
    await session.flush();
    await session.applyHistoryTransaction(append('op', 'four'));
    await session.flush();
    const requests = await requestsOf(simulator, async () => {
      await expect(session.applyHistoryTransaction(append('op', 'other'))).rejects.toMatchObject({
        code: 'history_transaction',
        operationId: 'op',
        reason: 'operation_reused',
      });
      await expect(session.applyHistoryTransaction(replace('op 2', ['one'], []))).rejects.toMatchObject({
        reason: 'suffix_changed',
      });
      const tooLong = ['zero', 'one', 'two', 'three', 'four'];
      await expect(session.applyHistoryTransaction(replace('op 2', tooLong, []))).rejects.toMatchObject({
        reason: 'suffix_changed',
      });
    });
    expect(requests).toEqual([]);
    expect(listedTexts(simulator, id)).toEqual(['one', 'two', 'three', 'four']);
    await session.applyHistoryTransaction(replace('op 2', ['four'], ['five']));
    expect(texts(await session.getItems())).toEqual(['one', 'two', 'three', 'five']);
  });
});

describe.each(OPTIONS)('a changed function call with %j', (options) => {
  async function told() {
    const world = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client: world.client, ledger, ...options });
    await session.addItems([
      user('one'),
      call('call_1', 'look_up', { key: 'a' }),
      result('call_1', 'look_up', 'found a'),
      call('call_2', 'look_up', { key: 'b' }),
      result('call_2', 'look_up', 'found b'),
      assistant('done'),
    ]);
    await session.flush();
    return { ...world, ledger, session, id: await session.getSessionId() };
  }

  it('a changed function call takes the place of the old one, in the history and in the list', async () => {
    const { session, simulator, id } = await told();
    await session.applyHistoryMutations(changed('call_1', { key: 'z' }));
    await session.addItems([user('thanks')]);
    await session.flush();
    const items = await session.getItems();
    expect(items.map((item) => ('arguments' in item ? item.arguments : item.type))).toEqual([
      'message',
      '{"key":"z"}',
      'function_call_result',
      '{"key":"b"}',
      'function_call_result',
      'message',
      'message',
    ]);
    expect(idsOf(items)).toEqual(listedIds(simulator, id));
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], listed: 7 });
  });

  it('a changed function call keeps all that follows it, even if the conversation fails in between', async () => {
    const { session, simulator, client, ledger, id } = await told();
    simulator.fault('conversations.items.create', { status: 401, times: 1 });
    await session.applyHistoryMutations(changed('call_1', { key: 'z' }));
    await session.verify();
    simulator.fault('conversations.items.delete', { status: 401, times: 1 });
    await session.flush().catch(() => undefined);
    await session.flush();
    const later = new HybridSession({ client, ledger: elsewhere(ledger), conversationId: id, ...options });
    const items = await later.getItems();
    expect(items.length).toBe(6);
    expect(idsOf(items)).toEqual(listedIds(simulator, id));
  });

  it('a mutation of a missing function call changes nothing', async () => {
    const { session, simulator } = await told();
    const before = await session.getItems();
    const requests = await requestsOf(simulator, () => session.applyHistoryMutations(changed('call_9', {})));
    expect(requests.filter((operation) => operation !== 'conversations.items.list')).toEqual([]);
    expect(await session.getItems()).toEqual(before);
  });
});
