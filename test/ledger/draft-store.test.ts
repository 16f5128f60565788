import { expect, it } from 'vitest';
import { draftStore } from '../../src/ledger/draft-store.ts';
import { conversationLedger, memoryLedger } from '../../src/index.ts';
import { head, record } from '../stores/support/records.ts';
import { simulated } from '../support/simulated.ts';

it('reads on from what is stored, and stores nothing', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], head(2), 0);
  const draft = draftStore(store);
  await draft.append('conv_1', [record('2'), record('3')], head(4), 2);
  await draft.append('conv_1', [record('4')], head(5), 4);
  const all = [0, 1, 2, 3, 4].map((at) => record(String(at)));
  for (let from = 0; from <= 5; from += 1)
    for (let to = from; to <= 5; to += 1)
      expect((await draft.read('conv_1', from, to)).records).toEqual(all.slice(from, to));
  expect(await draft.read('conv_1')).toEqual({ records: all });
  expect(await draft.head('conv_1')).toEqual(head(5));
  await expect(draft.append('conv_1', [record('5')], head(6), 4)).rejects.toMatchObject({ actual: 5 });
  expect(await store.read('conv_1')).toEqual({ records: all.slice(0, 2) });
  expect(await store.head('conv_1')).toEqual(head(2));
});

it('has nothing but the newest head over a store that keeps no beginning', async () => {
  const { client } = simulated();
  const { id } = await client.conversations.create();
  const store = conversationLedger({ client });
  await store.append(id, [], head(2), 0);
  const draft = draftStore(store);
  await draft.append(id, [record('2')], head(3), 2);
  expect(await draft.read(id)).toEqual({ base: head(3), records: [] });
  expect(await store.head(id)).toEqual(head(2));
});

it('begins what was never stored, and forgets what was drafted', async () => {
  const store = memoryLedger();
  const draft = draftStore(store);
  expect(await draft.head('conv_1')).toBeUndefined();
  expect(await draft.read('conv_1')).toEqual({ records: [] });
  await draft.append('conv_1', [record('0')], head(1), 0);
  expect(await draft.read('conv_1', 0, 0)).toEqual({ records: [] });
  expect(await draft.read('conv_1', 0, 1)).toEqual({ records: [record('0')] });
  expect(await store.head('conv_1')).toBeUndefined();
  await draft.delete('conv_1');
  expect(await draft.head('conv_1')).toBeUndefined();
});

it('reads what is stored as it is where nothing was drafted', async () => {
  const store = memoryLedger();
  await store.append('conv_1', [record('0'), record('1')], head(2), 0);
  const draft = draftStore(store);
  await draft.append('conv_2', [record('2')], head(1), 0);
  expect(await draft.read('conv_1', 1)).toEqual({ records: [record('1')] });
  expect(await draft.read('conv_1', 0, 1)).toEqual({ records: [record('0')] });
  expect(await draft.head('conv_1')).toEqual(head(2));
});
