import { describe, expect, it } from 'vitest';
import type { AgentInputItem } from '@openai/agents';
import { encodeBookmark } from '../../src/conversation/bookmark.ts';
import type { ListedItem } from '../../src/conversation/items.ts';
import type { HistoryReader } from '../../src/history/reader.ts';
import { memoryLedger } from '../../src/index.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, recordOf, type LedgerStep } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { digestOf, emptyState, type LedgerState } from '../../src/ledger/state.ts';
import type { ListCheck } from '../../src/mirror/list-check.ts';
import { adoptBookmark } from '../../src/runtime/adopt-bookmark.ts';
import { assistant, user } from '../support/conversation.ts';
import { clientOn } from '../support/fake-client.ts';
import { useVirtualTime } from '../support/virtual-time.ts';

useVirtualTime();

const itemOf = (text: string): AgentInputItem => (text.startsWith('a ') ? assistant(text) : user(text));

/** Items as `text`, each with its ID. */
const listed = (...texts: string[]): ListedItem[] =>
  texts.map((text) => ({ id: `msg_${text}`, item: itemOf(text) }));

type ResponseStep = Extract<LedgerStep, { type: 'response' }>;

/** The ledger that was lost: messages, and responses with the context of the history so far. */
function lostLedger(...told: readonly (string | Partial<ResponseStep>)[]): LedgerState {
  const state = emptyState();
  for (const one of told) {
    const step: LedgerStep =
      typeof one === 'string'
        ? { type: 'items', items: [ledgerItem(itemOf(one), true)] }
        : {
            type: 'response',
            id: 'resp_1',
            store: true,
            context: { length: state.entries.length, digest: digestOf(state) },
            ...one,
          };
    applyRecords(state, [recordOf(step, { commit: 'commit', time: 7 })]);
  }
  return state;
}

interface World {
  /** The metadata of the bookmark, one for each read; the last one stays. */
  readonly bookmarks?: readonly Readonly<Record<string, string>>[];
  /** The list, one for each read of the bookmark. */
  readonly lists?: readonly (readonly string[])[];
  readonly contexts?: Readonly<Record<string, readonly string[]>>;
  readonly place?: string | undefined;
  readonly keepContent?: boolean;
  readonly status?: number;
}

async function adopted({
  bookmarks = [],
  lists = [[]],
  contexts = {},
  place = 'place',
  keepContent = true,
  status = 200,
}: World) {
  let reads = 0;
  const client = clientOn((url) => {
    const id = url.pathname.split('/').at(-1) ?? '';
    if (status !== 200) return Response.json({ error: { message: 'no' } }, { status });
    if (id === 'conv_1')
      return Response.json({ id, metadata: place === '' ? {} : { hybrid_session: place } });
    reads += 1;
    return Response.json({ id, metadata: bookmarks[Math.min(reads, bookmarks.length) - 1] ?? {} });
  });
  const asked: string[] = [];
  const reader: Pick<HistoryReader, 'list' | 'context'> = {
    list: () => Promise.resolve(listed(...(lists[Math.min(Math.max(reads, 1), lists.length) - 1] ?? []))),
    context: (id, most) => {
      asked.push(most === undefined ? id : `${id} ${most}`);
      return Promise.resolve(listed(...(contexts[id] ?? [])));
    },
  };
  const applied: string[] = [];
  const check: Pick<ListCheck, 'applyList'> = {
    applyList: (list) => {
      applied.push(list.map(({ id }) => id).join());
      return Promise.resolve({ list, findings: [], adopted: 0, isStale: false });
    },
  };
  const ignored: string[] = [];
  const ledger = new Ledger({ store: memoryLedger(), sessionId: 'conv_1' });
  await adoptBookmark({
    client,
    conversationId: 'conv_1',
    ledger,
    reader: reader as HistoryReader,
    check: check as ListCheck,
    keepContent,
    onIgnored: (reason) => ignored.push(reason),
  });
  const state = await ledger.read();
  return {
    state,
    ids: state.entries.map(({ mirrorId }) => mirrorId),
    responses: state.responses.map(({ id, context }) => `${id} ${context?.length ?? '-'}`),
    asked,
    applied,
    ignored,
    reads: () => reads,
  };
}

const bookmarkOf = (state: LedgerState, conversation = 'conv_1') => encodeBookmark(state, conversation);

const whole = lostLedger('one', 'a two', {});

