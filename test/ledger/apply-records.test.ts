import type { Draft } from '../../src/ledger/drafts/drafts.ts';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/reducer.ts';
import {
  checkpointOf,
  fitsTail,
  seenState,
  stateFromCheckpoint,
  tailState,
  nextCheckpoint,
  wholeCheckpoint,
} from '../../src/ledger/checkpoint.ts';
import { EMPTY_DIGEST, extendDigest } from '../../src/items/digest.ts';
import { recordOf, type LedgerItem, type LedgerRecord, type LedgerStep } from '../../src/ledger/record.ts';
import {
  conversationsToDelete,
  digestOf,
  emptyState,
  pendingAt,
  pendingChanges,
  type LedgerState,
  unprovenIn,
} from '../../src/ledger/state.ts';
import { seenHistory } from '../../src/ledger/view.ts';
import { ledgerRecords, shortenedRecords } from '../support/records.ts';

const message = (digest: string, mirrorId?: string): LedgerItem => ({
  digest,
  kind: 'message:user',
  ...(mirrorId === undefined ? {} : { mirrorId }),
});

function records(...steps: LedgerStep[]): LedgerRecord[] {
  return steps.map((step, index) => recordOf(step, { commit: 'commit', time: index }));
}

function stateOf(...steps: LedgerStep[]): LedgerState {
  const state = emptyState();
  applyRecords(state, records(...steps));
  return state;
}

const places = ({ entries }: LedgerState): unknown[] =>
  entries.map(({ seq, context, mirrorId }) => ({ seq, context, mirrorId }));

const digests = (state: LedgerState): (string | null)[] => state.entries.map(({ digest }) => digest);

/** The part of the history that a model sees. */
function shownIn(state: LedgerState): unknown {
  const { before, entries, contextAt } = seenHistory(state);
  return [before, entries.map(({ seq, id, mirrorId }) => [seq, id, mirrorId]), contextAt(entries.length)];
}

