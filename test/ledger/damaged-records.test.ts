import { describe, expect, test } from 'vitest';
import { LedgerRecordError } from '../../src/errors/ledger-record-error.ts';
import { ledgerItem } from '../../src/ledger/agent-item.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import type { LedgerRecord, LedgerStep } from '../../src/ledger/ledger-record.ts';
import { headOf, type LedgerState } from '../../src/ledger/ledger-state.ts';
import type { LedgerStore } from '../../src/ledger/ledger-store.ts';
import { RecordReader } from '../../src/ledger/record-reader.ts';
import { memoryLedger } from '../../src/stores/memory-ledger.ts';
import { texts, user } from '../support/conversation.ts';

const say = (text: string): LedgerStep => ({ type: 'items', items: [ledgerItem(user(text), true)] });
const historyOf = (state: LedgerState): string[] => texts(state.entries.map(({ item }) => item));

const HALF = JSON.parse('{"v":1,"commit":"c","time":0,"type":"ite"}') as LedgerRecord;

const POP: LedgerRecord = { v: 1, commit: 'c', time: 0, type: 'pop' };

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
  for (const text of ['one', 'two', 'three']) await ledger.commit(() => [say(text)]);
  return store;
}

const damagedAt = (position: number): LedgerRecordError =>
  new LedgerRecordError('conv_1', position, 'damaged', 'it is not JSON');

describe.each([
  ['that is torn', (store: LedgerStore, at: number) => torn(store, at)],
  ['that its store cannot read', (store: LedgerStore, at: number) => refusing(store, at, damagedAt(at))],
])('a newest record %s', (_how, broken) => {
  test('costs what it said and nothing else, and is told of once', async () => {
    const { ledger, damaged } = ledgerOn(broken(await filled(), 2));
    expect(historyOf(await ledger.state())).toEqual(['one', 'two']);
    expect((await ledger.state()).version).toBe(3);
    await ledger.refresh();
    await ledger.release();
    expect(historyOf(await ledger.state())).toEqual(['one', 'two']);
    expect(damaged).toEqual([2]);
  });

  test('is passed over by the next append, for everybody and for good', async () => {
    const store = await filled();
    const { ledger } = ledgerOn(broken(store, 2));
    await ledger.commit(() => [say('four')]);
    await ledger.commit(() => [say('five')]);
    expect((await store.read('conv_1', 3)).records.map(({ type }) => type)).toEqual([
      'repair',
      'items',
      'items',
    ]);
    const next = ledgerOn(broken(store, 2));
    expect(historyOf(await next.ledger.state())).toEqual(['one', 'two', 'four', 'five']);
    expect(next.damaged).toEqual([]);
  });

  test('is seen before something is written behind it, also by one who knows the head alone', async () => {
    const store = await filled();
    const { ledger, damaged } = ledgerOn(broken(store, 2));
    expect((await ledger.tip()).entries).toEqual([]);
    await ledger.commitTip(() => [say('four')]);
    expect(damaged).toEqual([2]);
    expect((await store.read('conv_1', 3)).records).toMatchObject([
      { type: 'repair', position: 2 },
      { type: 'items' },
    ]);
    const whole = await ledger.state();
    expect(historyOf(whole)).toEqual(['one', 'two', 'four']);
    expect(await store.head('conv_1')).toMatchObject(headOf(whole));
  });

  test('may be the only one', async () => {
    const store = memoryLedger();
    await ledgerOn(store).ledger.commit(() => [say('one')]);
    const { ledger, damaged } = ledgerOn(broken(store, 0));
    expect(historyOf(await ledger.commit(() => [say('two')]))).toEqual(['two']);
    expect(damaged).toEqual([0]);
  });

  test('is not passed over when there are others behind it', async () => {
    const { ledger, damaged } = ledgerOn(broken(await filled(), 1));
    await expect(ledger.state()).rejects.toMatchObject({ code: 'ledger_record', position: 1 });
    expect(damaged).toEqual([]);
  });
});

const reader = (store: LedgerStore): RecordReader => new RecordReader({ store, sessionId: 'conv_1' });

/** What a store gives that does not keep to its contract. */
const giving = (json: string) => async (): Promise<never> => JSON.parse(json) as never;

describe('a reader', () => {
  test('takes a repair for the place that it names, and for no other', async () => {
    const store = await filled();
    const { ledger } = ledgerOn(store);
    await ledger.commit(() => [{ type: 'repair', position: 2 }, say('four')]);
    const { records } = await reader(torn(store, 2)).read(0);
    expect(records.map(({ type }) => type)).toEqual(['items', 'items', 'repair', 'repair', 'items']);
    expect(records[2]).toEqual({ v: 1, commit: '', time: 0, type: 'repair', position: 2 });
    await expect(reader(torn(store, 1)).read(0)).rejects.toMatchObject({ position: 1 });
  });

  test('knows of the damage until it is told that it is passed over', async () => {
    const one = reader(torn(await filled(), 2));
    expect(one.damaged).toBeUndefined();
    await one.read(1);
    expect(one.damaged).toBe(2);
    one.repaired();
    expect(one.damaged).toBeUndefined();
  });

  test('does not pass over a record of a later format', async () => {
    const later = { v: 9, commit: 'c', time: 0, type: 'telepathy' };
    const one = reader(torn(await filled(), 2, later));
    await expect(one.read(0)).rejects.toMatchObject({ reason: 'newer-format', position: 2 });
    expect(one.damaged).toBeUndefined();
  });

  test.each([
    ['before what was asked for', damagedAt(0)],
    ['at no place', new LedgerRecordError('conv_1', undefined, 'damaged', 'no records')],
    ['of another kind', Object.assign(new Error('no'), { code: 'other', reason: 'damaged', position: 2 })],
    ['at a place that is none', Object.assign(damagedAt(2), { position: '2' })],
    ['that is no object', 'damaged'],
  ])('passes on an error %s', async (_what, error) => {
    const one = reader(refusing(await filled(), 2, error));
    await expect(one.read(1)).rejects.toBe(error);
    expect(one.damaged).toBeUndefined();
  });

  test('passes on an error at no place at once, and looks no further', async () => {
    const store = await filled();
    const errors: Error[] = [new LedgerRecordError('conv_1', undefined, 'damaged', 'no records')];
    const read: LedgerStore['read'] = async (...all) => {
      const error = errors.pop();
      if (error !== undefined) throw error;
      return store.read(...all);
    };
    await expect(reader({ ...store, read }).read(0)).rejects.toMatchObject({ position: undefined });
  });

  test('finds a head in order, and none where there is none', async () => {
    const store = await filled();
    expect(await reader(store).head()).toMatchObject({ version: 3, length: 3 });
    expect(await reader(memoryLedger()).head()).toBeUndefined();
    const head = giving('{"format":1,"version":"three"}');
    await expect(reader({ ...store, head }).head()).rejects.toMatchObject({
      code: 'ledger_record',
      sessionId: 'conv_1',
      position: undefined,
    });
  });

  test('counts the places of records behind a head from where it ends', async () => {
    const store = await filled();
    const base = await store.head('conv_1');
    if (base === undefined) throw new Error('no head');
    const read: LedgerStore['read'] = async () => ({ base, records: [POP, HALF] });
    const one = reader({ ...store, read });
    await expect(one.read(0)).rejects.toMatchObject({ position: base.version + 1 });
  });

  test('says what is wrong with what is no page of records', async () => {
    await expect(reader({ ...memoryLedger(), read: giving('[]') }).read(0)).rejects.toThrow(
      "Cannot read the head of the ledger of 'conv_1': the store gave no records",
    );
  });
});
