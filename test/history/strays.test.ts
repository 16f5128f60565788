import type { AgentInputItem } from '@openai/agents';
import { describe, expect, test } from 'vitest';
import type { ListedItem } from '../../src/history/listed-item.ts';
import { reconcile } from '../../src/history/reconcile.ts';
import { ledgerItem } from '../../src/ledger/agent-item.ts';
import { applyRecords } from '../../src/ledger/apply-records.ts';
import { recordOf, type LedgerStep } from '../../src/ledger/ledger-record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/ledger-state.ts';
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

function straysOf(state: LedgerState, items: readonly ListedItem[]): unknown {
  const { strays, foreign, findings } = reconcile(state, items);
  return {
    strays: strays.map(({ seq, id }) => `${seq} ${id}`),
    foreign: foreign.map(({ id }) => id),
    duplicated: findings
      .filter(({ type }) => type === 'duplicated')
      .map(({ id, index }) => `${id} #${index}`),
  };
}

const NOTHING = { strays: [], foreign: [], duplicated: [] };

describe('what an earlier try left in the list', () => {
  const state = stateOf(say(user('a')), again(0), written(0, 'msg_last'));

  test('is known by what it says, before what the last try wrote, and by no one else', () => {
    expect(straysOf(state, list(['msg_first', user('a')], ['msg_last', user('a')]))).toEqual({
      strays: ['0 msg_first'],
      foreign: [],
      duplicated: ['msg_first #1'],
    });
    expect(straysOf(state, list(['msg_last', user('a')], ['msg_x', user('a')]))).toEqual({
      ...NOTHING,
      foreign: ['msg_x'],
    });
    expect(straysOf(state, list(['msg_y', user('b')], ['msg_last', user('a')]))).toEqual({
      ...NOTHING,
      foreign: ['msg_y'],
    });
  });

  test('is as many as there were tries: what is more is somebody else’s', () => {
    const items = list(
      ['msg_1', user('a')],
      ['msg_2', user('a')],
      ['msg_3', user('a')],
      ['msg_last', user('a')],
    );
    expect(straysOf(state, items)).toEqual({
      strays: ['0 msg_1'],
      foreign: ['msg_2', 'msg_3'],
      duplicated: ['msg_1 #1'],
    });
    const twice = stateOf(say(user('a')), again(0), again(0), written(0, 'msg_last'));
    expect(straysOf(twice, items)).toEqual({
      strays: ['0 msg_1', '0 msg_2'],
      foreign: ['msg_3'],
      duplicated: ['msg_1 #1', 'msg_2 #1'],
    });
  });

  test('is found wherever it stands when the last try is lost from the list', () => {
    expect(straysOf(state, list(['msg_first', user('a')]))).toEqual({
      strays: ['0 msg_first'],
      foreign: [],
      duplicated: ['msg_first #1'],
    });
  });

  test('belongs to one entry alone, however alike they are', () => {
    const alike = stateOf(
      say(user('a'), user('a')),
      again(0, 1),
      written(0, 'msg_last0'),
      written(1, 'msg_last1'),
    );
    const items = list(['msg_1', user('a')], ['msg_last0', user('a')], ['msg_last1', user('a')]);
    expect(straysOf(alike, items)).toMatchObject({ strays: ['0 msg_1'], foreign: [] });
    const [first, ...rest] = items;
    expect(first && straysOf(alike, [first, ...list(['msg_2', user('a')]), ...rest])).toMatchObject({
      strays: ['0 msg_1', '1 msg_2'],
      foreign: [],
    });
  });

  test('is nothing where no try was made twice', () => {
    const once = stateOf(say(user('a')), written(0, 'msg_last'));
    expect(straysOf(once, list(['msg_x', user('a')], ['msg_last', user('a')]))).toEqual({
      ...NOTHING,
      foreign: ['msg_x'],
    });
    expect(straysOf(state, list(['msg_last', user('a')]))).toEqual(NOTHING);
  });
});

describe('reasoning that was written twice', () => {
  test('is known by its ID, for no digest covers it', () => {
    const state = stateOf(
      say(thought('rs_1'), user('a')),
      again(0),
      written(0, 'rs_last'),
      written(1, 'msg_1'),
    );
    const items = list(['rs_x', thought('rs_x')], ['rs_1', thought('rs_1')], ['rs_last', thought('rs_last')]);
    expect(straysOf(state, [...items, ...list(['msg_1', user('a')])])).toEqual({
      strays: ['0 rs_1'],
      foreign: ['rs_x'],
      duplicated: ['rs_1 #2'],
    });
  });
});

describe('an item that left the history before its write was seen', () => {
  test('is taken out of the conversation when it shows', () => {
    const settled: LedgerStep = { type: 'mirror', added: [], removed: [], settled: true };
    const state = stateOf(say(user('a'), user('b')), written(0, 'msg_a'), { type: 'pop' }, settled);
    expect(straysOf(state, list(['msg_a', user('a')], ['msg_b', user('b')]))).toEqual({
      strays: ['1 msg_b'],
      foreign: [],
      duplicated: ['msg_b #1'],
    });
  });
});
