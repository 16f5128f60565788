import { expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger.ts';
import { deleteIfUnchanged } from '../../src/ledger/retry.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { checkpoint, record } from '../stores/support/records.ts';

test('deleteIfUnchanged forgets a session that is as it was', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0')], checkpoint(1), 0);
  expect(await deleteIfUnchanged(store, 'conv_1', 1)).toBe(true);
  expect(await store.checkpoint('conv_1')).toBeUndefined();
});

test('deleteIfUnchanged leaves alone what was appended to since', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], checkpoint(2), 0);
  expect(await deleteIfUnchanged(store, 'conv_1', 1)).toBe(false);
  expect(await store.checkpoint('conv_1')).toEqual(checkpoint(2));
});

test.each([new Error('down'), 'down', Object.assign(new Error('no'), { code: 'other' })])(
  'a failure of the store is no conflict: %s',
  async (error) => {
    const store = memoryLedger();
    await store.append('conv_1', [record('0')], checkpoint(1), 0);
    const failing = { ...store, delete: () => Promise.reject(error) };
    await expect(deleteIfUnchanged(failing, 'conv_1', 1)).rejects.toBe(error);
    const conflict = new LedgerConflictError('conv_1', 1, 2);
    const refusing = { ...memoryLedger(), delete: () => Promise.reject(conflict) };
    expect(await deleteIfUnchanged(refusing, 'conv_1', 1)).toBe(false);
  },
);
