import { expect, it } from 'vitest';
import { HybridSession, memoryLedger, type LedgerStore } from '../../src/index.ts';
import { recorder } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

/** A ledger that counts what is written to it. */
function counted(): { readonly ledger: LedgerStore; readonly writes: () => number } {
  const store = memoryLedger();
  let writes = 0;
  const ledger: LedgerStore = {
    ...store,
    async append(...args) {
      writes += 1;
      return store.append(...args);
    },
  };
  return { ledger, writes: () => writes };
}

it('verify() reports an item of another writer without adopting it', async () => {
  const { client, simulator } = simulated();
  const { ledger, writes } = counted();
  const told = recorder();
  const session = new HybridSession({
    client,
    ledger,
    advanced: { compare: 'on-read' },
    onEvent: told.onEvent,
  });
  await session.addItems([user('one')]);
  const conversationId = await session.getSessionId();
  await client.conversations.items.create(conversationId, { items: [{ role: 'user', content: 'two' }] });
  const before = writes();
  const requests = simulator.log.length;

  const report = await session.verify();

  expect(report.findings).toMatchObject([{ type: 'foreign', index: 1 }]);
  expect(report).toMatchObject({ length: 2, listed: 2, pending: 0 });
  expect(writes()).toBe(before);
  expect(told.of('adopted')).toEqual([]);
  expect(simulator.log.slice(requests).map(({ operation }) => operation)).toEqual([
    'conversations.items.list',
  ]);
  expect(texts(await session.getItems())).toEqual(['one', 'two']);
  expect(told.of('adopted')).toMatchObject([{ count: 1 }]);
});

it('verify() reports a list that the ledger does not know as unproven without adopting it', async () => {
  const { client } = simulated();
  const { ledger, writes } = counted();
  const { id } = await client.conversations.create({ items: [{ role: 'user', content: 'one' }] });
  const session = new HybridSession({ client, ledger, conversationId: id });
  expect(await session.verify()).toMatchObject({ verified: false, unproven: 1, length: 1, listed: 1 });
  expect(writes()).toBe(0);
  expect(await ledger.checkpoint(id)).toBeUndefined();
});

it('verify() reports a write without an answer without recording it', async () => {
  const { client, simulator } = simulated();
  const { ledger, writes } = counted();
  const session = new HybridSession({ client, ledger, mirror: 'background' });
  simulator.fault('conversations.items.create', { name: 'server_error', moment: 'after', times: 1 });
  await session.addItems([user('one')]);
  await session.flush().catch(() => undefined);
  const before = writes();
  expect(await session.verify()).toMatchObject({ verified: true, length: 1, listed: 1, missing: [] });
  expect(writes()).toBe(before);
});
