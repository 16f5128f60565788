import { describe, expect, test } from 'vitest';
import { ledgerItem } from '../../src/ledger/record.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { elsewhere } from '../flows/support/elsewhere.ts';
import { texts, user } from '../support/conversation.ts';

const POP: LedgerStep[] = [{ type: 'pop' }];
const CLEAR: LedgerStep[] = [{ type: 'clear' }];
const say = (...words: string[]): LedgerStep[] => [
  { type: 'items', items: words.map((word) => ledgerItem(user(word), true)) },
];
const historyOf = ({ entries }: LedgerState): string[] => texts(entries.map(({ item }) => item));

/** A ledger as another process has it. */
function ledgerOn(store: LedgerStore, onConflict?: (version: number) => void): Ledger {
  const options = { store: elsewhere(store), sessionId: 'conv_1', now: () => 1000, isMirrored: false };
  return new Ledger({ ...options, ...(onConflict === undefined ? {} : { onConflict }) });
}

async function filled(): Promise<LedgerStore> {
  const store = memoryLedger();
  for (const word of ['one', 'two', 'three']) await ledgerOn(store).append(() => say(word));
  return store;
}

async function bytesOf(store: LedgerStore): Promise<string> {
  return JSON.stringify([await store.read('conv_1'), await store.checkpoint('conv_1')]);
}

/** What a process finds that reads everything. */
async function found(store: LedgerStore): Promise<string[]> {
  return historyOf(await ledgerOn(store).read());
}

/** A store that counts the calls it gets and how many records they carry. */
function counting(store: LedgerStore): { readonly store: LedgerStore; readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    store: {
      checkpoint: (...args) => (calls.push('checkpoint'), store.checkpoint(...args)),
      read: async (...args) => {
        const page = await store.read(...args);
        calls.push(`read ${page.records.length}`);
        return page;
      },
      append: (...args) => (calls.push(`append ${args[1].length}`), store.append(...args)),
      rewrite: (...args) => (calls.push(`rewrite ${args[1].length}`), store.rewrite(...args)),
      delete: (...args) => (calls.push('delete'), store.delete(...args)),
    },
  };
}

/** A store whose next write takes effect or not, and then fails. */
function failing(store: LedgerStore, moment: 'before' | 'after', then?: () => Promise<unknown>): LedgerStore {
  let isDue = true;
  const write =
    (method: 'append' | 'rewrite'): LedgerStore['append'] =>
    async (...args) => {
      const fails = isDue;
      isDue = false;
      if (!fails || moment === 'after') await store[method](...args);
      if (!fails) return;
      await then?.();
      throw new Error('The connection was lost');
    };
  return { ...elsewhere(store), append: write('append'), rewrite: write('rewrite') };
}

const damagedAt = (store: LedgerStore, at: number): LedgerStore => ({
  ...elsewhere(store),
  read: async (...args) => {
    const page = await store.read(...args);
    const first = page.start ?? args[1] ?? 0;
    const records = page.records.map((record, index) =>
      first + index === at ? { ...record, v: 3 as const, type: 'gone' as 'pop' } : record,
    );
    return { ...page, records };
  },
});

describe('what is taken out of a history', () => {
  const REMOVALS: readonly (readonly [string, LedgerStep[], string[]])[] = [
    ['a pop', POP, ['one', 'two']],
    ['a clear', CLEAR, []],
    ['a replacement', [{ type: 'replace', keep: 1, items: [] }], ['one']],
  ];

  test.each(REMOVALS)(
    'an item removed by %s is in no byte of the store any more',
    async (_how, steps, left) => {
      const store = await filled();
      await ledgerOn(store).append(() => steps);
      expect(await found(store)).toEqual(left);
      const bytes = await bytesOf(store);
      for (const word of ['one', 'two', 'three'])
        expect(bytes.includes(`"${word}"`)).toBe(left.includes(word));
    },
  );

  test('a removed item leaves nothing behind in 50 rounds of adding and clearing, and the log does not grow', async () => {
    const store = memoryLedger();
    const lengths: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const ledger = ledgerOn(store);
      await ledger.append(() => say(`secret ${round}`, `more ${round}`));
      await ledger.clear();
      const bytes = await bytesOf(store);
      expect(bytes).not.toMatch(/secret|more/);
      lengths.push(bytes.length);
    }
    // The names of the last appends are kept: from then on nothing is added.
    expect(Math.max(...lengths.slice(20)) - Math.min(...lengths.slice(20))).toBeLessThan(20);
    expect((await store.read('conv_1')).records).toHaveLength(2);
  });

  test('a removed item leaves nothing behind in 50 rounds of adding and popping, and the log does not grow', async () => {
    const store = await filled();
    for (let round = 0; round < 50; round += 1) {
      await ledgerOn(store).append(() => say(`secret ${round}`));
      await ledgerOn(store).append(() => POP);
      expect(await bytesOf(store)).not.toContain('secret');
    }
    expect(await found(store)).toEqual(['one', 'two', 'three']);
    expect((await store.read('conv_1')).records).toHaveLength(3);
  });
});

