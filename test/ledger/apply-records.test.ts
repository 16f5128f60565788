import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/apply-records.ts';
import { fitTip, resolveBase, stateFrom, tipFrom } from '../../src/ledger/state-from-head.ts';
import { EMPTY_DIGEST, extendDigest } from '../../src/ledger/digest.ts';
import {
  recordOf,
  type LedgerItem,
  type LedgerRecord,
  type LedgerStep,
} from '../../src/ledger/ledger-record.ts';
import {
  digestOf,
  emptyState,
  headOf,
  pendingChanges,
  type LedgerState,
} from '../../src/ledger/ledger-state.ts';
import { nextHead } from '../../src/ledger/next-head.ts';
import { ledgerRecords } from '../support/records.ts';

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

describe('a state, whatever was recorded', () => {
  test('has the head that was foretold', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
        const state = emptyState();
        applyRecords(state, before);
        const head = headOf(state);
        const { tip: _tip, ...foretold } = nextHead(state, batch);
        expect(headOf(state)).toEqual(head);
        applyRecords(state, batch);
        expect(headOf(state)).toEqual(foretold);
      }),
      { numRuns: 2_000 },
    );
  });

  test('has the head that was foretold, also where the beginning is not read back', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, ledgerRecords, (beginning, before, batch) => {
        const whole = emptyState();
        applyRecords(whole, beginning);
        const state = stateFrom(headOf(whole));
        expect(headOf(state)).toEqual(headOf(whole));
        applyRecords(state, before);
        const { tip: _tip, ...foretold } = nextHead(state, batch);
        applyRecords(state, batch);
        expect(headOf(state)).toEqual(foretold);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is never said to lack less in the conversation than it does', () => {
    fc.assert(
      fc.property(ledgerRecords, ledgerRecords, (before, batch) => {
        const state = emptyState();
        applyRecords(state, before);
        const { tip } = nextHead(state, batch);
        applyRecords(state, batch);
        expect(tip === undefined).toBe(state.lease !== undefined);
        if (tip === undefined) return;
        expect(tip.pending).toBeGreaterThanOrEqual(pendingChanges(state));
        expect(tip).toMatchObject({ nextSeq: state.nextSeq, commit: state.newest });
      }),
      { numRuns: 2_000 },
    );
  });

  test('goes on from its head as from the whole, where what comes fits', () => {
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
        });
        applyRecords(whole, settled);
        const head = nextHead(whole, []);
        expect(head.tip).toMatchObject({ pending: 0 });
        const tip = tipFrom(head);
        // No response is recorded after it was refused.
        const refused = new Set(before.flatMap((one) => (one.type === 'refused' ? [one.id] : [])));
        const isStrange = batch.some((one) => one.type === 'response' && refused.has(one.id));
        if (tip === undefined || isStrange || !fitTip(tip, batch)) return;
        gone += 1;
        applyRecords(whole, batch);
        applyRecords(tip, batch);
        expect(headOf(tip)).toEqual(headOf(whole));
        expect(nextHead(tip, [])).toEqual(nextHead(whole, []));
        expect(tip.lease).toEqual(whole.lease);
        expect([...tip.unmirrored.keys()]).toEqual([...whole.unmirrored.keys()]);
        expect(pendingChanges(tip)).toBe(pendingChanges(whole));
        expect(places(tip)).toEqual(places(whole).slice(whole.entries.length - tip.entries.length));
      }),
      { numRuns: 5_000 },
    );
    expect(gone).toBeGreaterThan(20);
  });

  test('is the same, applied one by one or at once', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const [atOnce, oneByOne] = [emptyState(), emptyState()];
        applyRecords(atOnce, all);
        for (const one of all) applyRecords(oneByOne, [one]);
        expect(oneByOne).toEqual(atOnce);
      }),
      { numRuns: 500 },
    );
  });

  test('holds each entry once, under a number that is never given again', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const state = emptyState();
        applyRecords(state, all);
        const seqs = state.entries.map(({ seq }) => seq);
        expect(new Set(seqs).size).toBe(seqs.length);
        expect(seqs.every((seq) => seq < state.nextSeq)).toBe(true);
        expect(state.version).toBe(all.length);
      }),
      { numRuns: 500 },
    );
  });

  test('knows the digest of the history up to every entry', () => {
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
      { numRuns: 500 },
    );
  });

  test('has every entry in the conversation, on its way there, or left out for good', () => {
    fc.assert(
      fc.property(ledgerRecords, (all) => {
        const state = emptyState();
        applyRecords(state, all);
        const waiting = state.entries.filter(
          ({ mirrorId, skipped }) => mirrorId === undefined && skipped === undefined,
        );
        expect(new Set(state.unmirrored.values())).toEqual(new Set(waiting));
      }),
      { numRuns: 1_000 },
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
      { numRuns: 1_000 },
    );
  });
});

