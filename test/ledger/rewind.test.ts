import { describe, expect, test } from 'vitest';
import { ledgerItem } from '../../src/ledger/record.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { texts, user } from '../support/conversation.ts';
import { restorableStore } from '../support/restorable-store.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const say = (text: string): LedgerStep[] => [{ type: 'items', items: [ledgerItem(user(text), true)] }];

const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

function watched(store: LedgerStore): { ledger: Ledger; rewinds: number[] } {
  const rewinds: number[] = [];
  const onRewound = (version: number): void => void rewinds.push(version);
  return { ledger: new Ledger({ store, sessionId: 'conv_1', onRewound }), rewinds };
}

const stored = async (store: LedgerStore): Promise<string[]> =>
  historyOf(await new Ledger({ store, sessionId: 'conv_1' }).read());

describe('a replica that lags', () => {
  test.each([1, 4])('a replica that lags for %i reads costs only time', async (reads) => {
    const { store, backup, lag } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await ledger.append(() => say('b'));
    lag(old, reads);
    expect(historyOf(await ledger.read({ fresh: true }))).toEqual(['a', 'b']);
    lag(old, reads);
    const second = watched(store);
    expect(historyOf(await second.ledger.append(() => say('c'), { scope: 'tail' }))).toContain('c');
    expect(await stored(store)).toEqual(['a', 'b', 'c']);
    expect([rewinds, second.rewinds]).toEqual([[], []]);
  });
});

describe('a store that lost records', () => {
  test('a store that lost records gets those of this ledger again, and is whole', async () => {
    const { store, backup, restore } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await ledger.append(() => [...say('b'), { type: 'response', id: 'resp_1', store: true }], {
      scope: 'tail',
    });
    await ledger.append(() => [{ type: 'lease', writer: 'w', until: 1 }], { scope: 'tail' });
    await ledger.append(() => say('c'), { scope: 'tail' });
    await restore(old);
    const began = Date.now();
    const state = await ledger.read({ fresh: true });
    expect(Date.now() - began).toBe(5000);
    expect(historyOf(state)).toEqual(['a', 'b', 'c']);
    expect(state).toMatchObject({ rewound: false, responses: [{ id: 'resp_1' }] });
    expect(rewinds).toEqual([1]);
    expect(await stored(store)).toEqual(['a', 'b', 'c']);
    await ledger.append(() => say('d'));
    expect(await stored(store)).toEqual(['a', 'b', 'c', 'd']);
    expect(rewinds).toEqual([1]);
  });

  test('a store that lost records gets them before a new append, and each once', async () => {
    const { store, backup, restore } = restorableStore();
    const { ledger } = watched(store);
    await ledger.append(() => say('a'), { scope: 'tail' });
    const old = await backup('conv_1');
    await ledger.append(() => say('b'), { scope: 'tail' });
    await restore(old);
    await ledger.append(() => say('c'), { scope: 'tail' });
    await ledger.read({ scope: 'tail', fresh: true });
    expect(await stored(store)).toEqual(['a', 'b', 'c']);
  });

  test('a store that lost the same records twice gets them once', async () => {
    const { store, backup, restore } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await ledger.append(() => say('b'));
    await ledger.append(() => say('c'));
    for (let losses = 0; losses < 2; losses += 1) {
      await restore(old);
      expect(historyOf(await ledger.read({ fresh: true }))).toEqual(['a', 'b', 'c']);
      expect(await ledger.read()).toMatchObject({ rewound: false });
    }
    expect(await stored(store)).toEqual(['a', 'b', 'c']);
    expect(rewinds).toEqual([1, 1]);
  });

  test('a store that reads a part of what it has refuses a read in an error, and not for ever', async () => {
    const { store } = restorableStore();
    await new Ledger({ store, sessionId: 'conv_1' }).append(() => say('a'));
    await new Ledger({ store, sessionId: 'conv_1' }).append(() => say('b'));
    await new Ledger({ store, sessionId: 'conv_1' }).append(() => say('c'));
    // As a query that answers one page.
    const paged: LedgerStore = {
      ...store,
      async read(...range) {
        const page = await store.read(...range);
        return { ...page, records: page.records.slice(0, 2) };
      },
    };
    const { ledger } = watched(paged);
    const failed = ledger.append(() => say('d'), { scope: 'tail' });
    await expect(failed).rejects.toMatchObject({ code: 'ledger_unavailable', reason: 'behind' });
    await expect(ledger.read({ fresh: true })).rejects.toMatchObject({ reason: 'behind' });
    expect(await stored(store)).toEqual(['a', 'b', 'c']);
  });

  test('a store that lost records says so where records of others are missing, in every process from then on', async () => {
    const { store, backup, restore } = restorableStore();
    const [mine, yours] = [watched(store), watched(store)];
    await mine.ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await mine.ledger.append(() => say('b'));
    await yours.ledger.release();
    await new Ledger({ store, sessionId: 'conv_1' }).append(() => say('other'));
    await mine.ledger.read({ fresh: true });
    await mine.ledger.append(() => say('c'));
    await restore(old);
    expect(await mine.ledger.read({ fresh: true })).toMatchObject({ rewound: true });
    expect(await stored(store)).toEqual(['a', 'b', 'c']);
    expect(await yours.ledger.read({ fresh: true })).toMatchObject({ rewound: true });
    expect([mine.rewinds, yours.rewinds]).toEqual([[1], []]);
  });

  test('a store that lost records gets what is at hand behind what others appended meanwhile', async () => {
    const { store, backup, restore } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await ledger.append(() => say('b'));
    await restore(old);
    const elsewhere = new Ledger({ store, sessionId: 'conv_1' });
    await elsewhere.append(() => say('other'));
    expect(historyOf(await ledger.read({ fresh: true }))).toEqual(['a', 'other', 'b']);
    expect(await ledger.read()).toMatchObject({ rewound: true });
    expect(rewinds).toEqual([2]);
  });

  test('a store that lost records is not trusted to hold those of another ledger object of the process', async () => {
    const { store, backup, restore } = restorableStore();
    const [first, second] = [watched(store), watched(store)];
    await first.ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await first.ledger.append(() => say('b'));
    await second.ledger.append(() => say('c'));
    await restore(old);
    await second.ledger.read({ fresh: true });
    await first.ledger.read({ fresh: true });
    expect((await stored(store)).toSorted()).toEqual(['a', 'b', 'c']);
    expect([first.rewinds, second.rewinds]).toEqual([[], [1]]);
  });

  test('a store that lost a removal is rewritten again', async () => {
    const { store, backup, restore } = restorableStore();
    const { ledger } = watched(store);
    await ledger.append(() => [...say('a'), ...say('b')]);
    const old = await backup('conv_1');
    await ledger.append(() => [{ type: 'clear' }]);
    await ledger.append(() => say('c'));
    await restore(old);
    await ledger.read({ fresh: true });
    expect(await stored(store)).toEqual(['c']);
  });

  test('a store that lost records fails an append that could not be made again, and is tried again by the next one', async () => {
    const { store, backup, restore } = restorableStore();
    let isDown = false;
    const failing: LedgerStore = {
      ...store,
      append: async (...args) => (isDown ? Promise.reject(new Error('down')) : store.append(...args)),
    };
    const { ledger } = watched(failing);
    await ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await ledger.append(() => say('b'));
    await restore(old);
    isDown = true;
    await expect(ledger.read({ fresh: true })).rejects.toThrow('down');
    isDown = false;
    expect(historyOf(await ledger.read({ fresh: true }))).toEqual(['a', 'b']);
  });
});