describe('a version', () => {
  test('never comes back with something else, and appends go on from it', async () => {
    const store = await filled();
    const versions = [(await store.checkpoint('conv_1'))?.version ?? 0];
    for (const steps of [POP, say('a'), POP, CLEAR, say('b'), POP]) {
      await ledgerOn(store).append(() => steps);
      versions.push((await store.checkpoint('conv_1'))?.version ?? 0);
    }
    expect(versions.every((version, index) => index === 0 || version > (versions[index - 1] ?? 0))).toBe(
      true,
    );
  });
});

describe('another process', () => {
  test.each([
    ['reads', (ledger: Ledger) => ledger.read({ fresh: true })],
    ['looks at the end', (ledger: Ledger) => ledger.read({ scope: 'tail', fresh: true })],
    ['decides', (ledger: Ledger) => ledger.append(() => [])],
  ])(
    'a process that knows the history from before a pop does not mix the two when it %s',
    async (what, use) => {
      const store = await filled();
      const [other, popping] = [ledgerOn(store), ledgerOn(store)];
      await other.read();
      await popping.append(() => POP);
      await popping.append(() => say('four'));
      if (what === 'decides') await other.read({ fresh: true });
      await use(other);
      expect(historyOf(await other.read())).toEqual(['one', 'two', 'four']);
      expect(await found(store)).toEqual(['one', 'two', 'four']);
    },
  );

  test('an append after an unseen rewrite is decided again, with the remaining items', async () => {
    const store = await filled();
    const conflicts: number[] = [];
    const other = ledgerOn(store, (version) => conflicts.push(version));
    await other.read();
    await ledgerOn(store).append(() => POP);
    const seen: string[][] = [];
    await other.append((state) => {
      seen.push(historyOf(state));
      return say('mine');
    });
    expect(seen).toEqual([
      ['one', 'two', 'three'],
      ['one', 'two'],
    ]);
    expect(conflicts).toHaveLength(1);
    expect(await found(store)).toEqual(['one', 'two', 'mine']);
  });

  test('an append to the tail after an unseen rewrite is made once', async () => {
    const store = await filled();
    const other = ledgerOn(store);
    await other.read({ scope: 'tail' });
    await ledgerOn(store).append(() => CLEAR);
    await other.append(() => say('after'), { scope: 'tail' });
    expect(await found(store)).toEqual(['after']);
  });

  test("a pop after another process's pop does not pop for that one", async () => {
    const store = await filled();
    const popping = ledgerOn(store);
    await popping.read();
    await ledgerOn(store).append(() => say('four'));
    const seen: string[][] = [];
    await popping.append((state) => {
      seen.push(historyOf(state));
      return state.entries.length === 3 ? POP : [];
    });
    expect(seen.at(-1)).toEqual(['one', 'two', 'three', 'four']);
    expect(await found(store)).toEqual(['one', 'two', 'three', 'four']);
  });

  test('a concurrent process loses no turn and brings back no removed item', async () => {
    const store = memoryLedger();
    const writers = Array.from({ length: 4 }, () => ledgerOn(store));
    await Promise.all(
      writers.map(async (ledger, writer) => {
        for (let turn = 0; turn < 10; turn += 1) {
          await ledger.append(() => say(`keep ${writer}-${turn}`, `secret ${writer}-${turn}`));
          await ledger.append((state) => {
            const at = state.entries.findIndex(({ item }) => texts([item])[0] === `secret ${writer}-${turn}`);
            const rest = state.entries.slice(at + 1).map(({ seq }) => ({ seq }));
            return [{ type: 'replace', keep: at, items: rest }];
          });
        }
      }),
    );
    const kept = writers.flatMap((_, writer) =>
      Array.from({ length: 10 }, (_turn, turn) => `keep ${writer}-${turn}`),
    );
    expect((await found(store)).toSorted()).toEqual(kept.toSorted());
    expect(await bytesOf(store)).not.toContain('secret');
  });
});

