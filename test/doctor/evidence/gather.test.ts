import { describe, expect, it } from 'vitest';
import type { ApiItem } from '../../../src/conversation/items.ts';
import type { ResponseReader } from '../../../src/conversation/response-reader.ts';
import { gatherEvidence, type GatheredEvidence } from '../../../src/doctor/evidence/gather.ts';
import { ItemIndex } from '../../../src/doctor/evidence/item-index.ts';
import { ItemConverter } from '../../../src/items/item-converter.ts';
import { ledgerItem, recordOf, type LedgerItem, type LedgerStep } from '../../../src/ledger/record.ts';
import { applyRecords } from '../../../src/ledger/reducer.ts';
import { emptyState, type LedgerEntry, type LedgerState } from '../../../src/ledger/state.ts';
import { assistant, texts, user } from '../../support/conversation.ts';

/** A response as the API has it; items as `u one@1`. */
interface Stored {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly parent?: string;
  readonly conversationId?: string;
  readonly status?: string;
}

/** The sources of a test. */
interface Sources {
  readonly ledger?: LedgerState;
  readonly list?: readonly string[];
  readonly isGone?: boolean;
  readonly given?: readonly string[];
  readonly stored?: Readonly<Record<string, Stored>>;
}

let count = 0;

/** An item of the API. */
function apiItem(told: string): ApiItem {
  const [said = '', id = `msg_x${(count += 1)}`] = told.split('@');
  const [letter, text = ''] = said.split(' ');
  if (letter === 'u') return { type: 'message', id, role: 'user', content: [{ type: 'input_text', text }] };
  return {
    type: 'message',
    id,
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text }],
  };
}

interface Gathered extends GatheredEvidence {
  /** The texts of the entries. */
  readonly told: readonly string[];
  /** The responses that were asked for, in order. */
  readonly asked: readonly string[];
  readonly progress: readonly string[];
  /** The status of each response. */
  readonly statuses: Readonly<Record<string, string>>;
  readonly owners: readonly (string | undefined)[];
}

async function gather({
  ledger,
  list = [],
  isGone = false,
  given = [],
  stored = {},
}: Sources): Promise<Gathered> {
  const itemIndex = new ItemIndex(new ItemConverter(), true);
  const asked: string[] = [];
  const progress: string[] = [];
  const ids = Object.keys(stored);
  const chain: Pick<ResponseReader, 'response' | 'inputEnd'> = {
    response: (id) => {
      asked.push(id);
      const told = stored[id];
      if (told === undefined) return Promise.resolve(undefined);
      const { output = [], parent, conversationId, status = 'completed' } = told;
      const time = 1000 * (ids.indexOf(id) + 1);
      return Promise.resolve({
        id,
        parent,
        status,
        conversationId,
        time,
        output: output.map((one) => apiItem(one)),
      });
    },
    inputEnd: (id) =>
      Promise.resolve({ items: (stored[id]?.input ?? []).map((one) => apiItem(one)), isWhole: true }),
  };
  const raw = list.map((told) => apiItem(told));
  const items = await new ItemConverter().toAgentItems(raw);
  const gathered = await gatherEvidence({
    conversationId: 'conv_1',
    ledger,
    list: {
      items: items.map((item, at) => ({ id: raw[at]?.id ?? '', item })),
      occurrences: await itemIndex.add(raw),
      isGone,
    },
    responses: given,
    chain: chain as ResponseReader,
    itemIndex,
    onProgress: ({ stage, done, total }) => progress.push(`${stage} ${done}/${total}`),
  });
  const { state, diagnosed, responseOf } = gathered;
  const contentOf = ({ digest, mirrorId, id, item }: LedgerEntry) =>
    item ?? itemIndex.facts(itemIndex.find(digest, mirrorId) ?? itemIndex.find(digest, id) ?? -1).item;
  return {
    ...gathered,
    told: texts(state.entries.map((entry) => contentOf(entry))),
    asked,
    progress,
    statuses: Object.fromEntries(diagnosed.map(({ id, status, from }) => [id, `${status} ${from}`])),
    owners: state.entries.map((entry, index) => responseOf(entry, index)),
  };
}

function recorded(told: string, keepContent: boolean): LedgerItem {
  const [said = ''] = told.split(/[@~]/);
  const [letter, text = ''] = said.split(' ');
  return ledgerItem(letter === 'u' ? user(text) : assistant(text), keepContent);
}

