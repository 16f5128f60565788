import { describe, expect, it } from 'vitest';
import { encodeBookmark, findBookmarkId, readBookmark } from '../../src/conversation/bookmark.ts';
import {
  conversationMetadata,
  hasRoomForBookmark,
  readMetadata,
  withBookmarkId,
} from '../../src/conversation/metadata.ts';
import { ledgerItem, recordOf, type LedgerStep } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { user } from '../support/conversation.ts';
import { clientOn } from '../support/fake-client.ts';

function ledger(...steps: readonly LedgerStep[]): LedgerState {
  const state = emptyState();
  for (const step of steps) applyRecords(state, [recordOf(step, { commit: 'commit', time: 5 })]);
  return state;
}

type ResponseStep = Extract<LedgerStep, { type: 'response' }>;

const response = (id: string, more: Partial<ResponseStep> = {}): LedgerStep => ({
  type: 'response',
  id,
  store: true,
  ...more,
});

const items: LedgerStep = { type: 'items', items: [ledgerItem(user('one'), true)] };

/** A client of one conversation with these metadata for each ID. */
const clientWith = (conversations: Readonly<Record<string, unknown>>) =>
  clientOn((url) => {
    const id = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    const metadata = conversations[id];
    return metadata === undefined
      ? Response.json({ error: { message: 'no' } }, { status: 404 })
      : Response.json({ id, metadata });
  });

/** The bookmark of a state as another process reads it. */
const readBack = async (metadata: Readonly<Record<string, unknown>>) =>
  (await readBookmark(clientWith({ place: metadata }), 'place', 'conv_1'))?.bookmark;

const lengthOf = (id: string): number | undefined =>
  encodeBookmark(ledger(response(id)), 'conv_1')['response']?.length;

const longId = (at: number): string => `resp_${String(at).padStart(3, '0')}${'x'.repeat(119)}`;

describe('the metadata that hold a bookmark', () => {
  it('a history without a response has its length and its proof', async () => {
    const pairs = encodeBookmark(ledger(items), 'conv_1');
    expect(Object.keys(pairs)).toEqual(['history']);
    expect(await readBack(pairs)).toEqual({
      format: 1,
      conversation: 'conv_1',
      length: 1,
      proof: expect.stringMatching(/^[\w-]{43}$/),
      response: undefined,
      earlier: [],
    });
  });

  it('the newest response is kept with its facts, without the digest and the open calls of its context', async () => {
    const context = { length: 1, digest: 'secret', open: ['call_1', 'call_2'] };
    const pairs = encodeBookmark(ledger(items, response('a', { model: 'gpt-4.1', context })), 'conv_1');
    expect(pairs['response']).not.toContain('secret');
    expect((await readBack(pairs))?.response).toEqual({
      id: 'a',
      time: 5,
      store: true,
      model: 'gpt-4.1',
      context: { length: 1, open: [''] },
    });
    const bare = encodeBookmark(
      ledger(items, response('a', { context: { length: 1, digest: 'x' } })),
      'conv_1',
    );
    expect((await readBack(bare))?.response).toEqual({
      id: 'a',
      time: 5,
      store: true,
      context: { length: 1 },
    });
  });

  it('a refused response is marked, and another one is not', async () => {
    const refused = encodeBookmark(ledger(response('a'), { type: 'refused', id: 'a' }), 'conv_1');
    expect((await readBack(refused))?.response).toEqual({ id: 'a', time: 5, store: true, refused: true });
    const other = encodeBookmark(ledger(response('a'), { type: 'refused', id: 'b' }), 'conv_1');
    expect((await readBack(other))?.response).toEqual({ id: 'a', time: 5, store: true });
  });

  it('facts that exceed a value are left out, first the model, then the context, then the response', async () => {
    const context = { length: 1, digest: 'x' };
    const responseOf = async (more: Partial<ResponseStep>, id = 'a') =>
      (await readBack(encodeBookmark(ledger(response(id, { context, ...more })), 'conv_1')))?.response;
    expect(await responseOf({ model: 'm'.repeat(600) })).toEqual({
      id: 'a',
      time: 5,
      store: true,
      context: { length: 1 },
    });
    expect(await responseOf({}, 'a'.repeat(475))).toEqual({ id: 'a'.repeat(475), time: 5, store: true });
    expect(await responseOf({}, 'a'.repeat(600))).toBeUndefined();
  });

  it('a value holds 512 characters', () => {
    const bare = lengthOf('') ?? 0;
    expect(lengthOf('a'.repeat(512 - bare))).toBe(512);
    expect(lengthOf('a'.repeat(513 - bare))).toBeUndefined();
  });

  it('the last responses of earlier chains are kept, newest first', async () => {
    const state = ledger(
      response('a1'),
      response('a2', { parent: 'a1' }),
      response('unstored', { store: false }),
      response('b1'),
      response('c,1'),
      response('x'.repeat(513)),
      response('newest'),
    );
    expect((await readBack(encodeBookmark(state, 'conv_1')))?.earlier).toEqual(['b1', 'a2']);
    const long = ledger(response('x'.repeat(512)), response('newest'));
    expect((await readBack(encodeBookmark(long, 'conv_1')))?.earlier).toEqual(['x'.repeat(512)]);
  });

  it('the chain that a response without storage continued is kept', async () => {
    const chain = [response('a1'), response('a2', { parent: 'a1' })];
    const unstored = response('unstored', { parent: 'a2', store: false });
    const newest = ledger(...chain, unstored);
    expect((await readBack(encodeBookmark(newest, 'conv_1')))?.earlier).toEqual(['a2']);
    const before = ledger(...chain, unstored, response('b1'));
    expect((await readBack(encodeBookmark(before, 'conv_1')))?.earlier).toEqual(['a2']);
  });

  it('earlier responses fill each value, and the rest of the metadata', async () => {
    const state = ledger(...Array.from({ length: 80 }, (_, at) => response(longId(at))), response('newest'));
    const pairs = encodeBookmark(state, 'conv_1');
    // Four IDs of 127 characters and three commas are 511 characters.
    expect(pairs['earlier_1']).toBe([79, 78, 77, 76].map((at) => longId(at)).join());
    expect(Object.keys(pairs)).toHaveLength(16);
    expect(pairs['earlier_14']?.split(',')).toContain(longId(27));
    expect((await readBack(pairs))?.earlier.slice(0, 53)).toEqual(
      Array.from({ length: 53 }, (_, at) => longId(79 - at)),
    );
  });

  it('a value that two responses fill exactly is full', () => {
    const [one, two] = ['a'.repeat(256), 'b'.repeat(255)];
    const full = encodeBookmark(ledger(response(two), response(one), response('newest')), 'conv_1');
    expect(full['earlier_1']).toBe(`${one},${two}`);
    const more = encodeBookmark(ledger(response(`${two}b`), response(one), response('newest')), 'conv_1');
    expect([more['earlier_1'], more['earlier_2']]).toEqual([one, `${two}b`]);
  });
});