describe('a rewrite whose answer got lost', () => {
  test.each([POP, CLEAR])('a rewrite that lost its answer is found if it was made (%j)', async (...steps) => {
    const store = await filled();
    const ledger = ledgerOn(failing(store, 'after'));
    const state = await ledger.append(() => steps);
    expect(historyOf(state)).toEqual(await found(store));
    expect(await found(store)).toEqual(steps[0]?.type === 'pop' ? ['one', 'two'] : []);
  });

  test('a rewrite that lost its answer fails if it was not made, and can be repeated', async () => {
    const store = await filled();
    const ledger = new Ledger({ store: failing(store, 'before'), sessionId: 'conv_1', retry: 0 });
    await expect(ledger.append(() => POP)).rejects.toThrow('The connection was lost');
    expect(historyOf(await ledger.read({ fresh: true }))).toEqual(['one', 'two', 'three']);
    await ledger.append(() => POP);
    expect(await found(store)).toEqual(['one', 'two']);
  });

  test.each([
    ['appends', say('later')],
    ['pops', POP],
  ] as const)(
    'a rewrite that lost its answer is found although another process %s before the read',
    async (what, steps) => {
      const store = await filled();
      const ledger = ledgerOn(failing(store, 'after', () => ledgerOn(store).append(() => steps)));
      await ledger.append(() => POP);
      expect(await found(store)).toEqual(what === 'pops' ? ['one'] : ['one', 'two', 'later']);
    },
  );

  test('a rewrite that lost its answer is found if the store repeats it and reports a conflict', async () => {
    const store = await filled();
    const retrying: LedgerStore = {
      ...elsewhere(store),
      rewrite: async (...args) => {
        await store.rewrite(...args);
        await store.rewrite(...args);
      },
    };
    await ledgerOn(retrying).append(() => POP);
    expect(await found(store)).toEqual(['one', 'two']);
  });

  test('a rewrite and an append that lost their answers are found in a log that another process rewrote', async () => {
    const store = await filled();
    const ledger = ledgerOn(failing(store, 'after', () => ledgerOn(store).append(() => POP)));
    await ledger.append(() => say('mine'));
    // It was appended, and then popped: made again it would be back.
    expect(await found(store)).toEqual(['one', 'two', 'three']);
  });
});

describe('a damaged record', () => {
  test.each([5, 6])(
    'a damaged record at %i, in the initial state of a log, is not passed over',
    async (at) => {
      const store = await filled();
      await ledgerOn(store).append(() => POP);
      expect(await store.read('conv_1')).toMatchObject({ start: 4, records: { length: 3 } });
      await expect(ledgerOn(damagedAt(store, at - 1)).read()).rejects.toMatchObject({
        code: 'ledger_unreadable',
        reason: 'damaged',
        position: at - 1,
      });
    },
  );

  test('a damaged record at the end of a rewritten log costs no item of the history', async () => {
    const store = await filled();
    await ledgerOn(store).append(() => POP);
    expect(historyOf(await ledgerOn(damagedAt(store, 6)).read())).toEqual(['one', 'two']);
  });

  test('a missing first record of a rewritten log is noticed', async () => {
    const store = await filled();
    await ledgerOn(store).append(() => POP);
    const cut: LedgerStore = {
      ...elsewhere(store),
      read: async (...args) => {
        const page = await store.read(...args);
        return page.start === undefined ? page : { start: page.start + 1, records: page.records.slice(1) };
      },
    };
    await expect(ledgerOn(cut).read()).rejects.toMatchObject({ code: 'ledger_unreadable', position: 5 });
  });

  test('a damaged last record does not survive a rewrite', async () => {
    const store = await filled();
    const popped = ledgerOn(damagedAt(store, 2));
    expect(historyOf(await popped.read())).toEqual(['one', 'two']);
    await popped.append(() => POP);
    expect(await bytesOf(store)).not.toMatch(/"(two|three)"/);
    expect(await found(store)).toEqual(['one']);
  });
});

describe('what a pop costs', () => {
  test.each([10, 1_000])(
    'a pop costs one rewrite of the %i remaining items, and no later append costs more',
    async (count) => {
      const inner = memoryLedger();
      const { store, calls } = counting(inner);
      await ledgerOn(inner).append(() =>
        say(...Array.from({ length: count }, (_, index) => `item ${index}`)),
      );
      const ledger = ledgerOn(store);
      await ledger.read();
      calls.length = 0;
      await ledger.append(() => POP);
      expect(calls).toEqual([`rewrite ${2 + Math.ceil((count - 1) / 100)}`]);
      calls.length = 0;
      await ledger.append(() => say('next'), { scope: 'tail' });
      await ledger.read({ fresh: true });
      expect(calls).toEqual(['append 1', 'read 1']);
      calls.length = 0;
      const later = ledgerOn(store);
      await later.append(() => say('later'), { scope: 'tail' });
      expect(calls).toEqual(['checkpoint', 'read 1', 'append 1']);
    },
  );
});
