import { expect, it } from 'vitest';
import { draftStore } from '../../src/stores/draft.ts';
import { memoryLedger } from '../../src/index.ts';
import { checkpoint, record } from './support/records.ts';

it('a draft store reads on from what is stored, and stores nothing', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], checkpoint(2), 0);
  const draft = draftStore(store);
  await draft.append('conv_1', [record('2'), record('3')], checkpoint(4), 2);
  await draft.append('conv_1', [record('4')], checkpoint(5), 4);
  const all = [0, 1, 2, 3, 4].map((at) => record(String(at)));
  for (let from = 0; from <= 5; from += 1)
    for (let to = from; to <= 5; to += 1)
      expect((await draft.read('conv_1', from, to)).records).toEqual(all.slice(from, to));
  expect(await draft.read('conv_1')).toEqual({ records: all });
  expect(await draft.checkpoint('conv_1')).toEqual(checkpoint(5));
  await expect(draft.append('conv_1', [record('5')], checkpoint(6), 4)).rejects.toMatchObject({ actual: 5 });
  expect(await store.read('conv_1')).toEqual({ records: all.slice(0, 2) });
  expect(await store.checkpoint('conv_1')).toEqual(checkpoint(2));
});

it('a draft store rewrites what is stored, and stores nothing', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], checkpoint(2), 0);
  const draft = draftStore(store);
  await expect(draft.rewrite('conv_1', [record('2')], checkpoint(3), 1)).rejects.toMatchObject({ actual: 2 });
  await draft.rewrite('conv_1', [record('2')], checkpoint(4), 2);
  await draft.append('conv_1', [record('3')], checkpoint(5), 4);
  expect(await draft.read('conv_1')).toEqual({ start: 3, records: [record('2'), record('3')] });
  expect(await draft.read('conv_1', 1, 3)).toEqual({ start: 3, records: [] });
  expect(await draft.read('conv_1', 4)).toEqual({ records: [record('3')] });
  expect(await draft.checkpoint('conv_1')).toEqual(checkpoint(5));
  expect(await store.read('conv_1')).toEqual({ records: [record('0'), record('1')] });
});

it('a draft store begins what was never stored, and forgets what was drafted', async () => {
  const store = memoryLedger();
  const draft = draftStore(store);
  expect(await draft.checkpoint('conv_1')).toBeUndefined();
  expect(await draft.read('conv_1')).toEqual({ records: [] });
  await draft.append('conv_1', [record('0')], checkpoint(1), 0);
  expect(await draft.read('conv_1', 0, 0)).toEqual({ records: [] });
  expect(await draft.read('conv_1', 0, 1)).toEqual({ records: [record('0')] });
  expect(await store.checkpoint('conv_1')).toBeUndefined();
  await draft.delete('conv_1');
  expect(await draft.checkpoint('conv_1')).toBeUndefined();
});

it('a draft store reads what is stored as it is where nothing was drafted', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], checkpoint(2), 0);
  const draft = draftStore(store);
  await draft.append('conv_2', [record('2')], checkpoint(1), 0);
  expect(await draft.read('conv_1', 1)).toEqual({ records: [record('1')] });
  expect(await draft.read('conv_1', 0, 1)).toEqual({ records: [record('0')] });
  expect(await draft.checkpoint('conv_1')).toEqual(checkpoint(2));
});

it('a draft store refuses to delete another version than the expected one', async () => {
  const draft = draftStore(memoryLedger());
  await draft.append('conv_1', [record('0')], checkpoint(1), 0);
  await expect(draft.delete('conv_1', 2)).rejects.toMatchObject({ expected: 2, actual: 1 });
  expect(await draft.checkpoint('conv_1')).toEqual(checkpoint(1));
  await draft.delete('conv_1', 1);
  expect(await draft.checkpoint('conv_1')).toBeUndefined();
});
