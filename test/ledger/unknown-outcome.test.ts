import { describe, expect, test } from 'vitest';
import { LedgerConflictError, LedgerUnreadableError } from '../../src/errors/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const say = (text: string): LedgerStep[] => [{ type: 'items', items: [ledgerItem(user(text), true)] }];

const ledgerOn = (store: LedgerStore, retry?: number): Ledger =>
  new Ledger({ store, sessionId: 'conv_1', ...(retry === undefined ? {} : { retry }) });

const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

const storedIn = async (store: LedgerStore): Promise<string[]> => historyOf(await ledgerOn(store).read());

class QueryTimeout extends Error {}

/** What became of an append that came late. */
type Late = () => Promise<'applied' | 'refused'>;

/**
 * A store whose appends are blocked, rejected without an answer, and applied later or never.
 *
 * @param tries so many of them; the others are applied at once.
 */
function blocking(
  memory: LedgerStore,
  tries: number,
): { store: LedgerStore; blocked: Late[]; failWith: (error: unknown) => void } {
  const blocked: Late[] = [];
  let failure: unknown = new QueryTimeout('Query read timeout');
  const block =
    (apply: LedgerStore['append']): LedgerStore['append'] =>
    async (...args) => {
      if (blocked.length >= tries) return apply(...args);
      blocked.push(() =>
        apply(...args).then(
          () => 'applied',
          (error: unknown) => {
            if (error instanceof LedgerConflictError) return 'refused';
            throw error;
          },
        ),
      );
      throw failure;
    };
  const store = {
    ...memory,
    append: block((...args) => memory.append(...args)),
    rewrite: block((...args) => memory.rewrite(...args)),
  };
  return { store, blocked, failWith: (error) => (failure = error) };
}

describe('an append whose answer got lost', () => {
  test('an append that lost its answer is repeated with the same name, and refused when it takes effect late', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 2);
    const ledger = ledgerOn(store);
    expect(historyOf(await ledger.append(() => say('a')))).toEqual(['a']);
    expect(await Promise.all(blocked.map((late) => late()))).toEqual(['refused', 'refused']);
    expect(historyOf(await ledger.append(() => say('b')))).toEqual(['a', 'b']);
    expect(await storedIn(memory)).toEqual(['a', 'b']);
  });

  test('an append that lost its answer is found if it takes effect before it is repeated', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 1);
    let retried = 0;
    const racing: LedgerStore = {
      ...store,
      append: async (...args) => {
        for (const late of blocked.splice(0)) expect(await late()).toBe('applied');
        retried += 1;
        return store.append(...args);
      },
    };
    await ledgerOn(racing).append(() => say('a'));
    expect(retried).toBe(2);
    expect(await storedIn(memory)).toEqual(['a']);
  });

  test('an append that lost its answer is decided anew after another writer, as it can no longer take effect', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 1);
    const ledger = ledgerOn({
      ...store,
      read: async (...args) => {
        if (blocked.length === 1 && (await memory.checkpoint('conv_1')) === undefined)
          await ledgerOn(memory).append(() => say('other'));
        return memory.read(...args);
      },
    });
    const seen: string[][] = [];
    await ledger.append((state) => {
      seen.push(historyOf(state));
      return say('a');
    });
    expect(seen).toEqual([[], ['other']]);
    expect(await blocked[0]?.()).toBe('refused');
    expect(await storedIn(memory)).toEqual(['other', 'a']);
  });

  test('an append whose answer got lost fails with its own error where others keep coming first and it is never applied', async () => {
    const memory = memoryLedger();
    const { store } = blocking(memory, Infinity);
    const busy: LedgerStore = {
      ...store,
      append: async (...args) => {
        await ledgerOn(memory).append(() => say('other'));
        return store.append(...args);
      },
    };
    await expect(ledgerOn(busy).append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(await storedIn(memory)).not.toContain('a');
  });

  test('an append whose answer got lost takes items out once', async () => {
    const memory = memoryLedger();
    await ledgerOn(memory).append(() => [...say('a'), ...say('b'), ...say('c')]);
    const { store, blocked } = blocking(memory, 1);
    expect(historyOf(await ledgerOn(store).append(() => [{ type: 'pop' }]))).toEqual(['a', 'b']);
    expect(await blocked[0]?.()).toBe('refused');
    expect(await storedIn(memory)).toEqual(['a', 'b']);
  });
});

