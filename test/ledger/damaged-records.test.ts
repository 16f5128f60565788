import { describe, expect, test } from 'vitest';
import { LedgerUnreadableError } from '../../src/errors/ledger.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerRecord, LedgerStep } from '../../src/ledger/record.ts';
import { type LedgerState } from '../../src/ledger/state.ts';
import { checkpointOf } from '../../src/ledger/checkpoint.ts';
import type { LedgerStore } from '../../src/ledger/store.ts';
import { RecordReader } from '../../src/ledger/record-reader.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { texts, user } from '../support/conversation.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const say = (text: string): LedgerStep => ({ type: 'items', items: [ledgerItem(user(text), true)] });
const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

const HALF = JSON.parse('{"v":3,"commit":"c","time":0,"type":"ite"}') as LedgerRecord;

const POP: LedgerRecord = { v: 3, commit: 'c', time: 0, type: 'pop' };

/** A store that shows half of the record at a position. */
function torn(store: LedgerStore, position: number, half: unknown = HALF): LedgerStore {
  return {
    ...store,
    async read(sessionId, from = 0, to) {
      const { records } = await store.read(sessionId, from, to);
      return {
        records: records.map((one, index) => (from + index === position ? (half as LedgerRecord) : one)),
      };
    },
  };
}

/** A store that reads records itself, and says so when it cannot. */
function refusing(store: LedgerStore, position: number, error: unknown): LedgerStore {
  return {
    ...store,
    async read(sessionId, from = 0, to = Number.POSITIVE_INFINITY) {
      if (from <= position && position < to) throw error;
      return store.read(sessionId, from, to === Number.POSITIVE_INFINITY ? undefined : to);
    },
  };
}

function ledgerOn(store: LedgerStore): { ledger: Ledger; damaged: number[] } {
  const damaged: number[] = [];
  const onDamaged = (position: number): void => void damaged.push(position);
  const options = { store, sessionId: 'conv_1', now: () => 1000, isMirrored: false, onDamaged };
  return { ledger: new Ledger(options), damaged };
}

/** A store with three records. */
async function filled(): Promise<LedgerStore> {
  const store = memoryLedger();
  const { ledger } = ledgerOn(store);
  for (const text of ['one', 'two', 'three']) await ledger.append(() => [say(text)]);
  return store;
}

const damagedAt = (position: number): LedgerUnreadableError =>
  new LedgerUnreadableError('conv_1', position, 'damaged', 'it is not JSON');

describe.each([
  ['that is torn', (store: LedgerStore, at: number) => torn(store, at)],
  ['that its store cannot read', (store: LedgerStore, at: number) => refusing(store, at, damagedAt(at))],
])('a newest record %s', (_how, broken) => {
  test('a torn newest record costs what it said and nothing else, and is told of once', async () => {
    const { ledger, damaged } = ledgerOn(broken(await filled(), 2));
    expect(historyOf(await ledger.read())).toEqual(['one', 'two']);
    expect((await ledger.read()).version).toBe(3);
    await ledger.read({ fresh: true });
    await ledger.release();
    expect(historyOf(await ledger.read())).toEqual(['one', 'two']);
    expect(damaged).toEqual([2]);
  });

  test('a damaged newest record is passed over by the next append, for all processes', async () => {
    const store = await filled();
    const { ledger } = ledgerOn(broken(store, 2));
    await ledger.append(() => [say('four')]);
    await ledger.append(() => [say('five')]);
    expect((await store.read('conv_1', 3)).records.map(({ type }) => type)).toEqual([
      'repair',
      'items',
      'items',
    ]);
    const next = ledgerOn(broken(store, 2));
    expect(historyOf(await next.ledger.read())).toEqual(['one', 'two', 'four', 'five']);
    expect(next.damaged).toEqual([]);
  });

  test('a damaged newest record is seen before the next append, also with the checkpoint alone', async () => {
    const store = await filled();
    const { ledger, damaged } = ledgerOn(broken(store, 2));
    expect((await ledger.read({ scope: 'tail' })).entries).toEqual([]);
    await ledger.append(() => [say('four')], { scope: 'tail' });
    expect(damaged).toEqual([2]);
    expect((await store.read('conv_1', 3)).records).toMatchObject([
      { type: 'repair', position: 2 },
      { type: 'items' },
    ]);
    const whole = await ledger.read();
    expect(historyOf(whole)).toEqual(['one', 'two', 'four']);
    expect(await store.checkpoint('conv_1')).toMatchObject(checkpointOf(whole));
  });

  test('a damaged newest record may be the only one', async () => {
    const store = memoryLedger();
    await ledgerOn(store).ledger.append(() => [say('one')]);
    const { ledger, damaged } = ledgerOn(broken(store, 0));
    expect(historyOf(await ledger.append(() => [say('two')]))).toEqual(['two']);
    expect(damaged).toEqual([0]);
  });

  test('a damaged record before others is not passed over', async () => {
    const { ledger, damaged } = ledgerOn(broken(await filled(), 1));
    await expect(ledger.read()).rejects.toMatchObject({ code: 'ledger_unreadable', position: 1 });
    expect(damaged).toEqual([]);
  });
});