/**
 * A ledger of items and responses, in order: `u one@1` was written under that ID, `u one~1` was adopted from the list,
 * `u one` is pending, and `resp_1` is a response. One that is not stored ends with `!`.
 */
function ledger(told: readonly string[], { keepContent = true, commit = 'commit' } = {}): LedgerState {
  const state = emptyState();
  const apply = (step: LedgerStep): void => applyRecords(state, [recordOf(step, { commit, time: 0 })]);
  for (const one of told) {
    if (one.startsWith('resp')) {
      apply({ type: 'response', id: one.replace('!', ''), store: !one.endsWith('!') });
      continue;
    }
    const [, written] = one.split('@');
    const [, adopted] = one.split('~');
    const { nextSeq: seq } = state;
    apply({
      type: 'items',
      items: [{ ...recorded(one, keepContent), ...(adopted === undefined ? {} : { mirrorId: adopted }) }],
    });
    if (written !== undefined) apply({ type: 'mirror', added: [{ seq, id: written }], removed: [] });
  }
  return state;
}

/** A ledger whose items were all taken from a list, with the last response. */
const adopted = (commit: string): LedgerState =>
  ledger(['u one~1', 'u two~2', 'a two~3', 'resp_2'], { commit });

describe('the evidence of a complete ledger', () => {
  const whole = ['u one@1', 'a two@2', 'resp_1', 'u three@3', 'a four@4', 'resp_2'];

  it('a ledger that holds its content asks for no response', async () => {
    const found = await gather({ ledger: ledger(whole), list: ['u one@1'] });
    expect(found).toMatchObject({
      evidence: 'ledger',
      unaccounted: [],
      unproven: 0,
      asked: [],
      statuses: {},
    });
    expect(found.told).toEqual(['one', 'two', 'three', 'four']);
    expect(found.owners).toEqual(['resp_1', 'resp_1', 'resp_2', 'resp_2']);
    expect([...found.proven]).toEqual([0, 1, 2, 3]);
    expect(found.foreign.size).toBe(0);
  });

  it('the responses of lost items are asked for content, and no other', async () => {
    const stored = { resp_1: { output: ['a two'] }, resp_2: { input: ['u three'], output: ['a four'] } };
    const state = ledger(whole, { keepContent: false });
    const found = await gather({ ledger: state, list: ['u one@1', 'a two@2', 'u three@3'], stored });
    expect(found.asked).toEqual(['resp_2']);
    expect(found.statuses).toEqual({ resp_2: 'used ledger' });
    expect(found.progress).toEqual(['responses 1/1', 'inputs 1/1']);
    const listed = await gather({
      ledger: state,
      list: ['u one@1', 'a two@2', 'u three@3', 'a four@4'],
      stored,
    });
    expect(listed.asked).toEqual([]);
  });

  it('the newest responses are asked first where the responses of lost items do not hold them', async () => {
    const state = ledger([...whole, 'u five@5', 'resp_3', 'u six@6', 'resp_4!'], { keepContent: false });
    const rest = ['a two@2', 'u three@3', 'a four@4', 'u five@5', 'u six@6'];
    const stored = { resp_1: {}, resp_2: { input: ['u one'] }, resp_3: {} };
    expect((await gather({ ledger: state, list: rest, stored })).asked).toEqual([
      'resp_1',
      'resp_3',
      'resp_2',
    ]);
    const none = await gather({ ledger: state, list: rest, stored: {} });
    expect(none.asked).toEqual(['resp_1', 'resp_3', 'resp_2']);
    expect(none.statuses).toEqual({
      resp_1: 'missing ledger',
      resp_3: 'missing ledger',
      resp_2: 'missing ledger',
    });
  });

  it('a given response is asked once, and can hold the lost items', async () => {
    const state = ledger(whole, { keepContent: false });
    const stored = { resp_2: { input: ['u one', 'a two', 'u three'], output: ['a four'] } };
    const found = await gather({ ledger: state, given: ['resp_2'], stored });
    expect(found.asked).toEqual(['resp_2']);
    expect(found.statuses).toEqual({ resp_2: 'used given' });
  });

  it('a parent that was read with a response is not asked again', async () => {
    const state = ledger(whole, { keepContent: false });
    const stored = { resp_1: {}, resp_2: { parent: 'resp_1' } };
    const found = await gather({ ledger: state, given: ['resp_2'], stored });
    expect(found.asked).toEqual(['resp_2', 'resp_1']);
  });

  it('a response that the ledger does not know is used where the ledger has all its output', async () => {
    const stored = {
      part: { output: ['a two'] },
      more: { output: ['a two', 'a more'] },
      empty: {},
      failed: { output: ['a more'], status: 'failed' },
      other: { output: ['a more'], conversationId: 'conv_2' },
      resp_1: { output: ['a more'] },
    };
    const found = await gather({ ledger: ledger(whole), given: [...Object.keys(stored), 'gone'], stored });
    expect(found.statuses).toEqual({
      part: 'used given',
      more: 'unrecorded given',
      empty: 'unrecorded given',
      failed: 'failed given',
      other: 'elsewhere given',
      resp_1: 'used given',
      gone: 'missing given',
    });
  });

  it('an adopted item behind others is not proven', async () => {
    const found = await gather({ ledger: ledger(['u one@1', 'a two~2', 'u three@3']), list: ['u one@1'] });
    expect(found.evidence).toBe('ledger');
    expect([...found.proven]).toEqual([0, 2]);
  });
});

