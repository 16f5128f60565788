import { expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger-conflict-error.ts';
import { deletedAt } from '../../src/ledger/deleted-at.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { head, record } from '../stores/support/records.ts';

test('forgets a session that is as it was', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0')], head(1), 0);
  expect(await deletedAt(store, 'conv_1', 1)).toBe(true);
  expect(await store.head('conv_1')).toBeUndefined();
});

test('leaves alone what was appended to since', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], head(2), 0);
  expect(await deletedAt(store, 'conv_1', 1)).toBe(false);
  expect(await store.head('conv_1')).toEqual(head(2));
});

test.each([new Error('down'), 'down', Object.assign(new Error('no'), { code: 'other' })])(
  'does not take it for a conflict when the store fails: %s',
  async (error) => {
    const store = memoryLedger();
    await store.append('conv_1', [record('0')], head(1), 0);
    const failing = { ...store, delete: () => Promise.reject(error) };
    await expect(deletedAt(failing, 'conv_1', 1)).rejects.toBe(error);
    const conflict = new LedgerConflictError('conv_1', 1, 2);
    const refusing = { ...memoryLedger(), delete: () => Promise.reject(conflict) };
    expect(await deletedAt(refusing, 'conv_1', 1)).toBe(false);
  },
);
