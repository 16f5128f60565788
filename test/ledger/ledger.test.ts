import { describe, expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStep } from '../../src/ledger/record.ts';
import { type LedgerState } from '../../src/ledger/state.ts';
import { checkpointOf } from '../../src/ledger/checkpoint.ts';
import type { LedgerPage, LedgerStore } from '../../src/ledger/store.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const say = (text: string): LedgerStep[] => [{ type: 'items', items: [ledgerItem(user(text), true)] }];

function ledgerOn(store: LedgerStore, onConflict?: (version: number) => void): Ledger {
  return new Ledger({
    store,
    sessionId: 'conv_1',
    now: () => 1000,
    ...(onConflict === undefined ? {} : { onConflict }),
  });
}

const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

/** A store with one method changed. */
function storeWith(store: LedgerStore, change: Partial<LedgerStore>): LedgerStore {
  return { ...store, ...change };
}

/** What a driver throws when its server does not answer. */
class DriverError extends Error {}

describe('an append', () => {
  test('an append is in the store when it resolves, with its checkpoint', async () => {
    const store = memoryLedger();
    const state = await ledgerOn(store).append(() => [...say('hi'), ...say('there')]);
    expect(historyOf(state)).toEqual(['hi', 'there']);
    expect((await store.read('conv_1')).records).toMatchObject([
      { type: 'items', v: 3, time: 1000 },
      { type: 'items', v: 3, time: 1000 },
    ]);
    expect(await store.checkpoint('conv_1')).toMatchObject(checkpointOf(state));
  });

  test('an empty append does not ask the store', async () => {
    const store = storeWith(memoryLedger(), {
      append: async () => Promise.reject(new Error('asked')),
    });
    expect((await ledgerOn(store).append(() => [])).version).toBe(0);
  });

  test('an append takes effect in the order in which it was asked for', async () => {
    const ledger = ledgerOn(memoryLedger());
    await Promise.all(['a', 'b', 'c'].map((text) => ledger.append(() => say(text))));
    expect(historyOf(await ledger.read())).toEqual(['a', 'b', 'c']);
  });

  test('an append that its own decision refuses does not affect the next one', async () => {
    const ledger = ledgerOn(memoryLedger());
    const refused = ledger.append(() => {
      throw new RangeError('no');
    });
    await expect(refused).rejects.toThrow(RangeError);
    expect(historyOf(await ledger.append(() => say('a')))).toEqual(['a']);
  });

  test('an append carries one name, which tells who made it', async () => {
    const store = memoryLedger();
    const [mine, yours] = [ledgerOn(store), ledgerOn(store)];
    await mine.append(() => [...say('a'), ...say('b')]);
    const names = new Set((await store.read('conv_1')).records.map(({ commit }) => commit));
    expect(names.size).toBe(1);
    const [name = ''] = names;
    expect([mine.writerOf(name), yours.writerOf(name), ledgerOn(memoryLedger()).writerOf(name)]).toEqual([
      'session',
      'process',
      'remote',
    ]);
  });
});

describe('two writers', () => {
  test('both stay, in the order of their commits, and the second decides again', async () => {
    const store = memoryLedger();
    const conflicts: number[] = [];
    const first = ledgerOn(store);
    const second = ledgerOn(store, (version) => conflicts.push(version));
    await second.read();
    await first.append(() => say('first'));
    const seen: string[][] = [];
    const state = await second.append((newest) => {
      seen.push(historyOf(newest));
      return say('second');
    });
    expect(seen).toEqual([[], ['first']]);
    expect(historyOf(state)).toEqual(['first', 'second']);
    expect(historyOf(await first.read({ fresh: true }))).toEqual(['first', 'second']);
    expect(conflicts).toEqual([1]);
  });

  test('two writers can decide anew if the other came first', async () => {
    const store = memoryLedger();
    const [first, second] = [ledgerOn(store), ledgerOn(store)];
    await second.read();
    await first.append(() => say('once'));
    const state = await second.append((newest) => (newest.entries.length === 0 ? say('once') : []));
    expect(historyOf(state)).toEqual(['once']);
  });

  test('two writers of hundreds of turns lose none', async () => {
    const store = memoryLedger();
    const ledgers = [ledgerOn(store), ledgerOn(store)];
    const turns = Array.from({ length: 200 }, (_, turn) =>
      ledgers.map((ledger, writer) => ledger.append(() => say(`${writer}-${turn}`))),
    );
    await Promise.all(turns.flat());
    const [one, other] = await Promise.all(ledgers.map((ledger) => ledger.read({ fresh: true })));
    const history = one === undefined ? [] : historyOf(one);
    expect(history).toHaveLength(400);
    expect(new Set(history).size).toBe(400);
    expect(other === undefined ? [] : historyOf(other)).toEqual(history);
    // Each writer's own turns are in its own order.
    for (const writer of ['0', '1']) {
      const own = history.filter((text) => text.startsWith(`${writer}-`));
      expect(own).toEqual(Array.from({ length: 200 }, (_, turn) => `${writer}-${turn}`));
    }
    expect(await store.checkpoint('conv_1')).toMatchObject(checkpointOf(await ledgerOn(store).read()));
  });
});