describe('a history that a bookmark proves', () => {
  it('a list with the digest of the bookmark becomes the history, with its response', async () => {
    const found = await adopted({
      bookmarks: [bookmarkOf(whole)],
      lists: [['one', 'a two']],
      contexts: { resp_1: ['one', 'a two'] },
    });
    expect(found.ids).toEqual(['msg_one', 'msg_a two']);
    expect(found.state.entries.every(({ adopted: isAdopted }) => !isAdopted)).toBe(true);
    expect(digestOf(found.state)).toBe(digestOf(whole));
    expect(found).toMatchObject({
      responses: ['resp_1 2'],
      asked: ['resp_1 4'],
      applied: ['msg_one,msg_a two'],
      ignored: [],
    });
    expect(found.state.responses[0]).toMatchObject({ time: 7, store: true, model: undefined });
    expect(found.state.entries[0]?.item).toBeDefined();
    expect(found.reads()).toBe(1);
  });

  it('the content is kept only with the option', async () => {
    const { state } = await adopted({
      bookmarks: [bookmarkOf(whole)],
      lists: [['one', 'a two']],
      keepContent: false,
    });
    expect(state.entries.map(({ item }) => item)).toEqual([undefined, undefined]);
  });

  it('items that the list lost are read from the newest response', async () => {
    const found = await adopted({
      bookmarks: [bookmarkOf(whole)],
      lists: [['one']],
      contexts: { resp_1: ['one', 'a two'] },
    });
    expect(found.ids).toEqual(['msg_one', 'msg_a two']);
    expect(found).toMatchObject({ asked: ['resp_1'], responses: ['resp_1 2'], applied: ['msg_one'] });
  });

  it('items that the newest response lacks are read from the responses of earlier chains', async () => {
    const state = lostLedger('one', 'a two', { id: 'resp_1' }, 'three', 'a four', { id: 'resp_2' });
    const found = await adopted({
      bookmarks: [bookmarkOf(state)],
      lists: [['three']],
      contexts: { resp_1: ['one', 'a two'], resp_2: ['three', 'a four'] },
    });
    expect(found.asked).toEqual(['resp_2', 'resp_1']);
    expect(found.ids).toEqual(['msg_one', 'msg_a two', 'msg_three', 'msg_a four']);
    expect(found.responses).toEqual(['resp_1 -', 'resp_2 -']);
  });

  it('a model and a refusal are kept with the response', async () => {
    const state = lostLedger('one', { model: 'gpt-4.1' });
    applyRecords(state, [recordOf({ type: 'refused', id: 'resp_1' }, { commit: 'commit', time: 7 })]);
    const found = await adopted({
      bookmarks: [bookmarkOf(state)],
      lists: [['one']],
      contexts: { resp_1: ['one'] },
    });
    expect(found.state.responses[0]?.model).toBe('gpt-4.1');
    expect([...found.state.refused]).toEqual(['resp_1']);
    const other = await adopted({ bookmarks: [bookmarkOf(whole)], lists: [['one', 'a two']] });
    expect(other.state.refused.size).toBe(0);
  });
});

/** Letters, each an item; a capital one is unproven. */
const partlyProven = (letters: string): LedgerState => {
  const state = emptyState();
  for (const letter of letters) {
    const unproven = letter === letter.toLowerCase() ? {} : { unproven: true };
    const step: LedgerStep = { type: 'items', items: [ledgerItem(itemOf(letter), true)], ...unproven };
    applyRecords(state, [recordOf(step, { commit: 'commit', time: 7 })]);
  }
  return state;
};

const provenOf = ({ entries }: LedgerState): string =>
  entries.map(({ adopted: isAdopted }) => (isAdopted ? 'U' : '-')).join('');

describe('unproven items in a bookmark', () => {
  it.each([
    ['ABCDE', 'UUUUU'],
    ['ABcde', 'UU---'],
    ['aBcDE', '-U-UU'],
    ['abcdE', '----U'],
    ['abcde', '-----'],
  ])('items stay unproven where they were: %s', async (letters, expected) => {
    const state = partlyProven(letters);
    const found = await adopted({ bookmarks: [bookmarkOf(state)], lists: [letters.split('')] });
    expect(provenOf(found.state)).toBe(expected);
    expect(found.ids).toHaveLength(letters.length);
  });

  it('all items stay unproven if the ledger has lost records', async () => {
    const state = partlyProven('abc');
    applyRecords(state, [recordOf({ type: 'rewound' }, { commit: 'commit', time: 7 })]);
    const found = await adopted({ bookmarks: [bookmarkOf(state)], lists: [['a', 'b', 'c']] });
    expect(provenOf(found.state)).toBe('UUU');
  });

  it('a bookmark without room for every unproven item names all between the first and the last one', async () => {
    const letters = `a${'Bc'.repeat(150)}d`;
    const bookmark = bookmarkOf(partlyProven(letters));
    expect(String(bookmark['history']).length).toBeLessThanOrEqual(512);
    const found = await adopted({ bookmarks: [bookmark], lists: [letters.split('')] });
    expect(provenOf(found.state)).toBe(`-${'U'.repeat(299)}--`);
  });

  it('no item is lost or doubled by numbers that no session writes', async () => {
    const { history = '', ...rest } = bookmarkOf(partlyProven('aBcde'));
    for (const unproven of [[4, 1], [9, 2, 2], [3, 3], [0, 7, 1], [1]]) {
      const edited = JSON.stringify({ ...(JSON.parse(history) as object), unproven });
      const found = await adopted({
        bookmarks: [{ ...rest, history: edited }],
        lists: [['a', 'B', 'c', 'd', 'e']],
      });
      expect(found.ids).toEqual(['msg_a', 'msg_B', 'msg_c', 'msg_d', 'msg_e']);
    }
  });
});

