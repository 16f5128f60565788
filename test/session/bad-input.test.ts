import type { AgentInputItem } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { diagnose } from '../../src/doctor.ts';
import { HybridSession, memoryLedger, type Mode } from '../../src/index.ts';
import { converse, listedTexts, requestsOf } from '../flows/support/story.ts';
import { assistant, call, texts, user } from '../support/conversation.ts';
import { simulated, simulatedRunner } from '../support/simulated.ts';

const MODES: readonly Mode[] = ['off', 'shadow', 'rebuild', 'chain'];

/** Everything that a session can be asked for. */
const OPERATIONS: Readonly<Record<string, (session: HybridSession) => Promise<unknown>>> = {
  getItems: (session) => session.getItems(),
  'getItems with a limit': (session) => session.getItems(3),
  addItems: (session) => session.addItems([user('hi')]),
  popItem: (session) => session.popItem(),
  clearSession: (session) => session.clearSession(),
  replaceHistoryWithCompaction: (session) => session.replaceHistoryWithCompaction([user('hi')]),
  applyHistoryMutations: (session) =>
    session.applyHistoryMutations({
      mutations: [{ type: 'replace_function_call', callId: 'c', replacement: call('c', 'f', {}) }],
    }),
  applyHistoryTransaction: (session) =>
    session.applyHistoryTransaction({
      operationId: 'op',
      transaction: { type: 'append_items', items: [user('hi')] },
    }),
  runCompaction: (session) => session.runCompaction({ responseId: 'resp_1' }),
  verify: (session) => session.verify(),
};

describe('a conversation that does not exist', () => {
  describe.each(MODES)('in mode %s', (rollout) => {
    it.each(Object.keys(OPERATIONS))(
      'a missing conversation is named by %s, and no record is written',
      async (operation) => {
        const { client } = simulated();
        const ledger = memoryLedger();
        const conversationId = 'conv_missing';
        const session = new HybridSession({ client, ledger, conversationId, rollout });
        await expect(async () => OPERATIONS[operation]?.(session)).rejects.toMatchObject({
          name: 'ConversationNotFoundError',
          code: 'conversation_not_found',
          conversationId,
          message: expect.stringContaining("'conv_missing'"),
        });
        expect(await ledger.checkpoint(conversationId)).toBeUndefined();
      },
    );
  });

  it.each(['user-42', 'ada@example.com', 'resp_1'])(
    'a conversation ID that the API refuses by its form is a missing conversation: %s',
    async (conversationId) => {
      const { client } = simulated();
      await expect(client.conversations.items.list(conversationId)).rejects.toMatchObject({ status: 400 });
      const session = new HybridSession({ client, conversationId });
      const missing = { code: 'conversation_not_found', conversationId };
      await expect(session.getItems()).rejects.toMatchObject(missing);
      await expect(session.addItems([user('hi')])).rejects.toMatchObject(missing);
      await expect(session.verify()).rejects.toMatchObject(missing);
      await expect(diagnose({ client, conversationId })).rejects.toMatchObject(missing);
    },
  );

  it('a session that cannot begin fails the run before the model is asked', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client, conversationId: 'conv_missing', bookmark: false });
    await expect(converse(simulatedRunner(client), session, ['hi'])).rejects.toMatchObject({
      code: 'conversation_not_found',
    });
    expect(simulator.log.map(({ operation }) => operation)).toEqual(['conversations.items.list']);
  });

  it('a missing conversation is the same as one of another account', async () => {
    const { client, simulator } = simulated();
    const { id } = await client.conversations.create({});
    const stranger = new OpenAI({ apiKey: 'another', fetch: simulator.fetch, maxRetries: 0 });
    const session = new HybridSession({ client: stranger, conversationId: id });
    await expect(session.getItems()).rejects.toMatchObject({ code: 'conversation_not_found' });
  });

  it('a missing conversation can be tried again once it exists', async () => {
    const { client } = simulated();
    const { id } = await client.conversations.create({});
    await client.conversations.delete(id);
    const session = new HybridSession({ client, conversationId: id });
    await expect(session.getItems()).rejects.toMatchObject({ code: 'conversation_not_found' });
    await expect(session.getItems()).rejects.toMatchObject({ code: 'conversation_not_found' });
  });
});

