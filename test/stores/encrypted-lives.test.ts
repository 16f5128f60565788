import { describe, expect, it } from 'vitest';
import {
  HybridSession,
  encryptedLedger,
  memoryLedger,
  type Checkpoint,
  type LedgerStore,
} from '../../src/index.ts';
import type { LedgerPage } from '../../src/ledger/store.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { texts, user } from '../support/conversation.ts';
import { checkpoint, record } from './support/records.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const keys = [{ id: 'key', secret: new Uint8Array(32).fill(7) }];
const ID = 'session-1';

/** What an inner store held at one moment. */
interface Kept {
  readonly page: LedgerPage;
  readonly checkpoint: Checkpoint | undefined;
}

/** An encrypted ledger on a store that can be made to give other things than it holds. */
function tampering(): {
  readonly store: LedgerStore;
  readonly kept: () => Promise<Kept>;
  readonly give: (what: {
    readonly page?: LedgerPage;
    readonly checkpoint?: Checkpoint | 'none' | undefined;
  }) => void;
} {
  const inner = memoryLedger();
  let given: Parameters<ReturnType<typeof tampering>['give']>[0] = {};
  const tampered: LedgerStore = {
    ...inner,
    checkpoint: async (sessionId) => {
      if (given.checkpoint === 'none') return undefined;
      return given.checkpoint ?? inner.checkpoint(sessionId);
    },
    read: async (sessionId, from = 0, to?: number) => {
      if (given.page === undefined) return inner.read(sessionId, from, to);
      const { start = 0, records } = given.page;
      const part = records.slice(Math.max(0, from - start), to === undefined ? to : Math.max(0, to - start));
      return start > from ? { start, records: part } : { records: part };
    },
  };
  return {
    store: encryptedLedger(tampered, { keys }),
    kept: async () => ({ page: await inner.read(ID), checkpoint: await inner.checkpoint(ID) }),
    give: (what) => {
      given = what;
    },
  };
}

const lives = (page: LedgerPage): unknown[] => page.records.map((one) => Reflect.get(one, 'life'));

const sessionOn = (ledger: LedgerStore): HybridSession =>
  new HybridSession({ mirror: 'off', sessionId: ID, ledger });

const rolledBack = { code: 'ledger_unreadable', reason: 'rolled_back', sessionId: ID };