describe('a state, whatever was recorded', () => {
  test('a state has the predicted checkpoint', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
        const state = emptyState();
        applyRecords(state, before);
        const checkpoint = checkpointOf(state);
        const foretold = nextCheckpoint(state, batch);
        expect(checkpointOf(state)).toEqual(checkpoint);
        applyRecords(state, batch);
        expect(wholeCheckpoint(state)).toEqual(foretold);
      }),
      { seed: 20261129, numRuns: 2_000 },
    );
  });

  test('a state has the predicted checkpoint, also if its beginning is not read', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, ledgerRecords, (beginning, before, batch) => {
        const whole = emptyState();
        applyRecords(whole, beginning);
        const state = stateFromCheckpoint(checkpointOf(whole));
        expect(checkpointOf(state)).toEqual(checkpointOf(whole));
        applyRecords(state, before);
        const { resumePoint: _resumePoint, ...foretold } = nextCheckpoint(state, batch);
        applyRecords(state, batch);
        expect(checkpointOf(state)).toEqual(foretold);
      }),
      { seed: 20261129, numRuns: 1_000 },
    );
  });

  test('a state never claims fewer pending changes than it has', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
        const state = emptyState();
        applyRecords(state, before);
        const { resumePoint } = nextCheckpoint(state, batch);
        applyRecords(state, batch);
        if (resumePoint === undefined) throw new Error('There is no resume point');
        expect(resumePoint.leased === true).toBe(state.lease !== undefined);
        expect(resumePoint.drafts ?? 0).toBe(state.drafts.open.length);
        expect(resumePoint.pending).toBeGreaterThanOrEqual(pendingAt(state));
        expect(resumePoint).toMatchObject({ nextSeq: state.nextSeq, commit: state.newest });
      }),
      { seed: 20261129, numRuns: 2_000 },
    );
  });

  test('a state that is read from the beginning of a view on shows a model the same as the whole state', () => {
    let shortened = 0;
    fc.assert(
      fc.property(shortenedRecords, shortenedRecords, (before, batch) => {
        const whole = emptyState();
        applyRecords(whole, before);
        const checkpoint = nextCheckpoint(whole, []);
        const begins = checkpoint.seen?.begins;
        // No response is recorded after it was refused.
        const isStrange = batch.some(({ type }) => type === 'response');
        if (begins === undefined || isStrange) return;
        const seen = seenState(checkpoint, { records: [...before, ...batch].slice(begins.at) }, true);
        if (seen === undefined) return;
        shortened += Number(begins.at > 0);
        applyRecords(whole, batch);
        expect(shownIn(seen)).toEqual(shownIn(whole));
        expect([...seen.unmirrored.keys()]).toEqual([...whole.unmirrored.keys()]);
        expect(seen.drafts.open.toSorted(byRun)).toEqual(whole.drafts.open.toSorted(byRun));
        const { resumePoint: _seen, ...known } = nextCheckpoint(seen, []);
        const { resumePoint: _whole, ...all } = nextCheckpoint(whole, []);
        expect(known).toEqual(all);
      }),
      { seed: 20261130, numRuns: 10_000 },
    );
    expect(shortened).toBeGreaterThan(100);
  });

  test('a state goes on from its checkpoint as from the whole, where what comes fits', () => {
    let gone = 0;
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
        const whole = emptyState();
        applyRecords(whole, before);
        const settled = records({
          type: 'mirror',
          added: [...whole.unmirrored.keys()].map((seq) => ({ seq, id: `msg_of_${seq}` })),
          removed: [...whole.removed].flatMap(([id, isThere]) => (isThere ? [id] : [])),
          settled: true,
          released: true,
          deleted: conversationsToDelete(whole),
        });
        applyRecords(whole, settled);
        const checkpoint = nextCheckpoint(whole, []);
        expect(checkpoint.resumePoint).toMatchObject({ pending: 0 });
        const tail = tailState(checkpoint);
        // No response is recorded after it was refused.
        const refused = new Set(before.flatMap((one) => (one.type === 'refused' ? [one.id] : [])));
        const isStrange = batch.some((one) => one.type === 'response' && refused.has(one.id));
        if (tail === undefined || isStrange || !fitsTail(tail, batch)) return;
        gone += 1;
        applyRecords(whole, batch);
        applyRecords(tail, batch);
        expect(checkpointOf(tail)).toEqual(checkpointOf(whole));
        const { resumePoint: end, ...known } = nextCheckpoint(tail, []);
        const { resumePoint: wholeEnd, ...all } = nextCheckpoint(whole, []);
        expect(known).toEqual(all);
        expect(end?.commit).toBe(wholeEnd?.commit);
        // An ID that lies before the tail, too, counts as one that has to leave.
        expect(end?.pending ?? 0).toBeGreaterThanOrEqual(wholeEnd?.pending ?? 0);
        expect(tail.lease).toEqual(whole.lease);
        expect([...tail.unmirrored.keys()]).toEqual([...whole.unmirrored.keys()]);
        expect(pendingChanges(tail)).toBe(pendingChanges(whole));
        expect(places(tail)).toEqual(places(whole).slice(whole.entries.length - tail.entries.length));
      }),
      { seed: 20261129, numRuns: 5_000 },
    );
    expect(gone).toBeGreaterThan(20);
  });

  test('a state is the same for records applied one by one or at once', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const [atOnce, oneByOne] = [emptyState(), emptyState()];
        applyRecords(atOnce, all);
        for (const one of all) applyRecords(oneByOne, [one]);
        expect(oneByOne).toEqual(atOnce);
      }),
      { seed: 20261129, numRuns: 500 },
    );
  });

  test('a state holds each entry once, under a number that is never given again', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const state = emptyState();
        applyRecords(state, all);
        const seqs = state.entries.map(({ seq }) => seq);
        expect(new Set(seqs).size).toBe(seqs.length);
        expect(seqs.every((seq) => seq < state.nextSeq)).toBe(true);
        expect(state.version).toBe(all.length);
      }),
      { seed: 20261129, numRuns: 500 },
    );
  });

  test('a state knows the digest of the history up to every entry', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const state = emptyState();
        applyRecords(state, all);
        let context = EMPTY_DIGEST;
        for (const entry of state.entries) {
          context = extendDigest(context, entry.digest);
          expect(entry.context).toBe(context);
        }
        expect(digestOf(state)).toBe(context);
      }),
      { seed: 20261129, numRuns: 500 },
    );
  });

  test('a state has every entry linked, pending or skipped', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const state = emptyState();
        applyRecords(state, all);
        const waiting = state.entries.filter(
          ({ mirrorId, skipped }) => mirrorId === undefined && skipped === undefined,
        );
        expect(new Set(state.unmirrored.values())).toEqual(new Set(waiting));
      }),
      { seed: 20261129, numRuns: 1_000 },
    );
  });

  test('never waits to remove from the conversation what the history holds', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const state = emptyState();
        applyRecords(state, all);
        for (const { mirrorId } of state.entries)
          expect(mirrorId !== undefined && state.removed.get(mirrorId) === true).toBe(false);
      }),
      { seed: 20261129, numRuns: 1_000 },
    );
  });
});

