import { describe, expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger-conflict-error.ts';
import { ledgerItem } from '../../src/ledger/agent-item.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerHead, LedgerItem, LedgerStep } from '../../src/ledger/ledger-record.ts';
import { headOf, type LedgerState } from '../../src/ledger/ledger-state.ts';
import type { LedgerPage, LedgerStore } from '../../src/ledger/ledger-store.ts';
import type { RestoredBase } from '../../src/ledger/restored-base.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { texts, user } from '../support/conversation.ts';

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

/** Keeps the head alone, and whatever a conversation would hold. */
function headOnly(): { store: LedgerStore; conversation: LedgerItem[] } {
  const heads = new Map<string, LedgerHead>();
  const conversation: LedgerItem[] = [];
  const store: LedgerStore = {
    head: async (sessionId) => heads.get(sessionId),
    read: async (sessionId) => {
      const base = heads.get(sessionId);
      return base === undefined ? { records: [] } : { base, records: [] };
    },
    append: async (sessionId, records, head, expected) => {
      const actual = heads.get(sessionId)?.version ?? 0;
      if (actual !== expected) throw new LedgerConflictError(sessionId, expected, actual);
      heads.set(sessionId, head);
      for (const record of records) if (record.type === 'items') conversation.push(...record.items);
    },
    delete: async (sessionId) => void heads.delete(sessionId),
  };
  return { store, conversation };
}

/** A ledger that reads what lies before from the conversation. */
function reading({ store, conversation }: ReturnType<typeof headOnly>): {
  ledger: Ledger;
  asked: LedgerHead[];
} {
  const asked: LedgerHead[] = [];
  const readBase = async (base: LedgerHead): Promise<RestoredBase> => {
    asked.push(base);
    return {
      items: conversation.map((item, at) => ({ item, mirrorId: `msg_${at}` })),
      proven: true,
      leaving: [],
    };
  };
  return { ledger: new Ledger({ store, sessionId: 'conv_1', now: () => 1000, readBase }), asked };
}

describe('an append', () => {
  test('is in the store when it resolves, with the head that belongs to it', async () => {
    const store = memoryLedger();
    const state = await ledgerOn(store).commit(() => [...say('hi'), ...say('there')]);
    expect(historyOf(state)).toEqual(['hi', 'there']);
    expect((await store.read('conv_1')).records).toMatchObject([
      { type: 'items', v: 1, time: 1000 },
      { type: 'items', v: 1, time: 1000 },
    ]);
    expect(await store.head('conv_1')).toMatchObject(headOf(state));
  });

  test('of nothing asks the store for nothing', async () => {
    const store = storeWith(memoryLedger(), {
      append: async () => Promise.reject(new Error('asked')),
    });
    expect((await ledgerOn(store).commit(() => [])).version).toBe(0);
  });

  test('takes effect in the order in which it was asked for', async () => {
    const ledger = ledgerOn(memoryLedger());
    await Promise.all(['a', 'b', 'c'].map((text) => ledger.commit(() => say(text))));
    expect(historyOf(await ledger.state())).toEqual(['a', 'b', 'c']);
  });

  test('that is refused by its own decision leaves the next one alone', async () => {
    const ledger = ledgerOn(memoryLedger());
    const refused = ledger.commit(() => {
      throw new RangeError('no');
    });
    await expect(refused).rejects.toThrow(RangeError);
    expect(historyOf(await ledger.commit(() => say('a')))).toEqual(['a']);
  });

  test('carries one name, which tells who made it', async () => {
    const store = memoryLedger();
    const [mine, yours] = [ledgerOn(store), ledgerOn(store)];
    await mine.commit(() => [...say('a'), ...say('b')]);
    const names = new Set((await store.read('conv_1')).records.map(({ commit }) => commit));
    expect(names.size).toBe(1);
    const [name = ''] = names;
    expect([mine.originOf(name), yours.originOf(name), ledgerOn(memoryLedger()).originOf(name)]).toEqual([
      'own',
      'here',
      'elsewhere',
    ]);
  });
});

describe('two writers', () => {
  test('both stay, in the order of their commits, and the second decides again', async () => {
    const store = memoryLedger();
    const conflicts: number[] = [];
    const first = ledgerOn(store);
    const second = ledgerOn(store, (version) => conflicts.push(version));
    await second.state();
    await first.commit(() => say('first'));
    const seen: string[][] = [];
    const state = await second.commit((newest) => {
      seen.push(historyOf(newest));
      return say('second');
    });
    expect(seen).toEqual([[], ['first']]);
    expect(historyOf(state)).toEqual(['first', 'second']);
    expect(historyOf(await first.refresh())).toEqual(['first', 'second']);
    expect(conflicts).toEqual([1]);
  });

  test('can change their minds when the other came first', async () => {
    const store = memoryLedger();
    const [first, second] = [ledgerOn(store), ledgerOn(store)];
    await second.state();
    await first.commit(() => say('once'));
    const state = await second.commit((newest) => (newest.entries.length === 0 ? say('once') : []));
    expect(historyOf(state)).toEqual(['once']);
  });

  test('of hundreds of turns each lose none', async () => {
    const store = memoryLedger();
    const ledgers = [ledgerOn(store), ledgerOn(store)];
    const turns = Array.from({ length: 200 }, (_, turn) =>
      ledgers.map((ledger, writer) => ledger.commit(() => say(`${writer}-${turn}`))),
    );
    await Promise.all(turns.flat());
    const [one, other] = await Promise.all(ledgers.map((ledger) => ledger.refresh()));
    const history = one === undefined ? [] : historyOf(one);
    expect(history).toHaveLength(400);
    expect(new Set(history).size).toBe(400);
    expect(other === undefined ? [] : historyOf(other)).toEqual(history);
    // Each writer's own turns are in its own order.
    for (const writer of ['0', '1']) {
      const own = history.filter((text) => text.startsWith(`${writer}-`));
      expect(own).toEqual(Array.from({ length: 200 }, (_, turn) => `${writer}-${turn}`));
    }
    expect(await store.head('conv_1')).toMatchObject(headOf(await ledgerOn(store).state()));
  });
});

describe('a store that fails', () => {
  test('after the append was applied costs nothing: the append is found', async () => {
    const memory = memoryLedger();
    const store = storeWith(memory, {
      append: async (...args) => {
        await memory.append(...args);
        throw new DriverError('connection reset');
      },
    });
    const ledger = ledgerOn(store);
    await ledger.commit(() => say('a'));
    await ledger.commit(() => say('b'));
    expect(historyOf(await ledger.state())).toEqual(['a', 'b']);
    expect(historyOf(await ledgerOn(memory).state())).toEqual(['a', 'b']);
  });

  test('after a driver that tries again on its own, and then reports a conflict, has not appended twice', async () => {
    const memory = memoryLedger();
    const store = storeWith(memory, {
      append: async (sessionId, records, head, expected) => {
        await memory.append(sessionId, records, head, expected);
        await memory.append(sessionId, records, head, expected);
      },
    });
    expect(historyOf(await ledgerOn(store).commit(() => say('a')))).toEqual(['a']);
    expect((await memory.read('conv_1')).records).toHaveLength(1);
  });

  test('before the append was applied passes its error on, and the next append works', async () => {
    const memory = memoryLedger();
    let down = true;
    const store = storeWith(memory, {
      append: async (...args) => (down ? Promise.reject(new DriverError('refused')) : memory.append(...args)),
    });
    const ledger = ledgerOn(store);
    await expect(ledger.commit(() => say('a'))).rejects.toThrow(DriverError);
    expect((await ledger.state()).entries).toEqual([]);
    down = false;
    expect(historyOf(await ledger.commit(() => say('b')))).toEqual(['b']);
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
    await ledger.commit(() => say('a'));
    down = true;
    await expect(ledger.commit(() => say('b'))).rejects.toThrow('append got no answer');
    down = false;
    // It was applied after all, and nobody appended it again.
    expect(historyOf(await ledger.state())).toEqual(['a', 'b']);
  });

  test('with a conflict where nothing came in between gives up instead of trying for ever', async () => {
    let tries = 0;
    const store = storeWith(memoryLedger(), {
      append: async (sessionId, _records, _head, expected) => {
        tries += 1;
        return Promise.reject(new LedgerConflictError(sessionId, expected));
      },
    });
    await expect(ledgerOn(store).commit(() => say('a'))).rejects.toThrow(LedgerConflictError);
    expect(tries).toBe(1);
  });

  test('with a damaged record is not read over', async () => {
    const damaged: LedgerPage = JSON.parse('{"records":[{"v":1,"commit":"c","time":0,"type":"gone"}]}');
    const store = storeWith(memoryLedger(), { read: async () => damaged });
    await expect(ledgerOn(store).state()).rejects.toMatchObject({
      code: 'ledger_record',
      sessionId: 'conv_1',
      position: 0,
      reason: 'damaged',
    });
  });
});

describe('a ledger that was deleted elsewhere', () => {
  test('is no longer served', async () => {
    const store = memoryLedger();
    const ledger = ledgerOn(store);
    await ledger.commit(() => say('a'));
    await store.delete('conv_1');
    expect((await ledger.refresh()).entries).toEqual([]);
  });

  test('begins anew with the next append', async () => {
    const store = memoryLedger();
    const ledger = ledgerOn(store);
    await ledger.commit(() => say('a'));
    await store.delete('conv_1');
    expect(historyOf(await ledger.commit(() => say('b')))).toEqual(['b']);
  });

  test('is not mixed with one that another writer began in its place', async () => {
    const store = memoryLedger();
    const [mine, yours] = [ledgerOn(store), ledgerOn(store)];
    await mine.commit(() => [...say('old'), ...say('older')]);
    await store.delete('conv_1');
    await yours.commit(() => [...say('new'), ...say('newer'), ...say('newest')]);
    expect(historyOf(await mine.commit(() => say('mine')))).toEqual(['new', 'newer', 'newest', 'mine']);
  });
});

describe('a store that keeps no beginning', () => {
  test('is read back where the head begins, once', async () => {
    const kept = headOnly();
    const first = reading(kept);
    const written = await first.ledger.commit(() => [...say('a'), ...say('b')]);
    const second = reading(kept);
    const state = await second.ledger.refresh();
    await second.ledger.refresh();
    expect(second.asked).toEqual([await kept.store.head('conv_1')]);
    expect(headOf(state)).toEqual(headOf(written));
    expect(first.asked).toEqual([]);
  });

  test('goes on where it ended, with the digest of the whole', async () => {
    const kept = headOnly();
    await reading(kept).ledger.commit(() => say('a'));
    await reading(kept).ledger.commit(() => say('b'));
    const whole = await ledgerOn(memoryLedger()).commit(() => [...say('a'), ...say('b')]);
    expect(await kept.store.head('conv_1')).toMatchObject(headOf(whole));
  });

  test('is read back again when another writer came first, and both turns stay', async () => {
    const kept = headOnly();
    const [mine, yours] = [reading(kept), reading(kept)];
    await Promise.all([mine.ledger.state(), yours.ledger.state()]);
    await yours.ledger.commit(() => say('yours'));
    const state = await mine.ledger.commit(() => say('mine'));
    expect(mine.asked).toHaveLength(1);
    expect(headOf(state)).toMatchObject({ version: 2, length: 2 });
    const whole = await ledgerOn(memoryLedger()).commit(() => [...say('yours'), ...say('mine')]);
    expect(headOf(state).digest).toBe(headOf(whole).digest);
  });

  test('can be known by its head alone', async () => {
    const kept = headOnly();
    await reading(kept).ledger.commit(() => [...say('a'), ...say('b')]);
    const ledger = ledgerOn(kept.store);
    expect(await ledger.state()).toMatchObject({ entries: [], nextSeq: 2, version: 2 });
    await ledger.commit(() => say('c'));
    expect(await kept.store.head('conv_1')).toMatchObject({ version: 3, length: 3 });
  });

  test('is not read back for an append to the end', async () => {
    const kept = headOnly();
    await reading(kept).ledger.commit(() => say('a'));
    const asked: LedgerHead[] = [];
    const readBase = async (base: LedgerHead): Promise<RestoredBase> => {
      asked.push(base);
      return { items: [], leaving: [], proven: true };
    };
    const options = { sessionId: 'conv_1', now: () => 1000, readBase, isMirrored: false };
    await new Ledger({ ...options, store: kept.store }).commitTip(() => say('b'));
    expect(asked).toEqual([]);
  });

  test('is read back again when another one of the same age took its place', async () => {
    const kept = headOnly();
    const { ledger, asked } = reading(kept);
    await ledger.commit(() => say('a'));
    await kept.store.delete('conv_1');
    kept.conversation.length = 0;
    await reading(kept).ledger.commit(() => say('b'));
    expect(await kept.store.head('conv_1')).toMatchObject(headOf(await ledger.refresh()));
    expect(asked).toHaveLength(1);
  });

  test('may keep the newest records: these are read, and no more', async () => {
    const memory = memoryLedger();
    const writer = ledgerOn(memory);
    await writer.commit(() => say('a'));
    const base = await memory.head('conv_1');
    await writer.commit(() => say('b'));
    if (base === undefined) throw new Error('no head');
    const reads: number[] = [];
    const store = storeWith(memory, {
      read: async (sessionId, from = 0) => {
        reads.push(from);
        return { base, records: (await memory.read(sessionId, Math.max(1, from))).records };
      },
    });
    const ledger = ledgerOn(store);
    expect(historyOf(await ledger.state())).toEqual(['b']);
    await writer.commit(() => say('c'));
    expect(historyOf(await ledger.refresh())).toEqual(['b', 'c']);
    expect(reads).toEqual([0, 1]);
  });

  test('with a head that is damaged is not believed', async () => {
    const damaged: LedgerPage = JSON.parse('{"base":{"format":1,"version":-1},"records":[]}');
    const store = storeWith(memoryLedger(), { read: async () => damaged });
    await expect(ledgerOn(store).state()).rejects.toMatchObject({
      code: 'ledger_record',
      position: undefined,
    });
  });
});

test('deleting forgets what the ledger itself knew', async () => {
  const store = memoryLedger();
  const ledger = ledgerOn(store);
  const { version } = await ledger.commit(() => say('a'));
  expect(await ledger.delete(version)).toBe(true);
  expect((await ledger.state()).entries).toEqual([]);
  expect(await store.head('conv_1')).toBeUndefined();
});

test('writes no record that it could not read again', async () => {
  const store = memoryLedger();
  const ledger = ledgerOn(store);
  await ledger.commit(() => say('one'));
  const wrong = [{ type: 'response', id: 42, store: true }] as unknown as LedgerStep[];
  await expect(ledger.commit(() => [...say('two'), ...wrong])).rejects.toMatchObject({
    code: 'ledger_record',
    position: 2,
  });
  await ledger.commit(() => say('three'));
  expect(historyOf(await ledgerOn(store).state())).toEqual(['one', 'three']);
});

test.each([undefined, null, 7, {}, { records: 'none' }, []])(
  'does not take %j for what a store holds',
  async (page) => {
    const store = storeWith(memoryLedger(), { read: async () => page as LedgerPage });
    await expect(ledgerOn(store).state()).rejects.toMatchObject({ code: 'ledger_record', reason: 'damaged' });
  },
);