describe('an append that was given up', () => {
  test('an append is given up after 5 seconds, with the error of the store', async () => {
    const began = Date.now();
    const { store } = blocking(memoryLedger(), Infinity);
    await expect(ledgerOn(store).append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(Date.now() - began).toBe(5000);
  });

  test('an append is given up at once if retries are off', async () => {
    const { store, blocked } = blocking(memoryLedger(), Infinity);
    await expect(ledgerOn(store, 0).append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(blocked).toHaveLength(1);
  });

  const retriers: [string, (ledger: Ledger, store: LedgerStore) => Ledger][] = [
    ['the same session object', (ledger) => ledger],
    ['another session object on the same store', (_ledger, store) => ledgerOn(store)],
  ];
  test.each(retriers)(
    'an append that was given up and applied is not doubled when %s repeats it',
    async (_name, by) => {
      const memory = memoryLedger();
      const { store, blocked } = blocking(memory, 1);
      const ledger = ledgerOn(store, 0);
      await expect(ledger.append(() => say('a'))).rejects.toThrow(QueryTimeout);
      expect(await blocked[0]?.()).toBe('applied');
      expect(historyOf(await by(ledger, store).append(() => say('a')))).toEqual(['a']);
      // From then on equal items are new ones.
      await ledger.append(() => say('a'));
      expect(await storedIn(memory)).toEqual(['a', 'a']);
    },
  );

  test.each(['before', 'behind'])(
    'an append that was given up is not doubled if others append %s it',
    async (where) => {
      const memory = memoryLedger();
      const { store, blocked } = blocking(memory, 1);
      const ledger = ledgerOn(store, 0);
      await expect(ledger.append(() => say('a'), { scope: 'tail' })).rejects.toThrow(QueryTimeout);
      const early = where === 'behind' ? await blocked[0]?.() : undefined;
      await ledgerOn(memory).append(() => say('other'));
      const late = where === 'before' ? await blocked[0]?.() : undefined;
      expect([early, late]).toEqual(where === 'behind' ? ['applied', undefined] : [undefined, 'refused']);
      await ledger.append(() => say('a'), { scope: 'tail' });
      expect((await storedIn(memory)).toSorted()).toEqual(['a', 'other']);
    },
  );

  test('an append that was given up is not doubled if it is repeated before it takes effect', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 2);
    const ledger = ledgerOn(store, 0);
    await expect(ledger.append(() => say('a'))).rejects.toThrow(QueryTimeout);
    await expect(ledger.append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(await blocked[1]?.()).toBe('applied');
    expect(await blocked[0]?.()).toBe('refused');
    await ledger.append(() => say('a'));
    expect(await storedIn(memory)).toEqual(['a']);
  });

  test('an append that was given up stays where other items follow', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 1);
    const ledger = ledgerOn(store, 0);
    await expect(ledger.append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(await blocked[0]?.()).toBe('applied');
    await ledger.append(() => say('b'));
    await ledger.append(() => say('a'));
    expect(await storedIn(memory)).toEqual(['a', 'b', 'a']);
  });

  test('an append that was given up is waited for although the session appends a record without items', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 1);
    const ledger = ledgerOn(store, 0);
    await expect(ledger.append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(await blocked[0]?.()).toBe('applied');
    await ledger.append(() => [{ type: 'refused', id: 'resp_1' }]);
    await ledger.append(() => say('a'));
    expect(await storedIn(memory)).toEqual(['a']);
  });

  test('an append that was given up is looked for although the store could not be read either', async () => {
    const memory = memoryLedger();
    const { store, blocked } = blocking(memory, 1);
    let isDown = true;
    const down: LedgerStore = {
      ...store,
      read: async (...args) => {
        if (isDown && blocked.length > 0) throw new QueryTimeout('Query read timeout');
        return memory.read(...args);
      },
    };
    const ledger = ledgerOn(down);
    await expect(ledger.append(() => say('a'))).rejects.toThrow(QueryTimeout);
    expect(await blocked[0]?.()).toBe('applied');
    isDown = false;
    await ledger.append(() => say('a'));
    expect(await storedIn(memory)).toEqual(['a']);
  });
});

describe('a store that is away for a moment', () => {
  test('a store that is away for a moment costs reads and appends nothing but time', async () => {
    const memory = memoryLedger();
    await ledgerOn(memory).append(() => say('a'));
    let failures = 0;
    const restarting = <A extends unknown[], T>(call: (...args: A) => Promise<T>) => {
      let left = 2;
      return async (...args: A): Promise<T> => {
        if (left-- <= 0) return call(...args);
        failures += 1;
        throw Object.assign(new Error('terminating connection'), { code: '57P01' });
      };
    };
    const ledger = ledgerOn({
      ...memory,
      checkpoint: restarting((id: string) => memory.checkpoint(id)),
      read: restarting((...args: Parameters<LedgerStore['read']>) => memory.read(...args)),
      append: restarting((...args: Parameters<LedgerStore['append']>) => memory.append(...args)),
    });
    await ledger.append(() => say('b'), { scope: 'tail' });
    expect(historyOf(await ledger.read())).toEqual(['a', 'b']);
    expect(failures).toBe(6);
  });

  test('a store that is away does not hide an unreadable record', async () => {
    let reads = 0;
    const error = new LedgerUnreadableError('conv_1', 0, 'newer_format', 'it is newer');
    const read = async (): Promise<never> => {
      reads += 1;
      throw error;
    };
    await expect(ledgerOn({ ...memoryLedger(), read }).read()).rejects.toBe(error);
    expect(reads).toBe(1);
  });

  test('a store is not asked again for a call that it will always refuse', async () => {
    const { store, blocked, failWith } = blocking(memoryLedger(), Infinity);
    const refused = Object.assign(new Error('violates check constraint'), { code: '23514' });
    failWith(refused);
    await expect(ledgerOn(store).append(() => say('a'))).rejects.toBe(refused);
    expect(blocked).toHaveLength(1);
  });
});

describe('reads that lag behind appends', () => {
  test('reads that lag are repeated until they show the writer that came first', async () => {
    const memory = memoryLedger();
    let lag = 3;
    const lagging = ledgerOn({
      ...memory,
      read: async (...args) => (lag-- > 0 ? { records: [] } : memory.read(...args)),
    });
    await ledgerOn(memory).append(() => say('other'));
    expect(historyOf(await lagging.append(() => say('a')))).toEqual(['other', 'a']);
  });
});

test('twenty writers at once all append, and none is told of a conflict', async () => {
  const memory = memoryLedger();
  await Promise.all(
    Array.from({ length: 20 }, async (_, writer) => {
      const ledger = ledgerOn({ ...memory });
      for (let turn = 0; turn < 10; turn += 1)
        await ledger.append(() => say(`${writer}-${turn}`), { scope: 'tail' });
    }),
  );
  expect(new Set(await storedIn(memory)).size).toBe(200);
});
