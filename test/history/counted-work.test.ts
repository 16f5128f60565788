import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it, test } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { compareList } from '../../src/history/compare-list.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { recordOf, type LedgerStep } from '../../src/ledger/record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { adoptionSteps } from '../../src/history/steps.ts';
import { user } from '../support/conversation.ts';
import { workOf } from '../support/counted-work.ts';

function apply(state: LedgerState, steps: readonly LedgerStep[]): LedgerState {
  applyRecords(
    state,
    steps.map((step) => recordOf(step, { commit: 'commit', time: 0 })),
  );
  return state;
}

const said = (text: string, id: string): ListedItem => ({ id, item: user(text) });
const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** A history that is all in the conversation. */
function mirrored(count: number): LedgerState {
  const items = numbers(count).map((at) => ({
    ...ledgerItem(user(`own ${at}`), true),
    mirrorId: `own_${at}`,
  }));
  return apply(emptyState(), [{ type: 'items', items }]);
}

/** A history of which nothing is known to be in the conversation, said again and again. */
function pending(count: number): LedgerState {
  const items = numbers(count).map((at) => ledgerItem(user(`again ${at % 2}`), true));
  return apply(emptyState(), [{ type: 'items', items }]);
}

interface Case {
  readonly state: LedgerState;
  readonly list: readonly ListedItem[];
}

/** What once took a step for every pair of items. */
const CASES: Readonly<Record<string, (count: number) => Case>> = {
  'foreign items among as many of its own': (count) => ({
    state: mirrored(count),
    list: numbers(count).flatMap((at) => [
      said(`own ${at}`, `own_${at}`),
      said(`other ${at}`, `other_${at}`),
    ]),
  }),
  'foreign items behind its own, each listed twice': (count) => ({
    state: mirrored(count),
    list: [
      ...numbers(count).map((at) => said(`own ${at}`, `own_${at}`)),
      ...numbers(count).flatMap((at) => [
        said(`other ${at}`, `other_${at}`),
        said(`other ${at}`, `other_${at}`),
      ]),
    ],
  }),
  'writes without an answer, all alike': (count) => ({
    state: pending(count),
    list: numbers(count).map((at) => said(`again ${at % 2}`, `msg_${at}`)),
  }),
  'writes without an answer behind what is there': (count) => {
    const state = mirrored(count);
    const items = numbers(count).map(() => ledgerItem(user('again'), true));
    return {
      state: apply(state, [{ type: 'items', items }]),
      list: [
        ...numbers(count).map((at) => said(`own ${at}`, `own_${at}`)),
        ...numbers(count).map((at) => said('again', `msg_${at}`)),
      ],
    };
  },
  'writes that were tried twice': (count) => {
    const state = pending(count);
    apply(state, [{ type: 'mirror', added: [], removed: [], again: numbers(count) }]);
    return { state, list: numbers(2 * count).map((at) => said(`again ${at % 2}`, `msg_${at}`)) };
  },
  'what left the history while it was written': (count) => ({
    state: apply(pending(count), [{ type: 'replace', keep: 0, items: [] }]),
    list: numbers(count).map((at) => said(`again ${at % 2}`, `msg_${at}`)),
  }),
};

/** Compares, and takes in what was found, as a session does. */
function takeIn({ state, list }: Case): void {
  const found = compareList(state, list, () => true);
  apply(state, [
    {
      type: 'mirror',
      added: [...found.acknowledged, ...found.dropped],
      removed: [],
      surplus: [...found.misplaced],
      duplicates: [...found.duplicateWrites],
    },
    ...adoptionSteps(state, found.foreign, true),
  ]);
}

describe('comparing a list with the ledger, and adopting, costs ten times as much for ten times the items', () => {
  test.each(Object.entries(CASES))('%s costs linear work', (_name, made) => {
    const [few, many] = [made(300), made(3000)];
    const [less, more] = [workOf(() => takeIn(few)), workOf(() => takeIn(many))];
    expect(less).toBeGreaterThan(300);
    expect(more / less).toBeLessThan(20);
  });

  it('a comparison of forty thousand foreign items among as many own items takes linear work', () => {
    const { state, list } = CASES['foreign items among as many of its own']?.(40_000) ?? {
      state: emptyState(),
      list: [],
    };
    takeIn({ state, list });
    const told = state.entries.map(({ mirrorId }) => mirrorId);
    expect(told).toEqual(list.map(({ id }) => id));
  });
});

test('the helper counts reads of array elements', () => {
  const items: AgentInputItem[] = numbers(10).map((at) => user(`${at}`));
  expect(workOf(() => items.find((one) => one === items[9]))).toBe(10);
  expect(workOf(() => items.splice(0, 1))).toBe(9);
});
