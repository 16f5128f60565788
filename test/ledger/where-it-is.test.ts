import { describe, expect, test } from 'vitest';
import type { LedgerHead } from '../../src/ledger/ledger-record.ts';
import type { LedgerStore } from '../../src/ledger/ledger-store.ts';
import { whereItIs } from '../../src/ledger/where-it-is.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';

type Move = NonNullable<LedgerHead['move']>;

const head = (move?: Move): LedgerHead => ({
  format: move === undefined ? 1 : 2,
  version: 1,
  length: 0,
  digest: 'd',
  ...(move === undefined ? {} : { move }),
});

/** A store in which each of these sessions has moved as it says, or has not. */
async function storeOf(sessions: Record<string, Move | undefined>): Promise<LedgerStore> {
  const store = memoryLedger();
  for (const [id, move] of Object.entries(sessions))
    await store.append(id, [{ v: 1, commit: 'c', time: 0, type: 'clear' }], head(move), 0);
  return store;
}

describe('a session goes on under', () => {
  test('its own ID when it was never moved, or never written', async () => {
    const store = await storeOf({ conv_1: undefined });
    expect(await whereItIs(store, 'conv_1')).toBe('conv_1');
    expect(await whereItIs(store, 'conv_9')).toBe('conv_9');
  });

  test('its own ID while it is being moved', async () => {
    const store = await storeOf({ conv_1: { to: 'conv_2' }, conv_2: { from: 'conv_1' } });
    expect(await whereItIs(store, 'conv_1')).toBe('conv_1');
  });

  test('the last of the IDs that it was moved to, one after the other', async () => {
    const store = await storeOf({
      conv_1: { to: 'conv_2', done: true },
      conv_2: { from: 'conv_1', whole: true, to: 'conv_3', done: true },
      conv_3: { from: 'conv_2', whole: true },
    });
    expect(await whereItIs(store, 'conv_1')).toBe('conv_3');
    expect(await whereItIs(store, 'conv_2')).toBe('conv_3');
  });

  test('one of the IDs of a circle, which no session makes', async () => {
    const store = await storeOf({
      conv_1: { to: 'conv_2', done: true },
      conv_2: { to: 'conv_1', done: true },
    });
    expect(await whereItIs(store, 'conv_1')).toBe('conv_1');
  });

  test('the ID at which its head cannot be read: whoever reads it will hear why', async () => {
    const store = await storeOf({ conv_1: { to: 'conv_2', done: true } });
    const failing: LedgerStore = {
      ...store,
      head: async (id) => (id === 'conv_2' ? Promise.reject(new Error('down')) : store.head(id)),
    };
    expect(await whereItIs(failing, 'conv_1')).toBe('conv_2');
  });
});
