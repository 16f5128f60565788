import { EventEmitter, once } from 'node:events';
import { expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { idsOf, listedIds, listedTexts } from '../flows/support/story.ts';
import { call, result, user } from '../support/conversation.ts';
import { passTime, useVirtualTime } from '../support/virtual-time.ts';
import { simulated, simulatedClient } from '../support/simulated.ts';

useVirtualTime();

it('a session leaves an item to the process with its content, and writes later items after it', async () => {
  const { client, simulator } = simulated();
  const store = memoryLedger();
  const changes = new EventEmitter();
  const changed = once(changes, 'changed');
  const appended = once(changes, 'appended');
  // The other one changes the history between the append of this one and its write to the conversation.
  let isAppended = false;
  const slow: LedgerStore = {
    ...elsewhere(store),
    async append(...args) {
      await store.append(...args);
      isAppended = true;
      changes.emit('appended');
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
      if (isAppended) changes.emit('changed');
    },
    async rewrite(...args) {
      await store.rewrite(...args);
      if (isAppended) changes.emit('changed');
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
    advanced: { compare: 'manual' },
  });

  const appending = second.addItems([user('two')]);
  await appended;
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

it('an item that could not be written in time is written in its place later', async () => {
  const { client, simulator } = simulated();
  const store = memoryLedger();
  let isCut = false;
  const fetch: typeof globalThis.fetch = (url, init) =>
    isCut && init?.method === 'POST' ? Promise.reject(new Error('cut off')) : simulator.fetch(url, init);
  const shared = { ledger: store, keepContent: false } as const;
  const first = new HybridSession({ ...shared, client: simulatedClient({ ...simulator, fetch }) });
  const conversationId = await first.getSessionId();
  isCut = true;
  await first.addItems([user('one')]);

  // Long after its lease has run out.
  passTime(60_000);
  const second = new HybridSession({
    client,
    conversationId,
    ledger: elsewhere(store),
    keepContent: false,
    advanced: { compare: 'manual' },
  });
  await second.addItems([user('two'), user('three')]);
  expect(listedTexts(simulator, conversationId)).toEqual(['two', 'three']);

  isCut = false;
  await first.flush();
  expect(listedTexts(simulator, conversationId)).toEqual(['one', 'two', 'three']);
  expect(await first.verify()).toMatchObject({ verified: true, findings: [], pending: 0, listed: 3 });
});