const responsesFor = async (state: LedgerState, context: readonly string[], list = ['one', 'a two']) =>
  (await adopted({ bookmarks: [bookmarkOf(state)], lists: [list], contexts: { resp_1: context } })).responses;

describe('a response that a bookmark names', () => {
  it('a response of another session is not adopted', async () => {
    expect(await responsesFor(whole, ['one', 'private'])).toEqual([]);
    expect(await responsesFor(whole, [])).toEqual([]);
    expect(await responsesFor(whole, ['a two'])).toEqual([]);
  });

  it('a response with another context than the history is adopted without it', async () => {
    expect(await responsesFor(whole, ['one'])).toEqual(['resp_1 -']);
    const long = lostLedger('one', 'a two', { context: { length: 5, digest: 'x' } });
    expect(await responsesFor(long, ['one', 'a two'])).toEqual(['resp_1 -']);
    const bare = lostLedger('one', 'a two', { context: undefined });
    expect(await responsesFor(bare, ['one', 'a two'])).toEqual(['resp_1 -']);
    const early = lostLedger('one', {}, 'a two');
    expect(await responsesFor(early, ['one'])).toEqual(['resp_1 1']);
  });
});

describe('a bookmark that proves nothing', () => {
  it('a conversation without a bookmark has nothing to adopt', async () => {
    const found = await adopted({ place: '', lists: [['one']] });
    expect(found).toMatchObject({ ids: [], ignored: [], applied: [] });
    const gone = await adopted({ status: 404 });
    expect(gone).toMatchObject({ ids: [], ignored: [] });
  });

  it('metadata that cannot be read are an error, or tell a server without conversations', async () => {
    await expect(adopted({ status: 500 })).rejects.toMatchObject({ status: 500 });
    await expect(adopted({ status: 501 })).rejects.toMatchObject({ code: 'conversations_unavailable' });
  });

  it('the bookmark of another conversation, or at an impossible place, is ignored at once', async () => {
    const reason = 'the bookmark is of another conversation';
    const other = await adopted({ bookmarks: [bookmarkOf(whole, 'conv_2')], lists: [['one', 'a two']] });
    expect(other).toMatchObject({ ids: [], ignored: [reason], applied: [] });
    expect(other.reads()).toBe(1);
    expect(await adopted({ place: '..', lists: [['one']] })).toMatchObject({ ignored: [reason] });
  });

  it('an empty bookmark of an empty conversation is nothing, and of another one is read up to five times', async () => {
    expect(await adopted({ bookmarks: [{}], lists: [[]] })).toMatchObject({ ignored: [] });
    const damaged = await adopted({ bookmarks: [{}], lists: [['one']] });
    expect(damaged.ignored).toEqual(['the bookmark is damaged']);
    expect(damaged.reads()).toBe(5);
  });

  it('a history with another digest is ignored, with its reason', async () => {
    const found = await adopted({ bookmarks: [bookmarkOf(whole)], lists: [['one', 'other']] });
    expect(found).toMatchObject({
      ids: [],
      ignored: ['the history does not have the digest of the bookmark'],
      asked: ['resp_1'],
    });
    expect(found.reads()).toBe(5);
  });
});

describe('a bookmark that the API shows late', () => {
  const early = lostLedger('one', { id: 'resp_0' });

  it('a newer bookmark is waited for where the list shows more', async () => {
    const found = await adopted({
      bookmarks: [bookmarkOf(early), bookmarkOf(whole)],
      lists: [['one', 'a two']],
      contexts: { resp_0: ['one'], resp_1: ['one', 'a two'] },
    });
    expect(found.ids).toEqual(['msg_one', 'msg_a two']);
    expect(found.reads()).toBe(2);
  });

  it('the best proof counts where no newer one comes', async () => {
    const found = await adopted({
      bookmarks: [bookmarkOf(early)],
      lists: [['one', 'a two']],
      contexts: { resp_0: ['one'] },
    });
    expect(found.ids).toEqual(['msg_one']);
    expect(found.applied).toEqual(['msg_one,msg_a two']);
    // The same bookmark is proven once.
    expect(found.asked.length).toBeLessThanOrEqual(1);
    expect(found.reads()).toBe(5);
  });

  it('a bookmark that is not there yet is read again', async () => {
    const found = await adopted({
      bookmarks: [{}, bookmarkOf(whole)],
      lists: [['one', 'a two']],
      contexts: { resp_1: ['one', 'a two'] },
    });
    expect(found.ids).toHaveLength(2);
    expect(found.ignored).toEqual([]);
  });
});