describe('a store that fails', () => {
  test('an append that was applied without an answer is found', async () => {
    const memory = memoryLedger();
    const store = storeWith(memory, {
      append: async (...args) => {
        await memory.append(...args);
        throw new DriverError('connection reset');
      },
    });
    const ledger = ledgerOn(store);
    await ledger.append(() => say('a'));
    await ledger.append(() => say('b'));
    expect(historyOf(await ledger.read())).toEqual(['a', 'b']);
    expect(historyOf(await ledgerOn(memory).read())).toEqual(['a', 'b']);
  });

  test('an append that a driver repeated on its own is not made twice', async () => {
    const memory = memoryLedger();
    const store = storeWith(memory, {
      append: async (sessionId, records, checkpoint, expected) => {
        await memory.append(sessionId, records, checkpoint, expected);
        await memory.append(sessionId, records, checkpoint, expected);
      },
    });
    expect(historyOf(await ledgerOn(store).append(() => say('a')))).toEqual(['a']);
    expect((await memory.read('conv_1')).records).toHaveLength(1);
  });

  test('an append that failed before it was applied throws its error, and the next one works', async () => {
    const memory = memoryLedger();
    let down = true;
    const store = storeWith(memory, {
      append: async (...args) => (down ? Promise.reject(new DriverError('refused')) : memory.append(...args)),
    });
    const ledger = ledgerOn(store);
    await expect(ledger.append(() => say('a'))).rejects.toThrow(DriverError);
    expect((await ledger.read()).entries).toEqual([]);
    down = false;
    expect(historyOf(await ledger.append(() => say('b')))).toEqual(['b']);
  });

  test('altogether passes the error of the append on, and is read anew when it is back', async () => {
    const memory = memoryLedger();
    let down = false;
    const store = storeWith(memory, {
      append: async (...args) => {
        if (!down) return memory.append(...args);
        await memory.append(...args);
        throw new DriverError('append got no answer');
      },
      read: async (...args) => (down ? Promise.reject(new DriverError('down')) : memory.read(...args)),
    });
    const ledger = ledgerOn(store);
    await ledger.append(() => say('a'));
    down = true;
    await expect(ledger.append(() => say('b'))).rejects.toThrow('append got no answer');
    down = false;
    // It was applied after all, and nobody appended it again.
    expect(historyOf(await ledger.read())).toEqual(['a', 'b']);
  });

  test('an append with a conflict but no other writer gives up', async () => {
    const began = Date.now();
    const store = storeWith(memoryLedger(), {
      append: async (sessionId, _records, _head, expected) => {
        throw new LedgerConflictError(sessionId, expected);
      },
    });
    const behind = { code: 'ledger_unavailable', reason: 'behind' };
    await expect(ledgerOn(store).append(() => say('a'))).rejects.toMatchObject(behind);
    expect(Date.now() - began).toBe(5000);
  });

  test('an append to a ledger with a damaged record does not read over it', async () => {
    const damaged: LedgerPage = JSON.parse('{"records":[{"v":3,"commit":"c","time":0,"type":"gone"}]}');
    const store = storeWith(memoryLedger(), { read: async () => damaged });
    await expect(ledgerOn(store).read()).rejects.toMatchObject({
      code: 'ledger_unreadable',
      sessionId: 'conv_1',
      position: 0,
      reason: 'damaged',
    });
  });
});

describe('a ledger that was deleted elsewhere', () => {
  test('a ledger that was deleted elsewhere is no longer served', async () => {
    const store = memoryLedger();
    const ledger = ledgerOn(store);
    await ledger.append(() => say('a'));
    await store.delete('conv_1');
    expect((await ledger.read({ fresh: true })).entries).toEqual([]);
  });

  test('a ledger that was deleted elsewhere begins anew with the next append', async () => {
    const store = memoryLedger();
    const ledger = ledgerOn(store);
    await ledger.append(() => say('a'));
    await store.delete('conv_1');
    expect(historyOf(await ledger.append(() => say('b')))).toEqual(['b']);
  });

  test('a ledger that was deleted elsewhere is not mixed with its replacement', async () => {
    const store = memoryLedger();
    const [mine, yours] = [ledgerOn(store), ledgerOn(store)];
    await mine.append(() => [...say('old'), ...say('older')]);
    await store.delete('conv_1');
    await yours.append(() => [...say('new'), ...say('newer'), ...say('newest')]);
    expect(historyOf(await mine.append(() => say('mine')))).toEqual(['new', 'newer', 'newest', 'mine']);
  });
});

test('deleting forgets what the ledger itself knew', async () => {
  const store = memoryLedger();
  const ledger = ledgerOn(store);
  const { version } = await ledger.append(() => say('a'));
  expect(await ledger.delete(version)).toBe(true);
  expect((await ledger.read()).entries).toEqual([]);
  expect(await store.checkpoint('conv_1')).toBeUndefined();
});

test('writes no record that it could not read again', async () => {
  const store = memoryLedger();
  const ledger = ledgerOn(store);
  await ledger.append(() => say('one'));
  const wrong = [{ type: 'response', id: 42, store: true }] as unknown as LedgerStep[];
  await expect(ledger.append(() => [...say('two'), ...wrong])).rejects.toMatchObject({
    code: 'ledger_unreadable',
    position: 2,
  });
  await ledger.append(() => say('three'));
  expect(historyOf(await ledgerOn(store).read())).toEqual(['one', 'three']);
});

test.each([undefined, null, 7, {}, { records: 'none' }, []])(
  "a store's answer %j is refused",
  async (page) => {
    const store = storeWith(memoryLedger(), { read: async () => page as LedgerPage });
    await expect(ledgerOn(store).read()).rejects.toMatchObject({
      code: 'ledger_unreadable',
      reason: 'damaged',
    });
  },
);
