import type { AgentInputItem, SessionHistoryRewriteArgs } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import { HybridSession, importItems, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { call, texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

const SECRET = 'sk-from-a-getter';

/** An array whose second element runs code that throws. */
function throwing(item: unknown): unknown[] {
  return Object.defineProperty([item, item, item], 1, {
    enumerable: true,
    get: () => {
      throw new Error(SECRET);
    },
  });
}

function holed(item: unknown): unknown[] {
  // oxlint-disable-next-line no-sparse-arrays
  return [item, , item];
}

function revoked(item: unknown): unknown {
  const { proxy, revoke } = Proxy.revocable([item], {});
  revoke();
  return proxy;
}

/** What is given in the place of an array of items, and the index that the error names. */
const ODD: readonly (readonly [string, (item: unknown) => unknown, number])[] = [
  ['an array with a hole', holed, 1],
  ['an array that ends in a hole', (item) => Object.assign([item], { length: 2 }), 1],
  ['an array of holes only', () => Object.assign([], { length: 3 }), 0],
  ['an array with a getter that throws', throwing, 1],
  ['an object like an array', (item) => ({ 0: item, length: 1 }), 0],
  ['a set', (item) => new Set([item]), 0],
  ['an iterator', (item) => [item].values(), 0],
  ['a revoked proxy', revoked, 0],
  [
    'a proxy that throws',
    (item) =>
      new Proxy([item, item], {
        get: (array, key, receiver) => {
          if (key === '1') throw new Error(SECRET);
          return Reflect.get(array, key, receiver) as unknown;
        },
      }),
    1,
  ],
  [
    'a proxy without a length',
    (item) =>
      new Proxy([item], {
        get: (array, key) => {
          if (key === 'length') throw new Error(SECRET);
          return Reflect.get(array, key) as unknown;
        },
      }),
    0,
  ],
];

const TAKERS: readonly (readonly [
  string,
  (session: HybridSession, store: LedgerStore, items: AgentInputItem[]) => Promise<unknown>,
])[] = [
  ['addItems', (session, _, items) => session.addItems(items)],
  ['replaceHistoryWithCompaction', (session, _, items) => session.replaceHistoryWithCompaction(items)],
  ['importItems', (_, ledger, items) => importItems({ ledger, sessionId: 'conv_1', items })],
  [
    'applyHistoryTransaction',
    (session, _, items) =>
      session.applyHistoryTransaction({ operationId: 'op', transaction: { type: 'append_items', items } }),
  ],
];

describe.each(TAKERS)('%s', (_name, take) => {
  it.each(ODD)('a session refuses %s, names the place, and stores nothing', async (_what, odd, index) => {
    const { client, simulator } = simulated();
    const ledger = memoryLedger();
    const session = new HybridSession({ client, ledger });
    const error: unknown = await take(session, ledger, odd(user('hi')) as AgentInputItem[]).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'invalid_item', index });
    expect(String(error)).not.toContain(SECRET);
    expect(simulator.log).toEqual([]);
    expect(await ledger.checkpoint('conv_1')).toBeUndefined();
    expect(await session.getItems()).toEqual([]);
  });
});

it.each(ODD)(
  'applyHistoryMutations refuses %s, names the place, and changes nothing',
  async (_what, odd, index) => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    await session.addItems([call('c', 'f', { a: 1 })]);
    const mutation = { type: 'replace_function_call', callId: 'c', replacement: call('c', 'f', { a: 2 }) };
    const args = { mutations: odd(mutation) } as SessionHistoryRewriteArgs;
    await expect(session.applyHistoryMutations(args)).rejects.toMatchObject({ code: 'invalid_item', index });
    expect(await session.getItems()).toMatchObject([{ arguments: '{"a":1}' }]);
  },
);

it.each(['type', 'callId', 'replacement'])(
  'applyHistoryMutations refuses a mutation whose %s throws',
  async (field) => {
    const { client } = simulated();
    const session = new HybridSession({ client });
    const mutation = Object.defineProperty(
      { type: 'replace_function_call', callId: 'c', replacement: call('c', 'f', {}) },
      field,
      {
        enumerable: true,
        get: () => {
          throw new Error(SECRET);
        },
      },
    );
    const args = { mutations: [mutation] } as SessionHistoryRewriteArgs;
    await expect(session.applyHistoryMutations(args)).rejects.toMatchObject({
      code: 'invalid_item',
      message: expect.not.stringContaining(SECRET),
    });
  },
);

it('a session stores the items of an array that has other properties, and of a proxy that behaves', async () => {
  const { client } = simulated();
  const session = new HybridSession({ client });
  await session.addItems(Object.assign([user('one')], { note: 'mine' }));
  await session.addItems(new Proxy([user('two')], {}));
  expect(texts(await session.getItems())).toEqual(['one', 'two']);
  expect(await session.verify()).toMatchObject({ verified: true, length: 2 });
});

it('a session stores null for a hole within an item, as JSON does, in memory as in the store', async () => {
  const { client } = simulated();
  const ledger = memoryLedger();
  const session = new HybridSession({ client, ledger });
  const output = { type: 'text', text: 'x', providerData: { list: holed(1) } };
  await session.addItems([
    call('c', 'f', {}),
    { type: 'function_call_result', callId: 'c', name: 'f', status: 'completed', output } as AgentInputItem,
  ]);
  const again = new HybridSession({ client, ledger, conversationId: await session.getSessionId() });
  for (const reader of [session, again]) {
    const [, stored] = await reader.getItems();
    expect(stored).toMatchObject({ output: { providerData: { list: [1, null, 1] } } });
  }
  expect(await again.verify()).toMatchObject({ verified: true });
});
