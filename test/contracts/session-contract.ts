import {
  Agent,
  isOpenAIResponsesCompactionAwareSession,
  type AgentInputItem,
  type Session,
  type SessionHistoryTransactionAwareSession,
} from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { assistant, call, result, roles, texts, user } from '../support/conversation.ts';
import { simulatedRunner } from '../support/simulated.ts';
import type OpenAI from 'openai';

/** Behaviours of the contract that a session is known not to have; each is named so that none is hidden. */
export type Deviation =
  | 'splits long appends'
  | 'keeps the name of a function result'
  | 'keeps its ID when it is cleared'
  | 'applies history transactions'
  | 'applies history mutations';

/** A session that the contract is checked against. */
export interface SessionUnderTest {
  readonly name: string;
  /** A new, empty session on a world of its own. */
  readonly create: () => { readonly session: Session; readonly client: OpenAI };
  readonly deviations?: readonly Deviation[];
}

/** The documented behaviour of the SDK's `Session`, as tests; a session that deviates must really deviate. */
export function describeSessionContract({ name, create, deviations = [] }: SessionUnderTest): void {
  const unless = (deviation: Deviation): typeof it.fails | typeof it =>
    deviations.includes(deviation) ? it.fails : it;

  describe(`${name} keeps the session contract`, () => {
    it('a session keeps its ID', async () => {
      const { session } = create();
      const id = await session.getSessionId();
      expect(id).toEqual(expect.stringMatching(/./));
      await session.addItems([user('hi')]);
      expect(await session.getSessionId()).toBe(id);
    });

    it('a new session is empty', async () => {
      const { session } = create();
      expect(await session.getItems()).toEqual([]);
      expect(await session.popItem()).toBeUndefined();
    });

    it('getItems returns items in the order in which they were added', async () => {
      const { session } = create();
      await session.addItems([user('one'), assistant('two')]);
      await session.addItems([user('three')]);
      expect(texts(await session.getItems())).toEqual(['one', 'two', 'three']);
      expect(roles(await session.getItems())).toBe('u,a,u');
    });

    it('getItems with a limit returns the newest items, oldest first', async () => {
      const { session } = create();
      await session.addItems(['one', 'two', 'three', 'four'].map((text) => user(text)));
      expect(texts(await session.getItems(2))).toEqual(['three', 'four']);
      expect(texts(await session.getItems(1))).toEqual(['four']);
      expect(texts(await session.getItems(100))).toEqual(['one', 'two', 'three', 'four']);
      expect(await session.getItems(0)).toEqual([]);
      expect(await session.getItems(-1)).toEqual([]);
    });

    it('addItems accepts an empty array', async () => {
      const { session } = create();
      await session.addItems([]);
      expect(await session.getItems()).toEqual([]);
    });

    it('getItems returns copies', async () => {
      const { session } = create();
      await session.addItems([user('hi')]);
      const [item] = await session.getItems();
      Object.assign(item ?? {}, { role: 'assistant', content: 'changed' });
      expect(texts(await session.getItems())).toEqual(['hi']);
      expect(roles(await session.getItems())).toBe('u');
    });

    it('a session ignores changes to an item after addItems', async () => {
      const { session } = create();
      const item = user('hi');
      await session.addItems([item]);
      Object.assign(item, { content: 'changed' });
      expect(texts(await session.getItems())).toEqual(['hi']);
    });

    it('popItem removes and returns the newest item', async () => {
      const { session } = create();
      await session.addItems([user('one'), assistant('two'), user('three')]);
      expect(texts([await session.popItem()])).toEqual(['three']);
      expect(texts([await session.popItem()])).toEqual(['two']);
      expect(texts(await session.getItems())).toEqual(['one']);
      await session.addItems([assistant('again')]);
      expect(texts(await session.getItems())).toEqual(['one', 'again']);
    });

    it('a cleared session is empty and can be used again', async () => {
      const { session } = create();
      await session.addItems([user('one'), assistant('two')]);
      await session.clearSession();
      expect(await session.getItems()).toEqual([]);
      await session.addItems([user('three')]);
      expect(texts(await session.getItems())).toEqual(['three']);
    });

    it('clearSession accepts an empty session', async () => {
      const { session } = create();
      await session.clearSession();
      await session.clearSession();
      expect(await session.getItems()).toEqual([]);
    });

    unless('keeps its ID when it is cleared')('a cleared session keeps its ID', async () => {
      const { session } = create();
      const id = await session.getSessionId();
      await session.addItems([user('one')]);
      await session.clearSession();
      expect(await session.getSessionId()).toBe(id);
    });

    it('overlapping calls take effect in order', async () => {
      const { session } = create();
      await session.getSessionId();
      await Promise.all(['one', 'two', 'three'].map((text) => session.addItems([user(text)])));
      expect(texts(await session.getItems())).toEqual(['one', 'two', 'three']);
    });

    unless('splits long appends')('addItems takes any number of items', async () => {
      const { session } = create();
      const items = Array.from({ length: 45 }, (_, index) => user(`text ${index}`));
      await session.addItems(items);
      expect(texts(await session.getItems())).toEqual(texts(items));
    });

    it('a session keeps function calls and their results', async () => {
      const { session } = create();
      await session.addItems([
        user('call it'),
        call('call_1', 'look_up', { key: 'a' }),
        result('call_1', 'look_up', 'found'),
      ]);
      expect(await session.getItems()).toEqual([
        expect.objectContaining({ role: 'user' }),
        expect.objectContaining({
          type: 'function_call',
          callId: 'call_1',
          name: 'look_up',
          arguments: '{"key":"a"}',
        }),
        expect.objectContaining({ type: 'function_call_result', callId: 'call_1', output: 'found' }),
      ]);
    });

    unless('keeps the name of a function result')(
      'a session keeps the name of a function result',
      async () => {
        const { session } = create();
        await session.addItems([
          user('call it'),
          call('call_1', 'look_up', {}),
          result('call_1', 'look_up', 'found'),
        ]);
        expect((await session.getItems()).at(-1)).toMatchObject({ name: 'look_up' });
      },
    );

    it('a session shows no items of another session', async () => {
      const { session } = create();
      const other = create();
      await session.addItems([user('one')]);
      expect(await other.session.getItems()).toEqual([]);
    });

    it('a run shows the model the earlier turns', async () => {
      const { session, client } = create();
      const runner = simulatedRunner(client);
      const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
      await runner.run(agent, 'my name is Ada', { session });
      const second = await runner.run(agent, 'what is my name?', { session });
      expect(second.finalOutput).toContain('my name is Ada');
      expect(roles(await session.getItems())).toBe('u,a,u,a');
    });

    it('a streamed run shows the model the earlier turns', async () => {
      const { session, client } = create();
      const runner = simulatedRunner(client);
      const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
      const outputs: unknown[] = [];
      for (const text of ['my name is Ada', 'what is my name?']) {
        const streamed = await runner.run(agent, text, { session, stream: true });
        await streamed.completed;
        outputs.push(streamed.finalOutput);
      }
      expect(outputs.at(-1)).toContain('my name is Ada');
      expect(roles(await session.getItems())).toBe('u,a,u,a');
    });

    it('the comparison for persistence keeps one entry for each item', async () => {
      const { session } = create();
      const items = [
        user('one'),
        assistant('two'),
        call('call_1', 'look_up', {}),
        result('call_1', 'look_up', 'found'),
      ];
      await session.addItems(items);
      const prepare = (given: AgentInputItem[]): AgentInputItem[] =>
        session.prepareHistoryItemsForPersistenceComparison?.(given) ?? given;
      const stored = await session.getItems();
      expect(prepare(stored)).toHaveLength(items.length);
      expect(prepare(structuredClone(stored))).toEqual(prepare(stored));
    });

    it('runCompaction accepts the ID of a response', async () => {
      const { session } = create();
      await session.addItems([user('one'), assistant('two')]);
      if (!isOpenAIResponsesCompactionAwareSession(session)) return;
      expect(await session.runCompaction({ responseId: 'resp_1', store: true })).toBeNull();
      expect(await session.runCompaction()).toBeNull();
      expect(roles(await session.getItems())).toBe('u,a');
    });

    unless('applies history transactions')('a session applies a history transaction once', async () => {
      const session = transactional(create().session);
      await session.addItems([user('one'), assistant('two')]);
      const append = { type: 'append_items' as const, items: [user('three')] };
      await session.applyHistoryTransaction({ operationId: 'op-1', transaction: append });
      await session.applyHistoryTransaction({ operationId: 'op-1', transaction: append });
      expect(texts(await session.getItems())).toEqual(['one', 'two', 'three']);
      const replace = {
        type: 'replace_suffix' as const,
        expectedSuffix: [user('three')],
        replacement: [assistant('four'), user('five')],
      };
      await session.applyHistoryTransaction({ operationId: 'op-2', transaction: replace });
      await session.applyHistoryTransaction({ operationId: 'op-2', transaction: replace });
      expect(texts(await session.getItems())).toEqual(['one', 'two', 'four', 'five']);
    });

    unless('applies history transactions')(
      'a session refuses a transaction that does not fit, and changes nothing',
      async () => {
        const session = transactional(create().session);
        await session.addItems([user('one'), assistant('two')]);
        await session.applyHistoryTransaction({
          operationId: 'op-1',
          transaction: { type: 'append_items', items: [user('three')] },
        });
        const other = { type: 'append_items' as const, items: [user('other')] };
        await expect(async () =>
          session.applyHistoryTransaction({ operationId: 'op-1', transaction: other }),
        ).rejects.toThrow(/./);
        const wrong = { type: 'replace_suffix' as const, expectedSuffix: [user('no')], replacement: [] };
        await expect(async () =>
          session.applyHistoryTransaction({ operationId: 'op-2', transaction: wrong }),
        ).rejects.toThrow(/./);
        await expect(async () =>
          session.applyHistoryTransaction({ operationId: ' ', transaction: other }),
        ).rejects.toThrow(/./);
        expect(texts(await session.getItems())).toEqual(['one', 'two', 'three']);
      },
    );

    unless('applies history mutations')('a session replaces a function call in the history', async () => {
      const { session } = create();
      await session.addItems([user('call it'), call('call_1', 'look_up', { key: 'a' }), user('wait')]);
      if (!('applyHistoryMutations' in session) || typeof session.applyHistoryMutations !== 'function')
        throw new Error('absent');
      await session.applyHistoryMutations({
        mutations: [
          {
            type: 'replace_function_call',
            callId: 'call_1',
            replacement: call('call_1', 'look_up', { key: 'b' }),
          },
        ],
      });
      const items = await session.getItems();
      expect(items).toHaveLength(3);
      expect(items[1]).toMatchObject({ type: 'function_call', callId: 'call_1', arguments: '{"key":"b"}' });
    });
  });
}

function transactional(session: Session): SessionHistoryTransactionAwareSession {
  if (!('applyHistoryTransaction' in session)) throw new Error('The session applies no transactions');
  return session as SessionHistoryTransactionAwareSession;
}
