import { expect, it, vi } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { idsOf, listedIds } from '../flows/support/story.ts';
import { call, result, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

// Waiting must let the other process go on, and no more.
vi.mock('../../src/session/sleep.ts', () => ({
  sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
}));

it('leaves to another process what only that one can write, and writes behind it what follows', async () => {
  const { client, simulator } = simulated();
  const store = memoryLedger();
  let change = (): void => undefined;
  const changed = new Promise<void>((resolve) => {
    change = resolve;
  });
  // The other one changes the history between the append of this one and its write to the conversation.
  let isAppended = false;
  const slow: LedgerStore = {
    ...elsewhere(store),
    async append(...args) {
      await store.append(...args);
      isAppended = true;
    },
    async read(...args) {
      if (isAppended) await changed;
      return store.read(...args);
    },
  };
  const other: LedgerStore = {
    ...elsewhere(store),
    async append(...args) {
      await store.append(...args);
      if (isAppended) change();
    },
  };
  const first = new HybridSession({ client, ledger: other, keepContent: false });
  await first.addItems([user('one'), call('call_1', 'look_up', {}), result('call_1', 'look_up', 'found')]);
  const conversationId = await first.getSessionId();
  const second = new HybridSession({
    client,
    conversationId,
    ledger: slow,
    keepContent: false,
    checkList: 'never',
  });

  const appending = second.addItems([user('two')]);
  await vi.waitFor(() => expect(isAppended).toBe(true));
  const replacement = call('call_1', 'look_up', { changed: true });
  const mutations = [{ type: 'replace_function_call' as const, callId: 'call_1', replacement }];
  await Promise.all([appending, first.applyHistoryMutations({ mutations })]);
  for (const session of [first, second, first]) await session.flush().catch(() => undefined);

  const items = await first.getItems();
  expect(items).toMatchObject([
    { role: 'user' },
    { arguments: '{"changed":true}' },
    { output: {} },
    { role: 'user' },
  ]);
  expect(listedIds(simulator, conversationId)).toEqual(idsOf(items));
});
