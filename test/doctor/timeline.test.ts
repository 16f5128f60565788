import type { AgentInputItem } from '@openai/agents';
import { describe, expect, it } from 'vitest';
import type { ListedItem } from '../../src/conversation/items.ts';
import { timelineOf, type Timeline, type TimelineOptions } from '../../src/doctor/timeline.ts';
import { compareList } from '../../src/history/compare-list.ts';
import { ledgerItem, recordOf, type LedgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { assistant, user } from '../support/conversation.ts';

/** An item given as `u hi`, `s hi`, `a hi` or `r`, with `@id` behind it when it is in the conversation. */
function parsed(told: string): { readonly item: AgentInputItem; readonly id: string | undefined } {
  const [said = '', id] = told.split('@');
  const [role, text = ''] = said.split(' ');
  if (role === 'a') return { item: assistant(text), id };
  if (role === 'r') return { item: { type: 'reasoning', content: [] }, id };
  if (role === 's') return { item: { type: 'message', role: 'system', content: text }, id };
  return { item: user(text), id };
}

function recorded(told: string, keepContent = true): LedgerItem {
  const { item, id } = parsed(told);
  return { ...ledgerItem(item, keepContent), ...(id === undefined ? {} : { mirrorId: id }) };
}

function ledger(told: readonly string[], steps: readonly LedgerStep[] = [], keepContent = true): LedgerState {
  const state = emptyState();
  const items = told.map((one) => recorded(one, keepContent));
  const all: LedgerStep[] = [{ type: 'items', items }, ...steps];
  applyRecords(
    state,
    all.map((step) => recordOf(step, { commit: 'commit', time: 0 })),
  );
  return state;
}

const listed = (told: readonly string[]): ListedItem[] =>
  told.map((one) => {
    const { item, id = '' } = parsed(one);
    return { id, item };
  });

function timeline(
  state: LedgerState,
  told: readonly string[],
  options: Partial<TimelineOptions> = {},
): Timeline {
  const list = listed(told);
  return timelineOf({
    state,
    list,
    found: compareList(state, list),
    foreign: new Set(),
    responseOf: () => undefined,
    sourcesOf: () => [],
    contentOf: undefined,
    ...options,
  });
}

/** Each item as its position, its ID, its status, its places in the list, and its findings. */
const rows = ({ items }: Timeline): string[] =>
  items.map(({ index, id, status, positions, findings }) =>
    [index ?? '-', id ?? '?', status, positions.join('+'), ...findings].join(' ').trimEnd(),
  );

const told = ({ findings }: Timeline): string[] =>
  findings.map(({ type, id, index }) => `${type} ${id} #${index}`);

const turns = (...items: string[]): number[] => timeline(ledger(items), []).items.map(({ turn }) => turn);

const turnsOf = (responses: Readonly<Record<number, string>>, ...items: string[]): number[] =>
  timeline(ledger(items), [], { responseOf: (_, index) => responses[index] }).items.map(({ turn }) => turn);

const mirror = (step: Partial<Extract<LedgerStep, { type: 'mirror' }>>): LedgerStep => ({
  type: 'mirror',
  added: [],
  removed: [],
  ...step,
});

describe('the status of an item', () => {
  it('an item is listed, lost, pending or only local', () => {
    const state = ledger(
      ['u one@1', 'a two@2', 'u three', 'a four'],
      [mirror({ skipped: [{ seq: 2, reason: 'no form' }] })],
    );
    const found = timeline(state, ['u one@1']);
    expect(rows(found)).toEqual(['0 1 listed 0', '1 2 lost  lost', '2 ? local', '3 ? pending']);
    expect(told(found)).toEqual(['lost 2 #1']);
  });

  it('an applied write that the ledger does not know yet is listed once, under its ID', () => {
    const found = timeline(ledger(['u one@1', 'u two']), ['u one@1', 'u two@2']);
    expect(rows(found)).toEqual(['0 1 listed 0', '1 2 listed 1']);
    expect(found.findings).toEqual([]);
  });

  it('an item keeps its own ID where the conversation has none', () => {
    const state = emptyState();
    const items = [ledgerItem(assistant('one', 'msg_own'), true)];
    applyRecords(state, [recordOf({ type: 'items', items }, { commit: 'commit', time: 0 })]);
    expect(rows(timeline(state, []))).toEqual(['0 msg_own pending']);
  });

  it('a removed item stands in its place, counts nothing, and belongs to the turn before', () => {
    const state = ledger(
      ['u one@1', 'a two@2', 'u three@3', 'a four@4'],
      [{ type: 'replace', keep: 1, items: [{ seq: 2 }, { seq: 3 }] }],
    );
    const found = timeline(state, ['u one@1', 'a two@2', 'u three@3', 'a four@4']);
    expect(rows(found)).toEqual(['0 1 listed 0', '- 2 removed 1', '1 3 listed 2', '2 4 listed 3']);
    expect(found.items.map(({ turn }) => turn)).toEqual([1, 1, 2, 2]);
    expect(found.indexes).toEqual([0, 1, 2]);
  });

  it('removed items at the front and at the end stand there, in the order of the list', () => {
    const state = ledger(
      ['u one@1', 'a two@2', 'u three@3', 'a four@4', 'u five@5'],
      [{ type: 'replace', keep: 0, items: [{ seq: 2 }] }],
    );
    const all = ['u one@1', 'a two@2', 'u three@3', 'a four@4', 'u five@5'];
    expect(rows(timeline(state, all))).toEqual([
      '- 1 removed 0',
      '- 2 removed 1',
      '0 3 listed 2',
      '- 4 removed 3',
      '- 5 removed 4',
    ]);
  });
});

describe('the items of another writer', () => {
  it('an item of another writer stands before the entry that follows it, and moves the later positions', () => {
    const found = timeline(ledger(['u one@1', 'a two@2', 'a three@3']), ['u one@1', 'u new@9', 'a two@2']);
    expect(rows(found)).toEqual(['0 1 listed 0', '1 9 listed 1 foreign', '2 2 listed 2', '3 3 lost  lost']);
    expect(told(found)).toEqual(['foreign 9 #1', 'lost 3 #3']);
    expect(found.indexes).toEqual([0, 2, 3]);
    expect(found.items[1]).toMatchObject({
      kind: 'message:user',
      responseId: null,
      sources: [{ source: 'list' }],
    });
  });

  it('an item of another writer that is listed twice is one item', () => {
    const found = timeline(ledger(['u one@1']), ['u one@1', 'u new@9', 'u new@9']);
    expect(rows(found)).toEqual(['0 1 listed 0', '1 9 listed 1+2 foreign duplicated']);
    expect(told(found)).toEqual(['foreign 9 #1', 'duplicated 9 #1']);
  });

  it('an entry can be the item of another writer', () => {
    const state = ledger(['u one@1', 'a two@2', 'u three']);
    const found = timeline(state, ['u one@1', 'a two@2'], { foreign: new Set(['2']) });
    expect(rows(found)).toEqual(['0 1 listed 0', '1 2 listed 1 foreign', '2 ? pending']);
    expect(found.findings).toEqual([{ type: 'foreign', id: '2', kind: 'message:assistant', index: 1 }]);
  });

  it('the content of an item is shown only with the option', () => {
    const state = ledger(['u one@1']);
    const list = ['u one@1', 'u new@9'];
    expect(timeline(state, list).items.every((item) => !('item' in item))).toBe(true);
    const shown = timeline(state, list, { contentOf: () => undefined }).items.map(({ item }) => item);
    expect(shown).toEqual([{ ...user('one'), id: '1' }, user('new')]);
  });
});

describe('the findings of an item', () => {
  it('an item has the findings of its own place alone', () => {
    const state = ledger(['u one@1', 'a two@2', 'u three@3', 'a four@4']);
    const found = timeline(state, ['u one@1', 'u three@3', 'a two@2', 'a other@4', 'a other@4']);
    expect(rows(found)).toEqual([
      '0 1 listed 0',
      '1 2 listed 2',
      '2 3 listed 1 reordered',
      '3 4 listed 3+4 altered duplicated',
    ]);
    expect(told(found)).toEqual(['reordered 3 #2', 'altered 4 #3', 'duplicated 4 #3']);
  });

  it('an item that was written twice under one ID has one place for each entry', () => {
    const state = ledger(['u ok@1', 'a yes@2', 'u ok@1']);
    expect(rows(timeline(state, ['u ok@1', 'a yes@2', 'u ok@1']))).toEqual([
      '0 1 listed 0',
      '1 2 listed 1',
      '2 1 listed 2',
    ]);
    expect(rows(timeline(state, ['u ok@1', 'a yes@2']))).toEqual([
      '0 1 listed 0',
      '1 2 listed 1',
      '2 1 lost',
    ]);
    expect(rows(timeline(state, ['u ok@1', 'a yes@2', 'u ok@1', 'u ok@1']))[2]).toBe('2 1 listed 2+3');
  });
});

describe('the turns of a timeline', () => {
  it('a message of a user or a caller begins a turn, and the first item does', () => {
    expect(turns('a one', 'a two', 'u three', 'r', 'a four', 's five', 'a six')).toEqual([
      1, 1, 2, 2, 2, 3, 3,
    ]);
  });

  it('a message behind an unanswered message of a user begins a turn', () => {
    expect(turns('u one', 'u two', 'a three')).toEqual([1, 2, 2]);
    expect(turns('u one', 's two', 'a three')).toEqual([1, 2, 2]);
  });

  it('a message behind a message of a caller belongs to its turn', () => {
    expect(turns('s one', 'u two', 'a three')).toEqual([1, 1, 1]);
    expect(turns('a zero', 's one', 's two', 'u three')).toEqual([1, 2, 2, 2]);
  });

  it('messages that one response was given are one turn', () => {
    expect(turnsOf({ 0: 'resp_1', 1: 'resp_1' }, 'u one', 'u two')).toEqual([1, 1]);
    expect(turnsOf({ 0: 'resp_1', 1: 'resp_2' }, 'u one', 'u two')).toEqual([1, 2]);
    expect(turnsOf({ 0: 'resp_1' }, 'u one', 'u two')).toEqual([1, 2]);
    expect(turnsOf({ 0: 'resp_1', 1: 'resp_1', 2: 'resp_1' }, 'u one', 'a two', 'u three')).toEqual([
      1, 1, 2,
    ]);
  });

  it('only the kinds of messages begin a turn', () => {
    const items = ['message:user', 'my_message:user', 'message:user:more', 'message:developer'].map(
      (kind) => ({
        digest: kind,
        kind,
      }),
    );
    const state = emptyState();
    applyRecords(state, [recordOf({ type: 'items', items }, { commit: 'commit', time: 0 })]);
    expect(timeline(state, []).items.map(({ turn }) => turn)).toEqual([1, 1, 1, 2]);
  });
});

const sources = (state: LedgerState, list: readonly string[]): string[] =>
  timeline(state, list, {
    responseOf: (_, index) => `resp_${index}`,
    sourcesOf: (_, responseId = '') => [{ source: 'response', responseId }],
  }).items.map((item) => item.sources.map(({ source, responseId = '' }) => source + responseId).join(' '));

describe('the sources of an item', () => {
  it('the ledger comes before the list, and the list before responses', () => {
    const list = ['u one@1', 'a other@2'];
    const all = ['u one@1', 'a two@2', 'u three@3'];
    expect(sources(ledger(all), list)).toEqual([
      'ledger list responseresp_0',
      'ledger responseresp_1',
      'ledger responseresp_2',
    ]);
    expect(sources(ledger(all, [], false), list)).toEqual([
      'list responseresp_0',
      'responseresp_1',
      'responseresp_2',
    ]);
  });

  it('an item belongs to its response, or to none', () => {
    const found = timeline(ledger(['u one', 'a two']), [], {
      responseOf: (_, index) => (index === 0 ? 'resp_1' : undefined),
    });
    expect(found.items.map(({ responseId }) => responseId)).toEqual(['resp_1', null]);
  });

  it('the content of an entry comes from the list, and from elsewhere where that was altered', () => {
    const state = ledger(['u one@1', 'a two@2', 'u three@3', 'a four'], [], false);
    const contents = new Map([
      ['2', assistant('two')],
      ['3', user('three')],
    ]);
    const found = timeline(state, ['u one@1', 'a other@2'], {
      contentOf: ({ mirrorId = '' }) => contents.get(mirrorId),
    });
    expect(found.items.map(({ item }) => item)).toEqual([
      { ...user('one'), id: '1' },
      assistant('two', '2'),
      { ...user('three'), id: '3' },
      undefined,
    ]);
    expect(found.items.map((item) => 'item' in item)).toEqual([true, true, true, false]);
  });

  it('the content of a write that the ledger does not know yet comes from the list', () => {
    const found = timeline(ledger(['u one@1', 'u two'], [], false), ['u one@1', 'u two@2'], {
      contentOf: () => undefined,
    });
    expect(found.items[1]?.item).toEqual({ ...user('two'), id: '2' });
  });

  it('an item without a known ID shows no stand-in', () => {
    const state = ledger(['u one@(no ID) 0'], [], false);
    const found = timeline(state, [], { contentOf: () => user('one') });
    expect(rows(found)).toEqual(['0 ? lost  lost']);
    expect(found.findings).toEqual([{ type: 'lost', id: '', kind: 'message:user', index: 0 }]);
    expect(found.items[0]?.item).toEqual(user('one'));
  });
});