describe('the evidence of responses beside a ledger', () => {
  const stored = {
    old: { input: ['u one'], output: ['a lost'] },
    resp_2: { input: ['u one', 'a lost', 'u two'], output: ['a two'] },
  };
  /** A ledger that began with a list from which an answer was missing. */
  const begun = ['u one~1', 'u two@2', 'a two@3', 'resp_2'];

  it('a ledger that began with a list is completed from its own responses and the given ones', async () => {
    const found = await gather({
      ledger: ledger(begun),
      list: ['u one@1', 'u two@2', 'a two@3'],
      given: ['old'],
      stored,
    });
    expect(found.asked).toEqual(['old', 'resp_2']);
    expect(found.told).toEqual(['one', 'lost', 'two', 'two']);
    expect(found).toMatchObject({ evidence: 'ledger_and_responses', unaccounted: [], unproven: 0 });
    expect(found.statuses).toEqual({ old: 'used given', resp_2: 'used ledger' });
    expect(found.owners).toEqual(['old', 'old', 'resp_2', 'resp_2']);
    expect([...found.proven]).toEqual([2, 3]);
  });

  it('a response that is given and recorded is read once, and responses that are not stored are not', async () => {
    const found = await gather({
      ledger: ledger([...begun, 'u three@4', 'resp_3!']),
      given: ['resp_2'],
      stored,
    });
    expect(found.asked).toEqual(['resp_2']);
    expect(found.statuses).toEqual({ resp_2: 'used given' });
  });

  it('a ledger without a readable response is the only evidence, and its adopted items are unproven', async () => {
    const found = await gather({ ledger: ledger(['u one~1', 'a two~2', 'u three@3']), list: ['u one@1'] });
    expect(found).toMatchObject({ evidence: 'ledger', unaccounted: [0, 1], unproven: 2 });
    expect(found.told).toEqual(['one', 'two', 'three']);
    expect([...found.proven]).toEqual([2]);
    expect(found.owners).toEqual([undefined, undefined, undefined]);
  });

  it('items between two proven ones contradict the ledger, and their response is not recorded', async () => {
    const found = await gather({
      ledger: ledger(['u zero~0', 'u one@1', 'a one@2', 'u two@3', 'resp_1']),
      given: ['stray'],
      stored: { stray: { input: ['u zero', 'u one', 'a one', 'u stray'], output: ['a stray'] } },
    });
    expect(found.told).toEqual(['zero', 'one', 'one', 'two']);
    expect(found.statuses['stray']).toBe('unrecorded given');
    expect(found.evidence).toBe('ledger_and_responses');
  });

  it('an item that was removed from the history does not come back', async () => {
    const state = ledger(['u zero~0', 'a gone~1', 'u two~2']);
    const step: LedgerStep = { type: 'replace', keep: 1, items: [{ seq: 2 }] };
    applyRecords(state, [recordOf(step, { commit: 'commit', time: 0 })]);
    const list = ['u zero@0', 'a gone@1', 'u two@2'];
    const found = await gather({
      ledger: state,
      list,
      given: ['old'],
      stored: { old: { input: ['u zero'], output: ['a gone@1'] } },
    });
    expect(found.told).toEqual(['zero', 'two']);
  });

  it('a response of the ledger adds nothing to it, unless the ledger was read back from a list', async () => {
    expect((await gather({ ledger: adopted('commit'), stored })).told).toEqual(['one', 'two', 'two']);
    expect((await gather({ ledger: adopted(''), stored })).told).toEqual(['one', 'lost', 'two', 'two']);
  });

  it('items of another writer take their place in the list, and count as theirs', async () => {
    const found = await gather({
      ledger: ledger(['u one~1', 'a two@2']),
      list: ['u first@7', 'u one@1', 'u new@8', 'a two@2', 'u last@9'],
      given: ['resp_n'],
      stored: { resp_n: { input: ['u last'], output: ['a lost'] } },
    });
    expect(found.told).toEqual(['first', 'one', 'new', 'two', 'last', 'lost']);
    expect([...found.foreign]).toEqual(['7', '8', '9']);
    expect(found.owners.slice(-2)).toEqual(['resp_n', 'resp_n']);
    expect([...found.proven]).toEqual([3]);
  });

  it('a complete ledger is not enough where the list has items of another writer and responses are strange to it', async () => {
    const sources = {
      ledger: ledger(['u one@1', 'a two@2', 'resp_1']),
      list: ['u one@1', 'a two@2', 'u new@9'],
    };
    const given = { given: ['resp_n'], stored: { resp_n: { input: ['u new'], output: ['a new'] } } };
    expect((await gather({ ...sources, ...given })).told).toEqual(['one', 'two', 'new', 'new']);
    expect((await gather({ ...sources, given: ['resp_1'] })).told).toEqual(['one', 'two']);
    expect((await gather({ ...sources, ...given, list: ['u one@1', 'a two@2'] })).told).toEqual([
      'one',
      'two',
    ]);
    expect((await gather({ ...sources, ...given, given: ['resp_1', 'resp_n'] })).told).toHaveLength(4);
  });
});