describe('replace', () => {
  const three: LedgerStep = {
    type: 'items',
    items: [message('a', 'msg_a'), message('b', 'msg_b'), message('c', 'msg_c')],
  };

  test('a replace record keeps what it refers to, in its order, and takes the rest out of the conversation', () => {
    const state = stateOf(three, { type: 'replace', keep: 1, items: [{ seq: 2 }] });
    expect(digests(state)).toEqual(['a', 'c']);
    expect([...state.removed]).toEqual([['msg_b', true]]);
  });

  test('writes again what follows a new item: the conversation grows at its end alone', () => {
    const state = stateOf(three, {
      type: 'replace',
      keep: 1,
      items: [{ seq: 1 }, message('new'), { seq: 2 }],
    });
    expect(digests(state)).toEqual(['a', 'b', 'new', 'c']);
    expect([...state.unmirrored.values()].map(({ digest }) => digest)).toEqual(['new', 'c']);
    expect([...state.removed]).toEqual([['msg_c', true]]);
  });

  test('a replace record leaves everything in place around an item that was adopted from the list', () => {
    const state = stateOf(three, {
      type: 'replace',
      keep: 1,
      items: [message('new', 'msg_new'), { seq: 1 }, { seq: 2 }],
    });
    expect(digests(state)).toEqual(['a', 'new', 'b', 'c']);
    expect(state.unmirrored.size).toBe(0);
    expect(state.removed.size).toBe(0);
  });

  test('a replace record ignores a reference to what is not there, and one that comes twice', () => {
    const state = stateOf(three, {
      type: 'replace',
      keep: 1,
      items: [{ seq: 0 }, { seq: 2 }, { seq: 2 }, { seq: 9 }],
    });
    expect(digests(state)).toEqual(['a', 'c']);
  });
});

describe('the mirror', () => {
  test('a mirror record links entries to their IDs in the conversation', () => {
    const state = stateOf(
      { type: 'items', items: [message('a'), message('b')] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_a' }], removed: [] },
    );
    expect(state.entries.map(({ mirrorId }) => mirrorId)).toEqual(['msg_a', undefined]);
    expect([...state.unmirrored.keys()]).toEqual([1]);
  });

  test('a mirror record takes an item out again that was popped while it was being written', () => {
    const state = stateOf(
      { type: 'items', items: [message('a')] },
      { type: 'pop' },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_a' }], removed: [] },
    );
    expect([...state.removed]).toEqual([['msg_a', true]]);
  });

  test.each([0, 7])('a mirror record leaves alone what another ledger of that name wrote: item %d', (seq) => {
    const state = stateOf({ type: 'mirror', added: [{ seq, id: 'msg_other' }], removed: [] });
    expect(state.removed.size).toBe(0);
  });

  test('a mirror record removes the second copy when two writers wrote the same entry', () => {
    const state = stateOf(
      { type: 'items', items: [message('a')] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_first' }], removed: [] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_second' }], removed: [] },
    );
    expect(state.entries[0]?.mirrorId).toBe('msg_first');
    expect([...state.removed]).toEqual([['msg_second', true]]);
  });

  test('a mirror record keeps an item in the conversation as long as one of two entries holds it', () => {
    const twice = [message('a', 'rs_1'), message('a', 'rs_1')];
    const once = stateOf({ type: 'items', items: twice }, { type: 'pop' });
    expect(once.removed.size).toBe(0);
    const gone = stateOf({ type: 'items', items: twice }, { type: 'pop' }, { type: 'pop' });
    expect([...gone.removed]).toEqual([['rs_1', true]]);
  });

  test('the mirror does not retry items that the conversation can never hold', () => {
    const state = stateOf(
      { type: 'items', items: [message('a')] },
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: 0, reason: 'no form' }] },
      { type: 'replace', keep: 0, items: [message('new'), { seq: 0 }] },
    );
    expect(state.entries[1]?.skipped).toBe('no form');
    expect([...state.unmirrored.values()].map(({ digest }) => digest)).toEqual(['new']);
  });
});

