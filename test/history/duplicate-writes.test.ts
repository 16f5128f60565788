import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { compareList } from '../../src/history/compare-list.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { MAX_DELAY_MS } from '../../src/history/duplicate-writes.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { recordOf, type LedgerRecord, type LedgerStep } from '../../src/ledger/record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { user } from '../support/conversation.ts';

const thought = (id: string): AgentInputItem => ({ type: 'reasoning', id, content: [] });
const say = (...items: AgentInputItem[]): LedgerStep => ({
  type: 'items',
  items: items.map((item) => ledgerItem(item, true)),
});
const written = (seq: number, id: string): LedgerStep => ({
  type: 'mirror',
  added: [{ seq, id }],
  removed: [],
});
/** These were written although an earlier try may have been applied. */
const again = (...seqs: number[]): LedgerStep => ({ type: 'mirror', added: [], removed: [], again: seqs });

function stateOf(...steps: LedgerStep[]): LedgerState {
  const state = emptyState();
  applyRecords(
    state,
    steps.map((step) => recordOf(step, { commit: 'c', time: 0 })),
  );
  return state;
}

const list = (...items: [string, AgentInputItem][]): ListedItem[] =>
  items.map(([id, item]) => ({ id, item }));

function duplicatesOf(state: LedgerState, items: readonly ListedItem[]): unknown {
  const { duplicateWrites, foreign, findings } = compareList(state, items);
  return {
    duplicates: duplicateWrites.map(({ seq, id }) => `${seq} ${id}`),
    foreign: foreign.map(({ id }) => id),
    duplicated: findings
      .filter(({ type }) => type === 'duplicated')
      .map(({ id, index }) => `${id} #${index}`),
  };
}

const NOTHING = { duplicates: [], foreign: [], duplicated: [] };

describe('what an earlier try left in the list', () => {
  const state = stateOf(say(user('a')), again(0), written(0, 'msg_last'));

  test('a duplicate has the digest of the written item, before or after the last write', () => {
    expect(duplicatesOf(state, list(['msg_first', user('a')], ['msg_last', user('a')]))).toEqual({
      duplicates: ['0 msg_first'],
      foreign: [],
      duplicated: ['msg_first #1'],
    });
    expect(duplicatesOf(state, list(['msg_last', user('a')], ['msg_late', user('a')]))).toEqual({
      duplicates: ['0 msg_late'],
      foreign: [],
      duplicated: ['msg_late #1'],
    });
    expect(duplicatesOf(state, list(['msg_y', user('b')], ['msg_last', user('a')]))).toEqual({
      ...NOTHING,
      foreign: ['msg_y'],
    });
  });

  test('there are at most as many duplicates as writes; a further equal item is foreign', () => {
    const items = list(
      ['msg_1', user('a')],
      ['msg_2', user('a')],
      ['msg_3', user('a')],
      ['msg_last', user('a')],
    );
    expect(duplicatesOf(state, items)).toEqual({
      duplicates: ['0 msg_1'],
      foreign: ['msg_2', 'msg_3'],
      duplicated: ['msg_1 #1'],
    });
    const twice = stateOf(say(user('a')), again(0), again(0), written(0, 'msg_last'));
    expect(duplicatesOf(twice, items)).toEqual({
      duplicates: ['0 msg_1', '0 msg_2'],
      foreign: ['msg_3'],
      duplicated: ['msg_1 #1', 'msg_2 #1'],
    });
  });

  test('a duplicate is found at any position when the last write is lost', () => {
    expect(duplicatesOf(state, list(['msg_first', user('a')]))).toEqual({
      duplicates: ['0 msg_first'],
      foreign: [],
      duplicated: ['msg_first #1'],
    });
  });

  test('a duplicate belongs to one of several equal entries', () => {
    const alike = stateOf(
      say(user('a'), user('a')),
      again(0, 1),
      written(0, 'msg_last0'),
      written(1, 'msg_last1'),
    );
    const items = list(['msg_1', user('a')], ['msg_last0', user('a')], ['msg_last1', user('a')]);
    expect(duplicatesOf(alike, items)).toMatchObject({ duplicates: ['0 msg_1'], foreign: [] });
    const [first, ...rest] = items;
    expect(first && duplicatesOf(alike, [first, ...list(['msg_2', user('a')]), ...rest])).toMatchObject({
      duplicates: ['0 msg_1', '1 msg_2'],
      foreign: [],
    });
  });

  test('an item that was written once has no duplicates', () => {
    const once = stateOf(say(user('a')), written(0, 'msg_last'));
    expect(
      duplicatesOf(once, list(['msg_x', user('a')], ['msg_y', user('b')], ['msg_last', user('a')])),
    ).toEqual({
      ...NOTHING,
      foreign: ['msg_x', 'msg_y'],
    });
    expect(duplicatesOf(state, list(['msg_last', user('a')]))).toEqual(NOTHING);
  });
});