const NOT_ITEMS: readonly (readonly [string, unknown, RegExp])[] = [
  ['a text', 'hi', /not an object/],
  ['nothing', undefined, /undefined/],
  ['null', null, /not an object/],
  ['a number', 7, /not an object/],
  ['an array', [user('hi')], /not an object/],
  ['a message without a role', { type: 'message', content: 'hi' }, /'role'/],
  ['a message of nobody', { role: 'tool', content: 'hi' }, /'role'/],
  ['a message without content', { role: 'user' }, /'content'/],
  ['an answer of bare text', { role: 'assistant', content: 'hi' }, /'content'/],
  ['a call without an ID', { type: 'function_call', name: 'f', arguments: '{}' }, /'callId'/],
  ['a call with arguments that are no text', { ...call('c', 'f', {}), arguments: {} }, /'arguments'/],
  ['a result without a call', { type: 'function_call_result', output: 'x' }, /'callId'/],
  ['reasoning without content', { type: 'reasoning', id: 'rs_1' }, /'content'/],
  ['an empty compaction', { type: 'compaction', encrypted_content: '' }, /'encrypted_content'/],
  ['a type of nothing', { type: '' }, /'type'/],
  ['an ID that is a number', { ...user('hi'), id: 7 }, /'id'/],
  ['a function', { ...user('hi'), providerData: { f: () => 1 } }, /function/],
  ['a number beyond JSON', { ...user('hi'), providerData: { n: 1n } }, /bigint/],
];

describe('items that are not items', () => {
  it.each(NOT_ITEMS)('%s: refused before any request, and named', async (_, item, problem) => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const items = [user('one'), item, user('two')] as AgentInputItem[];
    const refused = { code: 'invalid_item', index: 1, message: expect.stringMatching(problem) };
    await expect(session.addItems(items)).rejects.toMatchObject(refused);
    await expect(session.replaceHistoryWithCompaction(items)).rejects.toMatchObject(refused);
    await expect(
      session.applyHistoryTransaction({
        operationId: 'op',
        transaction: { type: 'append_items', items },
      }),
    ).rejects.toMatchObject(refused);
    expect(simulator.log).toEqual([]);
    expect(await session.getItems()).toEqual([]);
  });

  it.each([undefined, null, 'hi', user('hi')])(
    'a value in place of an array is refused: %j',
    async (items) => {
      const { client, simulator } = simulated();
      const session = new HybridSession({ client });
      await expect(session.addItems(items as never)).rejects.toMatchObject({
        code: 'invalid_item',
      });
      expect(simulator.log).toEqual([]);
    },
  );

  it('items with a cycle are refused', async () => {
    const { client } = simulated();
    const item: Record<string, unknown> = { ...user('hi') };
    item['providerData'] = { item };
    await expect(new HybridSession({ client }).addItems([item as AgentInputItem])).rejects.toMatchObject({
      code: 'invalid_item',
      message: expect.stringContaining('refers to itself'),
    });
  });

  it('leave what was stored before as it was, and what comes after unharmed', async () => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    await session.addItems([user('one')]);
    const requests = await requestsOf(simulator, async () => {
      await expect(session.addItems([user('two'), {} as AgentInputItem])).rejects.toThrow(/item 1/);
    });
    expect(requests).toEqual([]);
    await session.addItems([assistant('three')]);
    expect(texts(await session.getItems())).toEqual(['one', 'three']);
    expect(listedTexts(simulator, await session.getSessionId())).toEqual(['one', 'three']);
  });

  it('never have their content in the error', async () => {
    const { client } = simulated();
    const wrong = [{ role: 'assistant', content: 'sk-secret' }, 'sk-secret', { type: 'sk-secret', id: 1 }];
    for (const item of wrong) {
      const error: unknown = await new HybridSession({ client })
        .addItems([item as AgentInputItem])
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('sk-secret');
    }
  });

  it('items are copied when they are given', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    const item = user('one');
    const items = [item];
    const added = session.addItems(items);
    Object.assign(item, { content: 'changed' });
    items.length = 0;
    await added;
    expect(texts(await session.getItems())).toEqual(['one']);
  });
});

describe('mutations and transactions that are none', () => {
  it.each([
    undefined,
    {},
    { mutations: 'x' },
    { mutations: [null] },
    { mutations: [{ type: 'replace_function_call', callId: 'c' }] },
    { mutations: [{ type: 'delete', callId: 'c', replacement: call('c', 'f', {}) }] },
    { mutations: [{ type: 'replace_function_call', callId: 7, replacement: call('c', 'f', {}) }] },
    { mutations: [{ type: 'replace_function_call', callId: 'c', replacement: user('hi') }] },
  ])('mutations: %j', async (args) => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const given = args as never;
    await expect(session.applyHistoryMutations(given)).rejects.toMatchObject({ code: 'invalid_item' });
    expect(simulator.log).toEqual([]);
  });

  it.each([
    undefined,
    { operationId: '', transaction: { type: 'append_items', items: [] } },
    { operationId: ' \n', transaction: { type: 'append_items', items: [] } },
    { operationId: { toString: 'none' }, transaction: { type: 'append_items', items: [] } },
    { operationId: 7, transaction: { type: 'append_items', items: [] } },
    { operationId: 'op' },
    { operationId: 'op', transaction: { type: 'delete' } },
  ])('transaction: %j', async (args) => {
    const { client, simulator } = simulated();
    const session = new HybridSession({ client });
    const given = args as never;
    await expect(session.applyHistoryTransaction(given)).rejects.toMatchObject({
      code: 'history_transaction',
      reason: 'invalid',
    });
    expect(simulator.log).toEqual([]);
  });
});