describe('clear', () => {
  test('a clear record leaves nothing to serve, to write or to continue from', () => {
    const state = stateOf(
      { type: 'items', items: [message('a', 'msg_a'), message('b')] },
      { type: 'response', id: 'resp_1', store: true },
      { type: 'clear' },
    );
    expect(checkpointOf(state)).toEqual({
      format: 3,
      version: 3,
      began: 'commit',
      length: 0,
      digest: EMPTY_DIGEST,
    });
    expect(state.unmirrored.size).toBe(0);
    expect(state.pendingRemovals).toBe(0);
  });

  test('a clear record forgets what the conversation held, and who wrote to it: the conversation is deleted', () => {
    const state = stateOf(
      { type: 'conversation', id: 'conv_1' },
      { type: 'items', items: [message('a', 'msg_a'), message('b')] },
      { type: 'lease', writer: 'w', until: 9 },
      { type: 'pop' },
      { type: 'clear' },
    );
    expect(state.removed.size + state.dropped.size).toBe(0);
    expect(state).toMatchObject({
      pendingRemovals: 0,
      lease: undefined,
      conversation: undefined,
      healed: undefined,
    });
    expect([...state.former]).toEqual([['conv_1', 'due']]);
  });

  test('a clear of a session without a conversation leaves none to delete', () => {
    expect(stateOf({ type: 'clear' }).former.size).toBe(0);
  });
});

describe('a conversation', () => {
  test('a conversation record takes in every item anew, linked by the ID that the last one had it under', () => {
    const state = stateOf(
      { type: 'conversation', id: 'conv_1' },
      { type: 'items', items: [message('a', 'msg_a'), { ...message('b'), link: 'msg_b' }, message('c')] },
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: 2, reason: 'no form' }] },
      { type: 'lease', writer: 'w', until: 9 },
      { type: 'conversation', id: 'conv_2' },
    );
    expect(state).toMatchObject({ conversation: 'conv_2', healed: 'conv_1', lease: undefined });
    expect([...state.former]).toEqual([['conv_1', 'kept']]);
    expect(state.entries).toMatchObject([
      { id: 'msg_a', link: 'msg_a', mirrorId: undefined, written: undefined, due: 4 },
      { id: undefined, link: 'msg_b', mirrorId: undefined },
      { id: undefined, link: undefined, mirrorId: undefined, skipped: undefined },
    ]);
    expect([...state.unmirrored.keys()]).toEqual([0, 1, 2]);
    expect(state.removed.size).toBe(0);
  });

  test('a new conversation links no item twice, nor one that the API does not hold', () => {
    const state = stateOf(
      { type: 'conversation', id: 'conv_1' },
      { type: 'items', items: [message('a', 'msg_a'), message('a', 'msg_a'), message('b')] },
      { type: 'mirror', added: [], removed: [], unlinked: [2] },
      { type: 'mirror', added: [{ seq: 2, id: 'msg_b' }], removed: [] },
      { type: 'conversation', id: 'conv_2' },
    );
    expect(state.entries.map(({ link }) => link)).toEqual(['msg_a', undefined, undefined]);
  });

  test("the first conversation keeps the age of each pending item, as another writer's duplicate may be there", () => {
    const [items] = records({ type: 'items', items: [message('a')] });
    const [first, second] = ['conv_1', 'conv_2'].map((id) =>
      recordOf({ type: 'conversation', id }, { commit: 'other', time: 9 }),
    );
    const state = emptyState();
    if (items === undefined || first === undefined || second === undefined) throw new Error('no records');
    applyRecords(state, [items, first]);
    expect(state.entries).toMatchObject([{ commit: 'commit', due: 0 }]);
    applyRecords(state, [second]);
    expect(state.entries).toMatchObject([{ commit: 'other', due: 9 }]);
  });

  test('a conversation record changes nothing of what the history is, and of what it can be continued from', () => {
    const before: LedgerStep[] = [
      { type: 'items', items: [message('a', 'msg_a')] },
      { type: 'response', id: 'resp_1', store: true },
    ];
    const state = stateOf(...before, { type: 'conversation', id: 'conv_2' });
    const { version: _version, conversation, ...checkpoint } = checkpointOf(state);
    expect(conversation).toBe('conv_2');
    expect(checkpointOf(stateOf(...before))).toMatchObject(checkpoint);
    expect(state.recorded).toEqual(new Set(['resp_1']));
  });

  test('a cleared conversation is to be deleted until it is', () => {
    const state = stateOf({ type: 'conversation', id: 'conv_1' }, { type: 'clear' });
    applyRecords(state, records({ type: 'conversation', id: 'conv_2' }));
    expect([...state.former]).toEqual([['conv_1', 'due']]);
    expect(state.healed).toBeUndefined();
    applyRecords(state, records({ type: 'mirror', added: [], removed: [], deleted: ['conv_1'] }));
    expect([...state.former]).toEqual([['conv_1', 'deleted']]);
  });
});