describe('replace', () => {
  const three: LedgerStep = {
    type: 'items',
    items: [message('a', 'msg_a'), message('b', 'msg_b'), message('c', 'msg_c')],
  };

  test('keeps what it refers to, in its order, and takes the rest out of the conversation', () => {
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

  test('leaves everything in place around an item that was adopted from the list', () => {
    const state = stateOf(three, {
      type: 'replace',
      keep: 1,
      items: [message('new', 'msg_new'), { seq: 1 }, { seq: 2 }],
    });
    expect(digests(state)).toEqual(['a', 'new', 'b', 'c']);
    expect(state.unmirrored.size).toBe(0);
    expect(state.removed.size).toBe(0);
  });

  test('ignores a reference to what is not there, and one that comes twice', () => {
    const state = stateOf(three, {
      type: 'replace',
      keep: 1,
      items: [{ seq: 0 }, { seq: 2 }, { seq: 2 }, { seq: 9 }],
    });
    expect(digests(state)).toEqual(['a', 'c']);
  });
});

describe('the mirror', () => {
  test('links entries to their IDs in the conversation', () => {
    const state = stateOf(
      { type: 'items', items: [message('a'), message('b')] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_a' }], removed: [] },
    );
    expect(state.entries.map(({ mirrorId }) => mirrorId)).toEqual(['msg_a', undefined]);
    expect([...state.unmirrored.keys()]).toEqual([1]);
  });

  test('takes an item out again that was popped while it was being written', () => {
    const state = stateOf(
      { type: 'items', items: [message('a')] },
      { type: 'pop' },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_a' }], removed: [] },
    );
    expect([...state.removed]).toEqual([['msg_a', true]]);
  });

  test.each([0, 7])('leaves alone what another ledger of that name wrote: item %d', (seq) => {
    const state = stateOf({ type: 'mirror', added: [{ seq, id: 'msg_other' }], removed: [] });
    expect(state.removed.size).toBe(0);
  });

  test('removes the second copy when two writers wrote the same entry', () => {
    const state = stateOf(
      { type: 'items', items: [message('a')] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_first' }], removed: [] },
      { type: 'mirror', added: [{ seq: 0, id: 'msg_second' }], removed: [] },
    );
    expect(state.entries[0]?.mirrorId).toBe('msg_first');
    expect([...state.removed]).toEqual([['msg_second', true]]);
  });

  test('keeps an item in the conversation as long as one of two entries holds it', () => {
    const twice = [message('a', 'rs_1'), message('a', 'rs_1')];
    const once = stateOf({ type: 'items', items: twice }, { type: 'pop' });
    expect(once.removed.size).toBe(0);
    const gone = stateOf({ type: 'items', items: twice }, { type: 'pop' }, { type: 'pop' });
    expect([...gone.removed]).toEqual([['rs_1', true]]);
  });

  test('does not try again what the conversation can never hold', () => {
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
  test('leaves nothing to serve, to write or to continue from', () => {
    const state = stateOf(
      { type: 'items', items: [message('a', 'msg_a'), message('b')] },
      { type: 'response', id: 'resp_1', store: true },
      { type: 'clear' },
    );
    expect(headOf(state)).toEqual({
      format: 1,
      version: 3,
      length: 0,
      digest: EMPTY_DIGEST,
      cleared: true,
    });
    expect(state.unmirrored.size).toBe(0);
    expect([...state.removed.values()].includes(true)).toBe(false);
    expect(state.cleared).toBe(true);
  });

  test('remembers what the conversation held, and waits for none of it to leave', () => {
    const state = stateOf({ type: 'items', items: [message('a', 'msg_a'), message('b')] }, { type: 'clear' });
    expect([...state.removed]).toEqual([['msg_a', false]]);
    expect(state.leaving).toBe(0);
  });

  test('is over when something is added again', () => {
    expect(stateOf({ type: 'clear' }, { type: 'items', items: [message('a')] }).cleared).toBe(false);
  });
});

describe('a history of which only the head is known', () => {
  const beginning = stateOf(
    { type: 'items', items: [message('a', 'msg_a'), message('b', 'msg_b')] },
    { type: 'response', id: 'resp_1', store: true },
  );
  const items = [message('a'), message('b')].map((item, at) => ({ item, mirrorId: `msg_${'ab'[at] ?? ''}` }));

  test('goes on with the digest and the length that the head tells', () => {
    const state = stateFrom(headOf(beginning));
    applyRecords(state, records({ type: 'items', items: [message('c')] }));
    applyRecords(beginning, records({ type: 'items', items: [message('c')] }));
    expect(headOf(state)).toEqual(headOf(beginning));
    expect(digests(state)).toEqual(['c']);
  });

  test('is the one it was when it has been read back', () => {
    const whole = stateOf({ type: 'items', items: [message('a', 'msg_a'), message('b', 'msg_b')] });
    const state = stateFrom(headOf(whole));
    resolveBase(state, { items, proven: true, leaving: [] });
    expect(headOf(state)).toEqual(headOf(whole));
    expect(state).toMatchObject({ unproven: 0, base: undefined });
    expect(state.unmirrored.size).toBe(0);
    expect(state.entries.map(({ mirrorId }) => mirrorId)).toEqual(['msg_a', 'msg_b']);
  });

  test('gives new items numbers of their own, however many there turn out to be', () => {
    const state = stateFrom(headOf(stateOf({ type: 'items', items: [message('a')] })));
    resolveBase(state, { items, proven: true, leaving: [] });
    applyRecords(state, records({ type: 'items', items: [message('c')] }));
    expect(state.entries.map(({ seq }) => seq)).toEqual([0, 1, 2]);
  });

  test('counts as unproven where it could not be proven', () => {
    const state = stateFrom(headOf(beginning));
    resolveBase(state, { items: items.slice(1), proven: false, leaving: [] });
    expect(state.unproven).toBe(1);
  });
});

test('remembers transactions by ID, so that none is applied twice', () => {
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

test('counts what was adopted unproven', () => {
  expect(stateOf({ type: 'items', items: [message('a', 'msg_a')], unproven: true }).unproven).toBe(1);
});

test('counts as unproven what is said to be, and nothing else', () => {
  const items = [message('a', 'msg_a'), message('b', 'msg_b')];
  expect(stateOf({ type: 'items', items }).unproven).toBe(0);
  expect(stateOf({ type: 'items', items, unproven: true }, { type: 'items', items }).unproven).toBe(2);
});

test('finds the responses that end one context, newest first', () => {
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

test('takes as much memory as what it holds, and gives it back', () => {
  const small = stateOf({ type: 'items', items: [message('a')] }).bytes;
  const content = { role: 'user' as const, content: 'x'.repeat(1000) };
  const large: LedgerStep = { type: 'items', items: [{ ...message('a'), item: content }] };
  expect(stateOf(large).bytes - small).toBeGreaterThanOrEqual(2000);
  expect(stateOf({ type: 'items', items: [message('a')] }, large, { type: 'pop' }).bytes).toBe(small);
  expect(stateOf(large, { type: 'clear' }).bytes).toBe(0);
});

const mirror = (said: object): LedgerStep => ({ type: 'mirror', added: [], removed: [], ...said });

describe('what fits behind a head', () => {
  const tip = tipFrom(
    nextHead(stateOf({ type: 'items', items: [message('a', 'msg_a'), message('b', 'msg_b')] }), []),
  );
  if (tip === undefined) throw new Error('no tip');
  applyRecords(tip, records({ type: 'items', items: [message('c'), message('d')] }));

  test.each<[string, LedgerStep]>([
    ['what is added', { type: 'items', items: [message('e')] }],
    ['a response', { type: 'response', id: 'resp_1', store: true }],
    ['a lease', { type: 'lease', writer: 'w', until: 1 }],
    [
      'what was due behind it is written',
      mirror({ added: [2, 3].map((seq) => ({ seq, id: `msg_${seq}` })) }),
    ],
    ['what is lacking behind it', mirror({ behind: 2 })],
    ['nothing', mirror({ surplus: [], strays: [] })],
  ])('%s', (_what, step) => {
    expect(fitTip(tip, records(step))).toBe(true);
  });

  test.each<[string, LedgerStep]>([
    ['a pop', { type: 'pop' }],
    ['a clear', { type: 'clear' }],
    ['a replacement', { type: 'replace', keep: 4, items: [] }],
    ['what lies before it is written', mirror({ added: [{ seq: 1, id: 'msg_1' }] })],
    ['what was due is written twice', mirror({ added: ['x', 'y'].map((id) => ({ seq: 2, id })) })],
    ['what is lacking before it', mirror({ behind: 1 })],
    ['what left', mirror({ removed: ['msg_a'] })],
    ['what is too much', mirror({ surplus: ['msg_a'] })],
    ['what an earlier try left', mirror({ strays: [{ seq: 2, id: 'msg_a' }] })],
    ['as much of each', mirror({ removed: ['msg_a'], surplus: ['msg_a'] })],
    ['as much of both', mirror({ surplus: ['msg_a'], strays: [{ seq: 2, id: 'msg_a' }] })],
  ])('not %s', (_what, step) => {
    expect(fitTip(tip, records(step))).toBe(false);
  });
});

test('knows which items came before a response', () => {
  const state = stateOf(
    { type: 'items', items: [message('a'), message('b')] },
    { type: 'response', id: 'resp_1', store: true, model: 'gpt-5.5', parent: 'resp_0' },
    { type: 'items', items: [message('c')] },
  );
  expect(state.responses).toMatchObject([
    { id: 'resp_1', nextSeq: 2, model: 'gpt-5.5', parent: 'resp_0', time: 1 },
  ]);
  expect(headOf(state).response).toEqual({ id: 'resp_1', store: true, time: 1, model: 'gpt-5.5' });
});
