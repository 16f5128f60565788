import { describe, expect, test } from 'vitest';
import {
  contentCache,
  HybridRunner,
  HybridSession,
  memoryLedger,
  type LedgerStore,
} from '../../src/index.ts';
import { converse } from '../flows/support/story.ts';
import { texts, user } from '../support/conversation.ts';
import { simulated } from '../support/simulated.ts';

/** A store that counts how often a whole session is read. */
function counting(): { readonly store: LedgerStore; readonly wholes: () => number } {
  const inner = memoryLedger();
  let wholes = 0;
  const store: LedgerStore = {
    ...inner,
    async read(id, from, to) {
      if ((from ?? 0) === 0) wholes += 1;
      return inner.read(id, from, to);
    },
  };
  return { store, wholes: () => wholes };
}

describe('sessions that share a budget', () => {
  test('sessions that share a budget release the least recently used history, and read it again without loss', async () => {
    const { client } = simulated();
    const { store, wholes } = counting();
    const cache = contentCache(60_000);
    const sessions = Array.from(
      { length: 12 },
      () => new HybridSession({ client, ledger: store, advanced: { cache } }),
    );
    const runner = new HybridRunner({ tracingDisabled: true });
    for (let turn = 0; turn < 5; turn += 1)
      for (const session of sessions) await converse(runner, session, [`turn ${turn}`]);
    // More than the twelve times that were the first.
    expect(wholes()).toBeGreaterThan(12);
    for (const session of sessions) {
      expect(texts(await session.getItems()).filter((text) => text.startsWith('turn'))).toEqual(
        Array.from({ length: 5 }, (_, turn) => `turn ${turn}`),
      );
      expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [], length: 10 });
    }
  });

  test('sessions that share a budget keep a frequently used history', async () => {
    const { client } = simulated();
    const { store, wholes } = counting();
    const session = new HybridSession({
      client,
      ledger: store,
      advanced: { cache: { maxBytes: 1_000_000 } },
    });
    for (let turn = 0; turn < 10; turn += 1) {
      await session.addItems([user(`turn ${turn}`)]);
      await session.getItems();
    }
    expect(wholes()).toBe(1);
  });

  test('sessions continue while their histories exceed the shared budget', async () => {
    const { client } = simulated();
    const session = new HybridSession({ client, mirror: 'background', advanced: { cache: { maxBytes: 1 } } });
    const all = Array.from({ length: 30 }, (_, at) => `item ${at}`);
    await Promise.all([
      ...all.map((text) => session.addItems([user(text)])),
      ...all.map(() => session.getItems()),
    ]);
    await session.flush();
    expect(texts(await session.getItems())).toEqual(all);
    expect(await session.verify()).toMatchObject({ verified: true, pending: 0, findings: [] });
  });
});