describe('an alias', () => {
  const alias: LedgerStep = { type: 'alias', sessionId: 'user-42' };

  test('an alias record says which session the conversation of this ID belongs to, and its checkpoint says so', () => {
    expect(checkpointOf(stateOf(alias))).toMatchObject({ version: 1, length: 0, alias: 'user-42' });
    expect(stateFromCheckpoint(checkpointOf(stateOf(alias))).alias).toBe('user-42');
  });

  test.each<[string, LedgerStep]>([
    ['items', { type: 'items', items: [message('a')] }],
    ['a conversation', { type: 'conversation', id: 'conv_1' }],
  ])('an alias ends if the ledger gets %s of its own', (_what, step) => {
    expect(stateOf(alias, step).alias).toBeUndefined();
    expect(checkpointOf(stateOf(alias, step))).not.toHaveProperty('alias');
  });
});

describe('a history of which only the checkpoint is known', () => {
  const beginning = stateOf(
    { type: 'items', items: [message('a', 'msg_a'), message('b', 'msg_b')] },
    { type: 'response', id: 'resp_1', store: true },
  );
  test('a state from a checkpoint goes on with the digest and the length that the checkpoint tells', () => {
    const state = stateFromCheckpoint(checkpointOf(beginning));
    applyRecords(state, records({ type: 'items', items: [message('c')] }));
    applyRecords(beginning, records({ type: 'items', items: [message('c')] }));
    expect(checkpointOf(state)).toEqual(checkpointOf(beginning));
    expect(digests(state)).toEqual(['c']);
  });

  test('a state from a checkpoint goes on with the conversation that the checkpoint names', () => {
    const named = stateOf({ type: 'conversation', id: 'conv_1' }, { type: 'items', items: [message('a')] });
    expect(stateFromCheckpoint(checkpointOf(named)).conversation).toBe('conv_1');
  });
});

test('a state from a checkpoint remembers transactions by ID, so that none is applied twice', () => {
  const operation = { id: 'op_1', digest: 'd' };
  const state = stateOf(
    { type: 'items', items: [], operation },
    { type: 'replace', keep: 0, items: [], operation: { id: 'op_2', digest: 'e' } },
  );
  expect([...state.operations]).toEqual([
    ['op_1', 'd'],
    ['op_2', 'e'],
  ]);
});

const unprovenOf = (...steps: LedgerStep[]): number => unprovenIn(stateOf(...steps));

test('a state from a checkpoint counts as unproven what a list gave and what is said to be, and nothing else', () => {
  const own = [message('a'), message('b')];
  const listed = [message('a', 'msg_a')];
  expect(unprovenOf({ type: 'items', items: own })).toBe(0);
  expect(unprovenOf({ type: 'items', items: listed }, { type: 'items', items: own })).toBe(1);
  expect(unprovenOf({ type: 'items', items: own, unproven: true }, { type: 'items', items: own })).toBe(2);
  expect(unprovenOf({ type: 'items', items: listed }, { type: 'pop' })).toBe(0);
});

test('a state from a checkpoint proves nothing of a history whose store has lost records, until it is cleared', () => {
  const items: LedgerStep = { type: 'items', items: [message('a'), message('b')] };
  expect(unprovenIn(stateOf(items, { type: 'rewound' }))).toBe(2);
  expect(stateOf({ type: 'rewound' })).toMatchObject({ rewound: true, entries: [] });
  expect(stateOf(items, { type: 'rewound' }, { type: 'clear' })).toMatchObject({ rewound: false });
});

