import type { AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { longestIncreasing } from '../../src/util/align.ts';
import { compareList, type ListComparison } from '../../src/history/compare-list.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { recordOf, type LedgerStep } from '../../src/ledger/record.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { adoptionSteps } from '../../src/history/steps.ts';
import { call, result, user } from '../support/conversation.ts';
import { ledgerRecords } from '../support/records.ts';

const reasoning = (id: string): AgentInputItem => ({ type: 'reasoning', id, content: [] });
const listed = (id: string, text: string): ListedItem => ({ id, item: user(text) });

function apply(state: LedgerState, steps: readonly LedgerStep[]): LedgerState {
  const records = steps.map((step) => recordOf(step, { commit: 'commit', time: 0 }));
  applyRecords(state, records);
  return state;
}

/** A ledger of messages, given as `text` (pending) or `text@id` (in the conversation). */
function ledger(...messages: string[]): LedgerState {
  const items = messages.map((message) => {
    const [text = '', mirrorId] = message.split('@');
    return { ...ledgerItem(user(text), true), ...(mirrorId === undefined ? {} : { mirrorId }) };
  });
  return apply(emptyState(), [{ type: 'items', items }]);
}

/** A list of messages, given as `text@id`. */
function list(...messages: string[]): ListedItem[] {
  return messages.map((message) => {
    const [text = '', id = ''] = message.split('@');
    return listed(id, text);
  });
}

/** Takes in what a list says, as the session does. */
function adopt(state: LedgerState, found: ListComparison): LedgerState {
  const added = [...found.acknowledged, ...found.dropped];
  apply(state, [{ type: 'mirror', added, removed: [], surplus: [...found.misplaced] }]);
  return apply(state, adoptionSteps(state, found.foreign, true));
}

const told = (state: LedgerState, items: readonly ListedItem[]): string[] =>
  compareList(state, items).findings.map(({ type, id, index }) => `${type} ${id} #${index}`);

const history = (state: LedgerState): string[] =>
  state.entries.map(
    ({ mirrorId, item }) => mirrorId ?? String(item === undefined ? '' : Reflect.get(item, 'content')),
  );

/** A ledger of messages that are all in the conversation. */
const mirrored = (texts: readonly string[]): LedgerState =>
  ledger(...texts.map((one, index) => `${one}@msg_${index}`));

const idsOf = (found: ListComparison, type: string): string[] =>
  found.findings.filter((one) => one.type === type).map(({ id }) => id);

describe('a list that holds what the ledger says', () => {
  test("a list with the ledger's items has no findings", () => {
    expect(compareList(ledger('a@1', 'b@2'), list('a@1', 'b@2'))).toEqual({
      findings: [],
      acknowledged: [],
      misplaced: [],
      dropped: [],
      mislinked: [],
      duplicateWrites: [],
      repeated: [],
      foreign: [],
    });
    expect(told(emptyState(), [])).toEqual([]);
  });

  test('a list may lack pending items', () => {
    expect(told(ledger('a@1', 'b'), list('a@1'))).toEqual([]);
  });

  test('a list may still hold removed items', () => {
    const popped = apply(ledger('a@1', 'b@2'), [{ type: 'pop' }]);
    expect(told(popped, list('a@1', 'b@2', 'b@2'))).toEqual([]);
  });

  test('a list may hold an item twice that was written twice', () => {
    expect(told(ledger('a@1', 'b@2', 'a@1'), list('a@1', 'b@2', 'a@1'))).toEqual([]);
  });
});

describe('a finding', () => {
  test('a finding names a lost item and its index', () => {
    const state = ledger('hi@1', 'hello@2', 'how@3', 'fine@4');
    expect(told(state, list('hi@1', 'how@3'))).toEqual(['lost 2 #1', 'lost 4 #3']);
  });

  test('a finding names a duplicated item once', () => {
    expect(told(ledger('a@1', 'b@2'), list('a@1', 'b@2', 'a@1', 'a@1'))).toEqual(['duplicated 1 #0']);
  });

  test('a finding names a reordered item, and no other', () => {
    expect(told(ledger('a@1', 'b@2', 'c@3', 'd@4'), list('d@4', 'a@1', 'b@2', 'c@3'))).toEqual([
      'reordered 4 #3',
    ]);
  });

  test('a finding names an altered item', () => {
    expect(told(ledger('a@1', 'b@2'), list('a@1', 'B@2'))).toEqual(['altered 2 #1']);
  });

  test('a finding names a foreign item and its index', () => {
    expect(told(ledger('a@1', 'b@2', 'c@3'), list('a@1', 'x@9', 'c@3', 'y@8'))).toEqual([
      'lost 2 #1',
      'foreign 9 #2',
      'foreign 8 #3',
    ]);
  });

  test("a finding names the duplicate of a foreign item at that item's index", () => {
    expect(told(ledger('a@1', 'b@2'), list('x@9', 'a@1', 'b@2', 'x@9'))).toEqual([
      'foreign 9 #0',
      'duplicated 9 #0',
    ]);
  });

  test('stripped reasoning has no finding', () => {
    const thought = { ...ledgerItem(reasoning('rs_1'), true), mirrorId: 'rs_1' };
    const state = apply(emptyState(), [{ type: 'items', items: [thought] }]);
    const stripped: AgentInputItem = {
      type: 'reasoning',
      id: 'rs_1',
      content: [{ type: 'input_text', text: '' }],
    };
    expect(compareList(state, [{ id: 'rs_1', item: stripped }]).findings).toEqual([]);
  });
});

describe('a pending item', () => {
  test('a pending item is linked to the result of its unacknowledged write', () => {
    const found = compareList(ledger('a@1', 'b', 'c'), list('a@1', 'b@2', 'c@3'));
    expect(found).toEqual({
      findings: [],
      foreign: [],
      acknowledged: [
        { seq: 1, id: '2' },
        { seq: 2, id: '3' },
      ],
      misplaced: [],
      dropped: [],
      mislinked: [],
      duplicateWrites: [],
      repeated: [],
    });
  });

  test('an applied write that precedes a pending item is written again after it', () => {
    const state = ledger('a@1', 'b', 'c');
    const found = compareList(state, list('a@1', 'c@3'));
    expect(found).toMatchObject({ findings: [], acknowledged: [], misplaced: ['3'], foreign: [] });
    expect(history(adopt(state, found))).toEqual(['1', 'b', 'c']);
    expect(state.removed.get('3')).toBe(true);
  });

  test('an applied write of an item that left the history is not adopted', () => {
    const state = apply(ledger('a@1', 'b'), [{ type: 'pop' }]);
    const found = compareList(state, list('a@1', 'b@2', 'b@3'));
    expect(found.dropped).toEqual([{ seq: 1, id: '2' }]);
    expect(found.foreign.map(({ id }) => id)).toEqual(['3']);
    expect(history(adopt(state, found))).toEqual(['1', '3']);
    expect(state.removed.get('2')).toBe(true);
    expect(state.dropped.size).toBe(0);
  });

  test('equal pending items are linked in order', () => {
    const found = compareList(ledger('a@1', 'yes', 'yes'), list('a@1', 'yes@2', 'yes@3'));
    expect(found.acknowledged).toEqual([
      { seq: 1, id: '2' },
      { seq: 2, id: '3' },
    ]);
  });

  test('a pending item is not linked to an earlier item of another writer', () => {
    const state = ledger('a@1', 'b@2', 'yes');
    const found = compareList(state, list('a@1', 'yes@9', 'b@2'));
    expect(found.acknowledged).toEqual([]);
    expect(history(adopt(state, found))).toEqual(['1', '9', '2', 'yes']);
  });

  test('an item that is listed out of order is neither linked nor adopted', () => {
    const items = list('a@1', 'yes@9', 'b@2', 'yes@8');
    const state = ledger('a@1', 'b@2', 'no', 'yes');
    const found = compareList(state, items.slice(0, 3), () => true);
    expect(found).toMatchObject({ acknowledged: [], misplaced: [], foreign: [] });
    expect(idsOf(found, 'foreign')).toEqual(['9']);
    expect(history(adopt(state, found))).toEqual(['1', '2', 'no', 'yes']);
    // Once it is known where the write went, what is left is somebody else's.
    apply(state, [{ type: 'mirror', added: [{ seq: 3, id: '8' }], removed: [] }]);
    expect(compareList(state, items, () => true).foreign.map(({ id }) => id)).toEqual(['9']);
  });

  test('a pending item is linked although an older item moved to the end', () => {
    expect(
      compareList(ledger('a@1', 'b@2', 'c@3', 'd'), list('b@2', 'c@3', 'd@4', 'a@1')).acknowledged,
    ).toEqual([{ seq: 3, id: '4' }]);
  });

  test('a pending item is not linked to an item with a pending removal', () => {
    const state = apply(ledger('a@1', 'b@2'), [
      { type: 'pop' },
      { type: 'items', items: [ledgerItem(user('b'), true)] },
    ]);
    expect(compareList(state, list('a@1', 'b@2')).acknowledged).toEqual([]);
  });

  test('a pending item follows the items that another writer added meanwhile', () => {
    const state = ledger('a@1', 'mine');
    expect(history(adopt(state, compareList(state, list('a@1', 'x@9'))))).toEqual(['1', '9', 'mine']);
  });

  test('a pending item is linked beside an applied write that left the history', () => {
    const state = apply(ledger('a@1', 'b', 'c'), [{ type: 'pop' }]);
    const found = compareList(state, list('a@1', 'b@2', 'c@3'));
    expect(found).toMatchObject({ acknowledged: [{ seq: 1, id: '2' }], dropped: [{ seq: 2, id: '3' }] });
    expect(compareList(state, list('a@1', 'b@2'))).toMatchObject({ dropped: [] });
  });

  test('a pending item is not linked to the item of another entry, nor twice to one item', () => {
    expect(compareList(ledger('a', 'a@1'), list('a@1')).acknowledged).toEqual([]);
    expect(compareList(ledger('a@1', 'b', 'b'), list('a@1', 'b@2', 'b@2')).acknowledged).toEqual([
      { seq: 1, id: '2' },
    ]);
  });

  test('a pending item is linked before other items of the conversation', () => {
    expect(compareList(ledger('b', 'c@3'), list('b@2', 'c@3')).acknowledged).toEqual([{ seq: 0, id: '2' }]);
  });

  test('a pending item is linked after reasoning that cannot be found', () => {
    const items = [{ digest: null, kind: 'reasoning' }, ledgerItem(user('b'), true)];
    const state = apply(emptyState(), [{ type: 'items', items }]);
    expect(compareList(state, list('b@2'))).toMatchObject({
      acknowledged: [{ seq: 1, id: '2' }],
      misplaced: [],
    });
  });

  test('items that another writer added after a pending item follow it', () => {
    const found = compareList(ledger('a@1', 'b'), list('a@1', 'b@2', 'x@9'));
    expect(found.foreign.map(({ id, index }) => [id, index])).toEqual([['9', 2]]);
  });

  test('a retried item is linked to its last copy, and the other copies are duplicates', () => {
    const again: LedgerStep = { type: 'mirror', added: [], removed: [], again: [1, 2] };
    const state = apply(ledger('a@1', 'b', 'b'), [again]);
    const three = compareList(state, list('a@1', 'b@2', 'b@3', 'b@4'));
    expect(three.acknowledged).toEqual([
      { seq: 1, id: '3' },
      { seq: 2, id: '4' },
    ]);
    expect(three.duplicateWrites.map(({ id }) => id)).toEqual(['2']);
    const two = compareList(state, list('a@1', 'b@2', 'b@3'));
    expect(two.acknowledged.map(({ id }) => id)).toEqual(['2', '3']);
    expect(compareList(state, list('a@1'))).toMatchObject({ acknowledged: [], misplaced: [] });
    const one = apply(ledger('a@1', 'b'), [{ ...again, again: [1] }]);
    expect(compareList(one, list('a@1', 'b@2', 'b@3')).acknowledged).toEqual([{ seq: 1, id: '3' }]);
  });

  test('pending reasoning is linked by its ID', () => {
    const state = apply(emptyState(), [{ type: 'items', items: [ledgerItem(reasoning('rs_1'), true)] }]);
    expect(
      compareList(state, [
        { id: 'rs_2', item: reasoning('rs_2') },
        { id: 'rs_1', item: reasoning('rs_1') },
      ]),
    ).toMatchObject({
      acknowledged: [{ seq: 0, id: 'rs_1' }],
      foreign: [{ id: 'rs_2' }],
    });
  });
});

describe('whatever happens to a list', () => {
  const text = fc.constantFrom('a', 'b', 'c');
  const change = fc.oneof(
    fc.record({ kind: fc.constant('drop' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('duplicate' as const), at: fc.nat(), to: fc.nat() }),
    fc.record({ kind: fc.constant('move' as const), at: fc.nat(), to: fc.nat() }),
    fc.record({ kind: fc.constant('alter' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('insert' as const), to: fc.nat(), text }),
  );

  /** A ledger whose items are all in the conversation, and what became of its list. */
  const changed: Arbitrary<{ texts: string[]; list: ListedItem[] }> = fc
    .tuple(fc.array(text, { maxLength: 8 }), fc.array(change, { maxLength: 6 }))
    .map(([texts, changes]) => {
      let items = texts.map((one, index) => listed(`msg_${index}`, one));
      for (const [number, one] of changes.entries()) {
        const to = 'to' in one ? one.to % (items.length + 1) : 0;
        const at = 'at' in one && items.length > 0 ? one.at % items.length : 0;
        const subject = items[at];
        if (one.kind === 'insert') items = items.toSpliced(to, 0, listed(`other_${number}`, one.text));
        else if (subject === undefined) continue;
        else if (one.kind === 'drop') items = items.toSpliced(at, 1);
        else if (one.kind === 'duplicate') items = items.toSpliced(to, 0, subject);
        else if (one.kind === 'alter') items = items.toSpliced(at, 1, listed(subject.id, 'altered'));
        else items = items.toSpliced(at, 1).toSpliced(to % items.length, 0, subject);
      }
      return { texts, list: items };
    });

  test('every finding of a random list is right and unique', () => {
    fc.assert(
      fc.property(changed, ({ texts, list: items }) => {
        const found = compareList(mirrored(texts), items);
        const ids = items.map(({ id }) => id);
        const own = texts.map((_, index) => `msg_${index}`);
        const first = [...new Set(ids)];
        const kept = longestIncreasing(first.filter((id) => own.includes(id)).map((id) => own.indexOf(id)));

        expect(idsOf(found, 'lost').toSorted()).toEqual(own.filter((id) => !ids.includes(id)).toSorted());
        expect(idsOf(found, 'foreign')).toEqual(first.filter((id) => !own.includes(id)));
        expect(idsOf(found, 'duplicated').toSorted()).toEqual(
          first.filter((id) => ids.indexOf(id) !== ids.lastIndexOf(id)).toSorted(),
        );
        expect(idsOf(found, 'altered').toSorted()).toEqual(
          first
            .filter((id) => {
              const shown = items.find((one) => one.id === id);
              return (
                own.includes(id) &&
                shown !== undefined &&
                Reflect.get(shown.item, 'content') !== texts[own.indexOf(id)]
              );
            })
            .toSorted(),
        );
        expect(idsOf(found, 'reordered')).toHaveLength(
          first.filter((id) => own.includes(id)).length - kept.size,
        );
        const told = found.findings.map(({ type, id }) => `${type} ${id}`);
        expect(new Set(told).size).toBe(told.length);
        const placed = found.findings.filter(({ id }) => own.includes(id));
        expect(placed.map(({ index }) => index)).toEqual(placed.map(({ id }) => own.indexOf(id)));
      }),
      { seed: 20261129, numRuns: 1_000 },
    );
  });

  test('adopted items of a random list keep their neighbours', () => {
    fc.assert(
      fc.property(changed, ({ texts, list: items }) => {
        const before = mirrored(texts);
        const found = compareList(before, items);
        const moved = new Set(idsOf(found, 'reordered'));
        const after = history(adopt(before, found));
        const shown = [...new Set(items.map(({ id }) => id))].filter((id) => !moved.has(id));
        expect(after.filter((id) => shown.includes(id))).toEqual(shown);
        expect(after.filter((id) => id.startsWith('msg_'))).toEqual(texts.map((_, index) => `msg_${index}`));
        expect(after).toHaveLength(texts.length + found.foreign.length);

        const again = compareList(before, items);
        expect(again.foreign).toEqual([]);
        expect(again.acknowledged).toEqual([]);
        for (const type of ['lost', 'altered', 'duplicated'])
          expect(idsOf(again, type).toSorted()).toEqual(idsOf(found, type).toSorted());
      }),
      { seed: 20261129, numRuns: 1_000 },
    );
  });

  test('no item of a random ledger is lost, doubled or moved by pending writes and removals', () => {
    const shown = fc.array(
      fc.record({ id: fc.constantFrom('msg_1', 'msg_2', 'msg_3', 'msg_4', 'msg_5'), text }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(ledgerRecords, fc.array(text, { maxLength: 3 }), shown, (records, pending, shownItems) => {
        const before = emptyState();
        applyRecords(before, records);
        apply(before, [{ type: 'items', items: pending.map((one) => ledgerItem(user(one), true)) }]);
        const seqs = before.entries.map(({ seq }) => seq);
        const items = shownItems.map(({ id, text: one }) => listed(id, one));

        const found = compareList(before, items);
        const told = found.findings.map(({ type, id, index }) => `${type} ${id} #${index}`);
        adopt(before, found);

        // The ledger's own items are all there, in their order.
        expect(before.entries.map(({ seq }) => seq).filter((seq) => seqs.includes(seq))).toEqual(seqs);
        expect(before.entries).toHaveLength(seqs.length + found.foreign.length);
        // What the list shows is in the ledger, unless it is on its way out, or has the ID of an item that was sent.
        const held = new Set(before.entries.map(({ mirrorId }) => mirrorId));
        const mistaken = new Set(found.mislinked.map(({ id }) => id));
        for (const { id } of items)
          expect(held.has(id) || before.removed.has(id) || mistaken.has(id)).toBe(true);
        expect(new Set(told).size).toBe(told.length);
        expect(compareList(before, items)).toMatchObject({ foreign: [], acknowledged: [] });
      }),
      { seed: 20261129, numRuns: 1_000 },
    );
  });
});

test('compareList adopts no call and no result of a call that the history has', () => {
  const own = [call('call_1', 'look_up', { key: 'a' }), result('call_1', 'look_up', 'found')];
  const state = apply(emptyState(), [{ type: 'items', items: own.map((item) => ledgerItem(item, true)) }]);
  const shown = [
    { id: 'fc_1', item: call('call_1', 'look_up', { key: 'a', limit: null }) },
    { id: 'fco_1', item: result('call_1', 'look_up', 'found ') },
    { id: 'fc_2', item: call('call_2', 'look_up', { key: 'a' }) },
    { id: 'fco_2', item: result('call_2', 'look_up', 'found') },
  ];
  const { foreign, findings } = compareList(state, [...shown, listed('msg_1', 'hi')]);
  expect(foreign.map(({ id }) => id)).toEqual(['fc_2', 'fco_2', 'msg_1']);
  expect(findings.filter(({ type }) => type === 'foreign')).toHaveLength(5);
});