const reader = (store: LedgerStore): RecordReader => new RecordReader({ store, sessionId: 'conv_1' });

/** What a store gives that does not keep to its contract. */
const giving = (json: string) => async (): Promise<never> => JSON.parse(json) as never;

describe('a reader', () => {
  test('a reader takes a repair for the place that it names, and for no other', async () => {
    const store = await filled();
    const { ledger } = ledgerOn(store);
    await ledger.append(() => [{ type: 'repair', position: 2 }, say('four')]);
    const { records } = await reader(torn(store, 2)).read(0);
    expect(records.map(({ type }) => type)).toEqual(['items', 'items', 'repair', 'repair', 'items']);
    expect(records[2]).toEqual({ v: 3, commit: '', time: 0, type: 'repair', position: 2 });
    await expect(reader(torn(store, 1)).read(0)).rejects.toMatchObject({ position: 1 });
  });

  test('a reader passes over a torn newest record behind a torn one that was repaired', async () => {
    const store = await filled();
    const { ledger } = ledgerOn(store);
    await ledger.append(() => [{ type: 'repair', position: 2 }, say('four')]);
    const one = reader(torn(torn(store, 2), 4));
    const { records } = await one.read(0);
    expect(records.map(({ type }) => type)).toEqual(['items', 'items', 'repair', 'repair', 'repair']);
    expect(one.damaged).toBe(4);
  });

  test('a reader knows of the damage until it is told that it is passed over', async () => {
    const one = reader(torn(await filled(), 2));
    expect(one.damaged).toBeUndefined();
    await one.read(1);
    expect(one.damaged).toBe(2);
    one.repaired();
    expect(one.damaged).toBeUndefined();
  });

  test.each([
    ['a later', 'newer_format', { v: 9, commit: 'c', time: 0, type: 'telepathy' }],
    ['an earlier', 'older_format', { v: 2, commit: 'c', time: 0, type: 'moved', to: 'conv_2' }],
  ])('a reader does not pass over a record of %s format', async (_which, reason, other) => {
    const one = reader(torn(await filled(), 2, other));
    await expect(one.read(0)).rejects.toMatchObject({ reason, position: 2 });
    expect(one.damaged).toBeUndefined();
  });

  test.each([
    ['before what was asked for', damagedAt(0)],
    ['at no place', new LedgerUnreadableError('conv_1', undefined, 'damaged', 'no records')],
    ['of another kind', Object.assign(new Error('no'), { code: 'other', reason: 'damaged', position: 2 })],
    ['at a place that is none', Object.assign(damagedAt(2), { position: '2' })],
    ['that is no object', 'damaged'],
  ])('a reader passes on an error %s', async (_what, error) => {
    const one = reader(refusing(await filled(), 2, error));
    await expect(one.read(1)).rejects.toBe(error);
    expect(one.damaged).toBeUndefined();
  });

  test('a reader passes on an error at no place at once, and looks no further', async () => {
    const store = await filled();
    const errors: Error[] = [new LedgerUnreadableError('conv_1', undefined, 'damaged', 'no records')];
    const read: LedgerStore['read'] = async (...all) => {
      const error = errors.pop();
      if (error !== undefined) throw error;
      return store.read(...all);
    };
    await expect(reader({ ...store, read }).read(0)).rejects.toMatchObject({ position: undefined });
  });

  test('a reader finds a checkpoint in order, and none where there is none', async () => {
    const store = await filled();
    expect(await reader(store).checkpoint()).toMatchObject({ version: 3, length: 3 });
    expect(await reader(memoryLedger()).checkpoint()).toBeUndefined();
    const checkpoint = giving('{"format":3,"version":"three"}');
    await expect(reader({ ...store, checkpoint }).checkpoint()).rejects.toMatchObject({
      code: 'ledger_unreadable',
      sessionId: 'conv_1',
      position: undefined,
    });
  });

  test('a reader counts the places of a rewritten log from where it begins', async () => {
    const page = { start: 4, records: [POP, HALF, POP] };
    const store: LedgerStore = { ...(await filled()), read: async () => page };
    await expect(reader(store).read(0)).rejects.toMatchObject({ position: 5 });
  });

  test('a reader says what is wrong with what is no page of records', async () => {
    await expect(reader({ ...memoryLedger(), read: giving('[]') }).read(0)).rejects.toThrow(
      "Cannot read the checkpoint of the ledger of 'conv_1': the store gave no records",
    );
  });
});
