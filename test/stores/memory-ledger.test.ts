import { beforeEach, describe, expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger.ts';
import type { Checkpoint, LedgerRecord } from '../../src/ledger/record.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { isMemoryLedger, memoryLedger } from '../../src/stores/memory.ts';

const checkpoint = (version: number): Checkpoint => ({
  format: 3,
  version,
  length: version,
  digest: `d${version}`,
});
const pop = (time: number): LedgerRecord => ({ v: 3, commit: 'c', time, type: 'pop' });

let store: LedgerStore;
beforeEach(() => {
  store = memoryLedger();
});

describe('a session', () => {
  test('a new session has no checkpoint and no records', async () => {
    expect(await store.checkpoint('conv_1')).toBeUndefined();
    expect(await store.read('conv_1')).toEqual({ records: [] });
    expect(await store.read('conv_1', 5)).toEqual({ records: [] });
  });

  test('a session has its records in order, from any position', async () => {
    await store.append('conv_1', [pop(1), pop(2)], checkpoint(2), 0);
    await store.append('conv_1', [pop(3)], checkpoint(3), 2);
    expect((await store.read('conv_1')).records).toEqual([pop(1), pop(2), pop(3)]);
    expect((await store.read('conv_1', 2)).records).toEqual([pop(3)]);
    expect((await store.read('conv_1', 3)).records).toEqual([]);
    expect(await store.checkpoint('conv_1')).toEqual(checkpoint(3));
  });

  test('a session knows nothing of another, whatever their names', async () => {
    const names = ['conv_1', '__proto__', 'constructor', '', 'conv_1 '];
    for (const [time, name] of names.entries()) await store.append(name, [pop(time)], checkpoint(1), 0);
    for (const [time, name] of names.entries()) expect((await store.read(name)).records).toEqual([pop(time)]);
  });

  test('a session is not visible to another ledger in memory', async () => {
    await store.append('conv_1', [pop(1)], checkpoint(1), 0);
    expect(await memoryLedger().checkpoint('conv_1')).toBeUndefined();
  });

  test('a deleted session is forgotten, and can begin anew', async () => {
    await store.append('conv_1', [pop(1)], checkpoint(1), 0);
    await store.delete('conv_1');
    await store.delete('conv_1');
    expect(await store.checkpoint('conv_1')).toBeUndefined();
    await store.append('conv_1', [pop(2)], checkpoint(1), 0);
    expect((await store.read('conv_1')).records).toEqual([pop(2)]);
  });
});

describe('an append', () => {
  test('an append to another version than the expected one is refused, and changes nothing', async () => {
    await store.append('conv_1', [pop(1)], checkpoint(1), 0);
    for (const expected of [0, 2]) {
      const refused = store.append('conv_1', [pop(9)], checkpoint(9), expected);
      await expect(refused).rejects.toThrow(LedgerConflictError);
      await expect(refused).rejects.toMatchObject({ sessionId: 'conv_1', expected, actual: 1 });
    }
    expect((await store.read('conv_1')).records).toEqual([pop(1)]);
    expect(await store.checkpoint('conv_1')).toEqual(checkpoint(1));
  });

  test('an append with a value that cannot be stored stores nothing', async () => {
    await store.append('conv_1', [pop(1)], checkpoint(1), 0);
    const unstorable = Object.assign(pop(3), { item: 1n });
    await expect(store.append('conv_1', [pop(2), unstorable], checkpoint(3), 1)).rejects.toThrow(TypeError);
    const itself = checkpoint(2);
    Object.assign(itself, { response: itself });
    await expect(store.append('conv_1', [pop(2)], itself, 1)).rejects.toThrow(TypeError);
    expect((await store.read('conv_1')).records).toEqual([pop(1)]);
    expect(await store.checkpoint('conv_1')).toEqual(checkpoint(1));
  });

  test('an append of one of many concurrent writers succeeds, and the others are refused', async () => {
    const appends = Array.from({ length: 20 }, (_, time) =>
      store.append('conv_1', [pop(time)], checkpoint(1), 0),
    );
    const outcomes = await Promise.allSettled(appends);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await store.read('conv_1')).records).toHaveLength(1);
  });

  test('an append can have very many records', async () => {
    const records = Array.from({ length: 200_000 }, (_, time) => pop(time));
    await store.append('conv_1', [pop(0)], checkpoint(1), 0);
    await store.append('conv_1', records, checkpoint(200_001), 1);
    expect((await store.read('conv_1', 200_000)).records).toEqual([pop(199_999)]);
  });
});

describe('what goes in and comes out are copies', () => {
  test('records are copied on append and on read', async () => {
    const given = pop(1);
    await store.append('conv_1', [given], checkpoint(1), 0);
    given.time = 7;
    for (const record of (await store.read('conv_1')).records) Object.assign(record, { time: 8 });
    expect((await store.read('conv_1')).records).toEqual([pop(1)]);
  });

  test('checkpoints are copied on append and on read', async () => {
    const given = checkpoint(1);
    await store.append('conv_1', [pop(1)], given, 0);
    given.length = 7;
    Object.assign((await store.checkpoint('conv_1')) ?? {}, { length: 8 });
    expect(await store.checkpoint('conv_1')).toEqual(checkpoint(1));
  });
});

test('a rewritten log is read from its own first position on', async () => {
  await store.append('conv_1', [pop(1), pop(2)], checkpoint(2), 0);
  await store.rewrite('conv_1', [pop(3), pop(4)], checkpoint(5), 2);
  expect(await store.read('conv_1', 3, 4)).toEqual({ records: [pop(3)] });
  expect(await store.read('conv_1', 4, 5)).toEqual({ records: [pop(4)] });
  expect(await store.read('conv_1', 0, 4)).toEqual({ start: 3, records: [pop(3)] });
  expect(await store.read('conv_1', 0, 2)).toEqual({ start: 3, records: [] });
  await store.append('conv_1', [pop(5)], checkpoint(6), 5);
  expect(await store.read('conv_1', 4)).toEqual({ records: [pop(4), pop(5)] });
});

test('a ledger in memory is known as one, and a view of it is not', () => {
  expect([store, { ...store }].map((one) => isMemoryLedger(one))).toEqual([true, false]);
});