describe('reasoning that was written twice', () => {
  test('duplicate reasoning is found by its ID', () => {
    const state = stateOf(
      say(thought('rs_1'), user('a')),
      again(0),
      written(0, 'rs_last'),
      written(1, 'msg_1'),
    );
    const items = list(['rs_x', thought('rs_x')], ['rs_1', thought('rs_1')], ['rs_last', thought('rs_last')]);
    expect(duplicatesOf(state, [...items, ...list(['msg_1', user('a')])])).toEqual({
      duplicates: ['0 rs_1'],
      foreign: ['rs_x'],
      duplicated: ['rs_1 #2'],
    });
  });
});

describe('an item that left the history before its write was seen', () => {
  test('a late write of an item that left the history is removed', () => {
    const settled: LedgerStep = { type: 'mirror', added: [], removed: [], settled: true };
    const state = stateOf(say(user('a'), user('b')), written(0, 'msg_a'), { type: 'pop' }, settled);
    expect(duplicatesOf(state, list(['msg_a', user('a')], ['msg_b', user('b')]))).toEqual({
      duplicates: ['1 msg_b'],
      foreign: [],
      duplicated: ['msg_b #1'],
    });
  });
});

function at(time: number, ...steps: LedgerStep[]): LedgerRecord[] {
  return steps.map((step) => recordOf(step, { commit: `c${time}`, time }));
}

function told(...records: LedgerRecord[][]): LedgerState {
  const state = emptyState();
  applyRecords(state, records.flat());
  return state;
}

/** A session that wrote an item twice, and another one at that time. */
function writtenAfter(time: number): LedgerState {
  return told(
    at(1, say(user('a')), again(0), written(0, 'msg_last')),
    at(time, say(user('b')), written(1, 'msg_b')),
  );
}

describe('a copy of a write without an answer', () => {
  test('a duplicate never precedes an item that was written before it', () => {
    const state = told(
      at(0, say(user('zero')), written(0, 'msg_0')),
      at(1, say(user('a')), again(1), written(1, 'msg_last')),
    );
    const items = list(['msg_x', user('a')], ['msg_0', user('zero')], ['msg_last', user('a')]);
    expect(duplicatesOf(state, items)).toEqual({ ...NOTHING, foreign: ['msg_x'] });
  });

  test('a duplicate never follows an item that was written ten minutes later', () => {
    const items = list(['msg_last', user('a')], ['msg_b', user('b')], ['msg_x', user('a')]);
    expect(duplicatesOf(writtenAfter(MAX_DELAY_MS), items)).toMatchObject({
      duplicates: ['0 msg_x'],
      foreign: [],
    });
    expect(duplicatesOf(writtenAfter(MAX_DELAY_MS + 2), items)).toEqual({ ...NOTHING, foreign: ['msg_x'] });
  });

  test('a resolved write has no further duplicates', () => {
    const resolved: LedgerStep = { type: 'mirror', added: [], removed: [], resolved: [0] };
    const state = told(at(1, say(user('a')), again(0), written(0, 'msg_last'), resolved));
    const items = list(['msg_last', user('a')], ['msg_b', user('b')], ['msg_x', user('a')]);
    expect(duplicatesOf(state, items)).toEqual({ ...NOTHING, foreign: ['msg_b', 'msg_x'] });
  });
});