test('a state from a checkpoint finds the responses that end one context, newest first', () => {
  const context = { length: 1, digest: 'd' };
  const respond = (id: string): LedgerStep => ({ type: 'response', id, store: true, context });
  const state = stateOf(respond('resp_1'), respond('resp_2'), {
    type: 'response',
    id: 'resp_3',
    store: true,
  });
  expect(state.contexts.get('d')?.map(({ id }) => id)).toEqual(['resp_2', 'resp_1']);
  expect([...state.recorded]).toEqual(['resp_1', 'resp_2', 'resp_3']);
});

test('a state from a checkpoint takes as much memory as what it holds, and gives it back', () => {
  const small = stateOf({ type: 'items', items: [message('a')] }).bytes;
  const content = { role: 'user' as const, content: 'x'.repeat(1000) };
  const large: LedgerStep = { type: 'items', items: [{ ...message('a'), item: content }] };
  expect(stateOf(large).bytes - small).toBeGreaterThanOrEqual(2000);
  expect(stateOf({ type: 'items', items: [message('a')] }, large, { type: 'pop' }).bytes).toBe(small);
  expect(stateOf(large, { type: 'clear' }).bytes).toBe(0);
});

const mirror = (said: object): LedgerStep => ({ type: 'mirror', added: [], removed: [], ...said });

describe('what fits behind a checkpoint', () => {
  const tail = tailState(
    nextCheckpoint(stateOf({ type: 'items', items: [message('a', 'msg_a'), message('b', 'msg_b')] }), []),
  );
  if (tail === undefined) throw new Error('no tail');
  applyRecords(tail, records({ type: 'items', items: [message('c'), message('d')] }));

  test.each<[string, LedgerStep]>([
    ['what is added', { type: 'items', items: [message('e')] }],
    ['a response', { type: 'response', id: 'resp_1', store: true }],
    ['a lease', { type: 'lease', writer: 'w', until: 1 }],
    [
      'what was due behind it is written',
      mirror({ added: [2, 3].map((seq) => ({ seq, id: `msg_${seq}` })) }),
    ],
    ['what is lacking behind it', mirror({ behind: 2 })],
    ['nothing', mirror({ surplus: [], duplicates: [] })],
  ])('%s', (_what, step) => {
    expect(fitsTail(tail, records(step))).toBe(true);
  });

  test.each<[string, LedgerStep]>([
    ['a pop', { type: 'pop' }],
    ['a clear', { type: 'clear' }],
    ['another conversation', { type: 'conversation', id: 'conv_2' }],
    ['a replacement', { type: 'replace', keep: 4, items: [] }],
    ['what lies before it is written', mirror({ added: [{ seq: 1, id: 'msg_1' }] })],
    ['what was due is written twice', mirror({ added: ['x', 'y'].map((id) => ({ seq: 2, id })) })],
    ['what is lacking before it', mirror({ behind: 1 })],
    ['what left', mirror({ removed: ['msg_a'] })],
    ['what is too much', mirror({ surplus: ['msg_a'] })],
    ['what an earlier try left', mirror({ duplicates: [{ seq: 2, id: 'msg_a' }] })],
    ['as much of each', mirror({ removed: ['msg_a'], surplus: ['msg_a'] })],
    ['as much of both', mirror({ surplus: ['msg_a'], duplicates: [{ seq: 2, id: 'msg_a' }] })],
  ])('a record behind a checkpoint does not fit: %s', (_what, step) => {
    expect(fitsTail(tail, records(step))).toBe(false);
  });
});

test('a checkpoint knows which items came before a response', () => {
  const state = stateOf(
    { type: 'items', items: [message('a'), message('b')] },
    { type: 'response', id: 'resp_1', store: true, model: 'gpt-5.5', parent: 'resp_0' },
    { type: 'items', items: [message('c')] },
  );
  expect(state.responses).toMatchObject([
    { id: 'resp_1', nextSeq: 2, model: 'gpt-5.5', parent: 'resp_0', time: 1 },
  ]);
  expect(checkpointOf(state).response).toEqual({ id: 'resp_1', store: true, time: 1, model: 'gpt-5.5' });
});

function byRun(one: Draft, other: Draft): number {
  return one.run.localeCompare(other.run);
}