describe('metadata that are no bookmark', () => {
  const whole = encodeBookmark(ledger(items, response('a')), 'conv_1');

  it.each([
    ['no history', { response: whole['response'] }],
    ['a history that is no JSON', { ...whole, history: '{' }],
    ['a history of another format', { ...whole, history: '{"format":2}' }],
    ['a response that is no JSON', { ...whole, response: '{' }],
    ['a response without its facts', { ...whole, response: '{"id":"a"}' }],
  ])('metadata with %s hold no bookmark', async (_, metadata) => {
    const pairs = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined));
    expect(await readBack(pairs)).toBeUndefined();
    const client = clientWith({ conv_1: { hybrid_session: 'place' }, place: pairs });
    expect(await findBookmarkId(client, 'conv_1')).toBeUndefined();
  });

  it('the bookmark of another conversation is none, and a missing place has none', async () => {
    const client = clientWith({
      conv_1: { hybrid_session: 'place' },
      conv_2: { hybrid_session: 'place' },
      place: whole,
    });
    expect(await findBookmarkId(client, 'conv_1')).toBe('place');
    expect(await findBookmarkId(client, 'conv_2')).toBeUndefined();
    expect(await readBookmark(client, 'place', 'conv_2')).toBeUndefined();
    expect(await readBookmark(client, 'gone', 'conv_1')).toEqual({ bookmarkId: 'gone', bookmark: undefined });
  });

  it('a place that is no part of a URL is not asked for', async () => {
    const asked: string[] = [];
    const client = clientOn((url) => {
      asked.push(url.pathname);
      return Response.json({ id: 'conv_1', metadata: { hybrid_session: '..' } });
    });
    expect(await findBookmarkId(client, 'conv_1')).toBeUndefined();
    expect(asked).toEqual(['/v1/conversations/conv_1']);
    expect(await findBookmarkId(clientWith({ conv_1: {} }), 'conv_1')).toBeUndefined();
    expect(await findBookmarkId(clientWith({}), 'conv_1')).toBeUndefined();
  });
});

describe('the metadata of a conversation', () => {
  it('the own pairs are told apart from the pairs of sessions and heals', async () => {
    const metadata = { mine: 'yes', hybrid_session: 'place', hybrid_session_heals: 'conv_0' };
    expect(await conversationMetadata(clientWith({ conv_1: metadata }), 'conv_1')).toEqual({
      own: { mine: 'yes' },
      bookmark: 'place',
      heals: 'conv_0',
    });
    expect(await conversationMetadata(clientWith({}), 'conv_1')).toBeUndefined();
  });

  it('metadata that are absent are empty', async () => {
    const client = clientOn(() => Response.json({ id: 'conv_1', metadata: null }));
    expect(await readMetadata(client, 'conv_1')).toEqual({});
  });

  it.each([
    ['no object', 'text', "it is not conversation 'conv_1'"],
    ['another conversation', { id: 'conv_2', metadata: {} }, "it is not conversation 'conv_1'"],
    ['an error', { id: 'conv_1', error: { message: 'secret' } }, "it is not conversation 'conv_1'"],
    ['metadata that are a text', { id: 'conv_1', metadata: 'secret' }, 'its metadata is no object'],
    [
      'a value that is a number',
      { id: 'conv_1', metadata: { a: 1 } },
      'its metadata holds something other than strings',
    ],
  ])('an answer with %s does not count as empty metadata', async (_, answer, problem) => {
    const client = clientOn(() => Response.json(answer));
    await expect(readMetadata(client, 'conv_1')).rejects.toThrow(
      `Cannot use the response to conversations.retrieve: ${problem}`,
    );
  });

  it('a failure that is no 404 is an error', async () => {
    const client = clientOn(() => Response.json({ error: { message: 'no' } }, { status: 403 }));
    await expect(readMetadata(client, 'conv_1')).rejects.toMatchObject({ status: 403 });
  });

  it('metadata have room for 16 pairs, and the name of a bookmark is replaced', () => {
    const full = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`key ${at}`, 'value']));
    const { 'key 0': _, ...less } = full;
    expect(hasRoomForBookmark(full)).toBe(false);
    expect(hasRoomForBookmark(less)).toBe(true);
    expect(hasRoomForBookmark({ ...less, hybrid_session: 'x' })).toBe(true);
    const named = { mine: 'yes', hybrid_session: 'a' };
    expect(withBookmarkId(named, 'a')).toBe(named);
    expect(withBookmarkId(named, 'b')).toEqual({ mine: 'yes', hybrid_session: 'b' });
  });
});
