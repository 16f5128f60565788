import { describe, expect, test } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { compareList, type ListComparison } from '../../src/history/compare-list.ts';
import { ledgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import type { LedgerState } from '../../src/ledger/state.ts';
import { user } from '../support/conversation.ts';
import { stateOf } from '../support/steps.ts';

/** An adopted history of letters: a capital one was not in the list, and its ID is that of a response. */
function adopted(texts: string): LedgerState {
  const letters = texts.split('');
  const items = letters.map((text) => ledgerItem(user(text.toLowerCase()), true));
  const added = letters.map((text, seq) => ({
    seq,
    ...(text === text.toLowerCase() ? { id: `msg_${text}` } : { id: `resp_${seq}`, assumed: true }),
  }));
  const steps: LedgerStep[] = [
    { type: 'items', items },
    { type: 'mirror', added, removed: [] },
  ];
  return stateOf(...steps);
}

const list = (texts: string): ListedItem[] =>
  texts.split('').map((text) => ({ id: `msg_${text}`, item: user(text.toLowerCase()) }));

const told = ({ acknowledged, foreign, findings }: ListComparison): string =>
  [
    ...acknowledged.map(({ seq, id }) => `${seq} is ${id}`),
    ...foreign.map(({ id, index }) => `${id} at ${index}`),
    ...findings.flatMap(({ type, id }) => (type === 'lost' ? [`lost ${id}`] : [])),
  ].join(', ');

describe('items that the list lacked when a history was adopted', () => {
  test.each([
    ['at the end', 'abCD', 'abcd', '2 is msg_c, 3 is msg_d'],
    ['in the middle', 'aBCd', 'abcd', '1 is msg_b, 2 is msg_c'],
    ['at the beginning', 'ABc', 'abc', '0 is msg_a, 1 is msg_b'],
    ['without others that stay lost', 'aBCd', 'acd', '2 is msg_c, lost resp_1'],
    ['with new items behind them', 'aBC', 'abcx', '1 is msg_b, 2 is msg_c, msg_x at 3'],
    [
      "and not an equal item behind another writer's",
      'aBC',
      'axbc',
      'msg_x at 3, msg_b at 3, msg_c at 3, lost resp_1, lost resp_2',
    ],
    ['and not an equal item behind a later one', 'aBc', 'acb', 'msg_b at 3, lost resp_1'],
    ['and not an equal item in place of one that the list has shown', 'ab', 'aB', 'msg_B at 2, lost msg_b'],
  ])('a list shows late items %s', (_where, history, shown, expected) => {
    expect(told(compareList(adopted(history), list(shown)))).toBe(expected);
  });

  test('a late item is known under its ID in the conversation from then on', () => {
    const state = adopted('aB');
    const { acknowledged } = compareList(state, list('ab'));
    const after = stateOf(
      { type: 'items', items: state.entries.map(({ item = user('') }) => ledgerItem(item, true)) },
      {
        type: 'mirror',
        added: [
          { seq: 0, id: 'msg_a' },
          { seq: 1, id: 'resp_1', assumed: true },
        ],
        removed: [],
      },
      { type: 'mirror', added: [...acknowledged], removed: [] },
    );
    expect(after.entries.map(({ mirrorId, assumed }) => [mirrorId, assumed])).toEqual([
      ['msg_a', false],
      ['msg_b', false],
    ]);
    expect([...after.removed]).toEqual([]);
    expect(compareList(after, list('ab')).findings).toEqual([]);
  });
});