describe('a ledger that is gone', () => {
  test('a missing ledger is not written again, and the next append marks it as rewound', async () => {
    const { store, lose } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'));
    await lose('conv_1');
    expect(await ledger.read({ fresh: true })).toMatchObject({ entries: [], rewound: true, version: 0 });
    expect(await store.checkpoint('conv_1')).toBeUndefined();
    const state = await ledger.append(() => say('b'));
    expect(historyOf(state)).toEqual(['b']);
    expect(await new Ledger({ store, sessionId: 'conv_1' }).read()).toMatchObject({ rewound: true });
    expect(rewinds).toEqual([0]);
  });

  test('between a read and an append is not taken for a new one', async () => {
    const { store, lose } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'), { scope: 'tail' });
    await ledger.read({ scope: 'tail', fresh: true });
    await lose('conv_1');
    expect(await ledger.append(() => say('b'), { scope: 'tail' })).toMatchObject({ rewound: true });
    expect(rewinds).toEqual([0]);
  });

  test('a ledger that this process deleted is a new one', async () => {
    const { store } = restorableStore();
    const [first, second] = [watched(store), watched(store)];
    const { version } = await first.ledger.append(() => say('a'));
    await second.ledger.read();
    await first.ledger.delete(version);
    expect(await second.ledger.append(() => say('b'))).toMatchObject({ rewound: false });
    expect([first.rewinds, second.rewinds]).toEqual([[], []]);
  });
});

test('a ledger that cannot say so compares nothing', async () => {
  const { store, lose } = restorableStore();
  const ledger = new Ledger({ store, sessionId: 'conv_1' });
  await ledger.append(() => say('a'));
  await lose('conv_1');
  const began = Date.now();
  expect(await ledger.read({ fresh: true })).toMatchObject({ entries: [], rewound: false });
  expect(Date.now()).toBe(began);
});

describe('a store that contradicts itself', () => {
  test('a store with a checkpoint of another append is damaged, and no record is appended to it', async () => {
    const { store } = restorableStore();
    const named: LedgerStore = {
      ...store,
      checkpoint: async (id) => {
        const checkpoint = await store.checkpoint(id);
        return (
          checkpoint?.resumePoint && {
            ...checkpoint,
            resumePoint: { ...checkpoint.resumePoint, commit: 'another' },
          }
        );
      },
    };
    const { ledger, rewinds } = watched(named);
    await ledger.append(() => say('a'));
    await ledger.release();
    await expect(ledger.read({ scope: 'tail', fresh: true })).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'damaged',
      position: 0,
    });
    expect(rewinds).toEqual([]);
    expect(await stored(store)).toEqual(['a']);
  });

  test('a store that loses the same records again and again is given up', async () => {
    const { store, backup, restore } = restorableStore();
    const { ledger, rewinds } = watched(store);
    await ledger.append(() => say('a'));
    const old = await backup('conv_1');
    await ledger.append(() => say('b'));
    const forgetful: LedgerStore = {
      ...store,
      append: async (...append) => {
        await store.append(...append);
        await restore(old);
      },
    };
    const other = watched(forgetful);
    await other.ledger.append(() => say('c'));
    await expect(other.ledger.read({ fresh: true })).rejects.toMatchObject({
      code: 'ledger_unavailable',
      reason: 'behind',
    });
    expect(other.rewinds.length).toBeGreaterThan(1);
    expect(rewinds).toEqual([]);
  });
});