describe('An encrypted ledger', () => {
  it('an encrypted ledger notices a record of an earlier life of the same session in the place of one of this', async () => {
    const { store, kept, give } = tampering();
    await store.append(ID, [record('old one'), record('old two')], checkpoint(2), 0);
    const old = await kept();
    await store.delete(ID);
    await store.append(ID, [record('new one'), record('new two')], checkpoint(2), 0);
    expect(await store.read(ID)).toEqual({ records: [record('new one'), record('new two')] });
    const { page } = await kept();
    for (const at of [0, 1]) {
      const records = page.records.map((one, index) => (index === at ? (old.page.records[at] ?? one) : one));
      give({ page: { records } });
      await expect(store.read(ID)).rejects.toMatchObject(rolledBack);
    }
    for (const life of ['page', 'checkpoint'] as const) {
      give({ [life]: old[life] });
      await expect(store.read(ID)).rejects.toMatchObject(rolledBack);
    }
  });

  it('an encrypted ledger does not open a record that was moved to another life', async () => {
    const { store, kept, give } = tampering();
    await store.append(ID, [record('old')], checkpoint(1), 0);
    const old = await kept();
    await store.delete(ID);
    await store.append(ID, [record('new')], checkpoint(1), 0);
    const { page } = await kept();
    const life: unknown = Reflect.get(page.records[0] ?? {}, 'life');
    expect(life).toEqual(expect.stringMatching(/^[\da-f-]{36}$/));
    give({ page: { records: old.page.records.map((one) => ({ ...one, life })) } });
    await expect(store.read(ID)).rejects.toMatchObject({ reason: 'not_authentic', position: 0 });
  });

  it('an encrypted ledger notices that the checkpoint alone was rolled back, before anything is appended', async () => {
    const { store, kept, give } = tampering();
    await store.append(ID, [record('one')], checkpoint(1), 0);
    const old = await kept();
    await store.append(ID, [record('two')], checkpoint(2), 1);
    give({ checkpoint: old.checkpoint });
    for (const from of [0, 1]) await expect(store.read(ID, from)).rejects.toMatchObject(rolledBack);
    await expect(store.append(ID, [record('three')], checkpoint(3), 2)).rejects.toMatchObject({
      code: 'ledger_conflict',
    });
  });

  it('an encrypted ledger notices that the records alone were rolled back, or are gone', async () => {
    const { store, kept, give } = tampering();
    await store.append(ID, [record('one')], checkpoint(1), 0);
    const old = await kept();
    await store.append(ID, [record('two'), record('three')], checkpoint(3), 1);
    const { page } = await kept();
    for (const records of [old.page.records, page.records.slice(0, 2), []]) {
      give({ page: { records } });
      for (const from of [0, 1, 2]) await expect(store.read(ID, from)).rejects.toMatchObject(rolledBack);
    }
    give({ checkpoint: 'none' });
    await expect(store.read(ID)).rejects.toMatchObject(rolledBack);
  });

  it('an encrypted ledger begins a new life with every rewrite, so that nothing from before comes back', async () => {
    const { store, kept, give } = tampering();
    await store.append(ID, [record('one'), record('two')], checkpoint(2), 0);
    const old = await kept();
    await store.rewrite(ID, [record('one')], checkpoint(4), 2);
    await store.append(ID, [record('three')], checkpoint(5), 4);
    expect(await store.read(ID)).toEqual({ start: 3, records: [record('one'), record('three')] });
    for (const life of ['page', 'checkpoint'] as const) {
      give({ [life]: old[life] });
      await expect(store.read(ID)).rejects.toMatchObject(rolledBack);
    }
    const { page } = await kept();
    expect(new Set(lives(page)).size).toBe(1);
    expect(lives(page)[0]).not.toBe(lives(old.page)[0]);
  });

  it('an encrypted ledger cannot notice that all of it was rolled back to one earlier moment', async () => {
    const { store, kept, give } = tampering();
    await store.append(ID, [record('one')], checkpoint(1), 0);
    const old = await kept();
    await store.append(ID, [record('two')], checkpoint(2), 1);
    give({ page: old.page, checkpoint: old.checkpoint });
    expect(await store.read(ID)).toEqual({ records: [record('one')] });
  });

  it.each(['append', 'rewrite', 'erasure'] as const)(
    'an encrypted ledger takes no %s of another process between its records and its checkpoint for tampering',
    async (change) => {
      const inner = memoryLedger();
      const other = encryptedLedger(inner, { keys });
      await other.append(ID, [record('one')], checkpoint(1), 0);
      let isDue = true;
      const between: LedgerStore = {
        ...elsewhere(inner),
        read: async (...args) => {
          const page = await inner.read(...args);
          if (isDue) {
            isDue = false;
            if (change === 'append') await other.append(ID, [record('two')], checkpoint(2), 1);
            if (change === 'rewrite') await other.rewrite(ID, [record('two')], checkpoint(3), 1);
            if (change === 'erasure') await other.delete(ID);
          }
          return page;
        },
      };
      const page = await encryptedLedger(between, { keys }).read(ID);
      expect(page).toEqual(await other.read(ID));
    },
  );

  it('an encrypted ledger gives each first append a life of its own, of which one wins', async () => {
    const inner = memoryLedger();
    const [one, other] = [encryptedLedger(inner, { keys }), encryptedLedger(inner, { keys })];
    const both = await Promise.allSettled([
      one.append(ID, [record('one')], checkpoint(1), 0),
      other.append(ID, [record('other')], checkpoint(1), 0),
    ]);
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(await other.read(ID)).toEqual({ records: [record('one')] });
    await other.append(ID, [record('two')], checkpoint(2), 1);
    expect(await one.read(ID)).toEqual({ records: [record('one'), record('two')] });
  });
});

describe('A session on an encrypted ledger', () => {
  it('a session on an encrypted ledger goes on with one life when another process has erased it and begun again', async () => {
    const inner = memoryLedger();
    const [first, second] = [encryptedLedger(inner, { keys }), encryptedLedger(inner, { keys })];
    const idle = sessionOn(first);
    await idle.addItems([user('of the old life')]);
    await sessionOn(second).erase();
    await sessionOn(second).addItems([user('of the new life')]);
    await idle.addItems([user('and on')]);
    for (const store of [first, second])
      expect(texts(await sessionOn(store).getItems())).toEqual(['of the new life', 'and on']);
  });

  it('a session on an encrypted ledger fails with the typed error where the checkpoint was rolled back, and stores nothing', async () => {
    const { store, kept, give } = tampering();
    const session = sessionOn(store);
    await session.addItems([user('one')]);
    const old = await kept();
    await session.addItems([user('two')]);
    const before = await kept();
    give({ checkpoint: old.checkpoint });
    await expect(session.addItems([user('three')])).rejects.toMatchObject(rolledBack);
    await expect(sessionOn(store).addItems([user('four')])).rejects.toMatchObject(rolledBack);
    await expect(sessionOn(store).getItems()).rejects.toMatchObject(rolledBack);
    expect(await kept()).toEqual(before);
  });

  it('an encrypted ledger does not serve the items before a clear if the old records are put back', async () => {
    const { store, kept, give } = tampering();
    await sessionOn(store).addItems([user('secret')]);
    const old = await kept();
    await sessionOn(store).clearSession();
    await sessionOn(store).addItems([user('new')]);
    give({ page: old.page });
    await expect(sessionOn(store).getItems()).rejects.toMatchObject(rolledBack);
    give({});
    expect(texts(await sessionOn(store).getItems())).toEqual(['new']);
  });
});
