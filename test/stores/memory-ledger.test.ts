import { beforeEach, describe, expect, test } from 'vitest';
import { LedgerConflictError } from '../../src/errors/ledger-conflict-error.ts';
import type { LedgerHead, LedgerRecord } from '../../src/ledger/ledger-record.ts';
import type { LedgerStore } from '../../src/ledger/ledger-store.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';

const head = (version: number): LedgerHead => ({
  format: 1,
  version,
  length: version,
  digest: `d${version}`,
});
const pop = (time: number): LedgerRecord => ({ v: 1, commit: 'c', time, type: 'pop' });

let store: LedgerStore;
beforeEach(() => {
  store = memoryLedger();
});

describe('a session', () => {
  test('that was never written has no head and no records', async () => {
    expect(await store.head('conv_1')).toBeUndefined();
    expect(await store.read('conv_1')).toEqual({ records: [] });
    expect(await store.read('conv_1', 5)).toEqual({ records: [] });
  });

  test('has what was appended, in order, from any position', async () => {
    await store.append('conv_1', [pop(1), pop(2)], head(2), 0);
    await store.append('conv_1', [pop(3)], head(3), 2);
    expect((await store.read('conv_1')).records).toEqual([pop(1), pop(2), pop(3)]);
    expect((await store.read('conv_1', 2)).records).toEqual([pop(3)]);
    expect((await store.read('conv_1', 3)).records).toEqual([]);
    expect(await store.head('conv_1')).toEqual(head(3));
  });

  test('knows nothing of another, whatever their names', async () => {
    const names = ['conv_1', '__proto__', 'constructor', '', 'conv_1 '];
    for (const [time, name] of names.entries()) await store.append(name, [pop(time)], head(1), 0);
    for (const [time, name] of names.entries()) expect((await store.read(name)).records).toEqual([pop(time)]);
  });

  test('is not seen by another ledger in memory', async () => {
    await store.append('conv_1', [pop(1)], head(1), 0);
    expect(await memoryLedger().head('conv_1')).toBeUndefined();
  });

  test('is forgotten when it is deleted, and can begin anew', async () => {
    await store.append('conv_1', [pop(1)], head(1), 0);
    await store.delete('conv_1');
    await store.delete('conv_1');
    expect(await store.head('conv_1')).toBeUndefined();
    await store.append('conv_1', [pop(2)], head(1), 0);
    expect((await store.read('conv_1')).records).toEqual([pop(2)]);
  });
});

describe('an append', () => {
  test('to another version than expected is refused, and changes nothing', async () => {
    await store.append('conv_1', [pop(1)], head(1), 0);
    for (const expected of [0, 2]) {
      const refused = store.append('conv_1', [pop(9)], head(9), expected);
      await expect(refused).rejects.toThrow(LedgerConflictError);
      await expect(refused).rejects.toMatchObject({ sessionId: 'conv_1', expected, actual: 1 });
    }
    expect((await store.read('conv_1')).records).toEqual([pop(1)]);
    expect(await store.head('conv_1')).toEqual(head(1));
  });

  test('of which something cannot be stored stores nothing', async () => {
    await store.append('conv_1', [pop(1)], head(1), 0);
    const unstorable = Object.assign(pop(3), { item: 1n });
    await expect(store.append('conv_1', [pop(2), unstorable], head(3), 1)).rejects.toThrow(TypeError);
    const itself = head(2);
    Object.assign(itself, { response: itself });
    await expect(store.append('conv_1', [pop(2)], itself, 1)).rejects.toThrow(TypeError);
    expect((await store.read('conv_1')).records).toEqual([pop(1)]);
    expect(await store.head('conv_1')).toEqual(head(1));
  });

  test('of one of many writers at once goes through, the others are refused', async () => {
    const appends = Array.from({ length: 20 }, (_, time) => store.append('conv_1', [pop(time)], head(1), 0));
    const outcomes = await Promise.allSettled(appends);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await store.read('conv_1')).records).toHaveLength(1);
  });

  test('of very many records is no different', async () => {
    const records = Array.from({ length: 200_000 }, (_, time) => pop(time));
    await store.append('conv_1', [pop(0)], head(1), 0);
    await store.append('conv_1', records, head(200_001), 1);
    expect((await store.read('conv_1', 200_000)).records).toEqual([pop(199_999)]);
  });
});

describe('what goes in and comes out are copies', () => {
  test('of the records', async () => {
    const given = pop(1);
    await store.append('conv_1', [given], head(1), 0);
    given.time = 7;
    for (const record of (await store.read('conv_1')).records) Object.assign(record, { time: 8 });
    expect((await store.read('conv_1')).records).toEqual([pop(1)]);
  });

  test('of the head', async () => {
    const given = head(1);
    await store.append('conv_1', [pop(1)], given, 0);
    given.length = 7;
    Object.assign((await store.head('conv_1')) ?? {}, { length: 8 });
    expect(await store.head('conv_1')).toEqual(head(1));
  });
});