describe('the evidence without a ledger', () => {
  it('the list is the only evidence where no response is used', async () => {
    const found = await gather({
      list: ['u one@1', 'a two@2'],
      given: ['x'],
      stored: { x: { input: ['u x'] } },
    });
    expect(found).toMatchObject({ evidence: 'list', unaccounted: [0, 1], unproven: 0 });
    expect(found.statuses).toEqual({ x: 'unrelated given' });
    expect(found.told).toEqual(['one', 'two']);
    expect(found.foreign.size).toBe(0);
    expect(found.proven.size).toBe(0);
  });

  it('items that responses show are accounted for, and belong to them', async () => {
    const found = await gather({
      list: ['u one@1', 'u two@2', 'a two@3', 'u three@4'],
      given: ['a', 'b', 'gone'],
      stored: {
        a: { input: ['u one'], output: ['a one'] },
        b: { parent: 'a', input: ['u two'], output: ['a two'] },
      },
    });
    expect(found).toMatchObject({ evidence: 'responses', unaccounted: [4] });
    expect(found.told).toEqual(['one', 'one', 'two', 'two', 'three']);
    expect(found.owners).toEqual(['a', 'a', 'b', 'b', undefined]);
    expect(found.statuses).toEqual({ a: 'used given', b: 'used given', gone: 'missing given' });
    expect(found.progress).toEqual([
      'responses 1/3',
      'responses 2/3',
      'responses 3/3',
      'inputs 1/2',
      'inputs 2/2',
    ]);
  });

  it('an item that is listed twice is one item', async () => {
    expect((await gather({ list: ['u one@1', 'a two@2', 'u one@1'] })).told).toEqual(['one', 'two']);
  });

  it('an ID of the list tells equal items of inputs apart', async () => {
    const found = await gather({
      list: ['u ok@1', 'u ok@3'],
      given: ['a', 'b'],
      stored: {
        b: { input: ['u ok@3'], output: ['a two@4'], conversationId: 'conv_1' },
        a: { input: ['u ok@1'], output: ['a one@2'], conversationId: 'conv_1' },
      },
    });
    expect(found.told).toEqual(['ok', 'two', 'ok', 'one']);
  });

  it('a conversation that is gone is known by a ledger or by a response that was made in it', async () => {
    const made = { a: { output: ['a one'], conversationId: 'conv_1' } };
    const strange = { a: { output: ['a one'], conversationId: 'conv_2' } };
    expect((await gather({ isGone: true, given: ['a'], stored: made })).told).toEqual(['one']);
    expect((await gather({ isGone: true, ledger: ledger(['u one~1']) })).told).toEqual(['one']);
    const unknown = { code: 'conversation_not_found' };
    await expect(gather({ isGone: true, given: ['a'], stored: strange })).rejects.toMatchObject(unknown);
    await expect(gather({ isGone: true })).rejects.toMatchObject(unknown);
    expect((await gather({})).told).toEqual([]);
  });
});
