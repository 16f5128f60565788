import { describe, expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/reducer.ts';
import {
  recordOf,
  type LedgerEntryOf,
  type LedgerItem,
  type LedgerStep,
  type Checkpoint,
} from '../../src/ledger/record.ts';
import { emptyState, pendingAt, pendingChanges, type LedgerState } from '../../src/ledger/state.ts';
import { nextCheckpoint, stateFromCheckpoint } from '../../src/ledger/checkpoint.ts';

const message = (digest: string | null, mirrorId?: string): LedgerItem => ({
  digest,
  kind: 'message:user',
  ...(mirrorId === undefined ? {} : { mirrorId }),
});
const items = (...all: LedgerItem[]): LedgerStep => ({ type: 'items', items: all });
const mirror = (said: Partial<LedgerEntryOf<'mirror'>>): LedgerStep => ({
  type: 'mirror',
  added: [],
  removed: [],
  ...said,
});

/** Each step an append of its own, named and timed by its place. */
function stateOf(...steps: LedgerStep[]): LedgerState {
  const state = emptyState();
  steps.forEach((step, at) => applyRecords(state, [recordOf(step, { commit: `c${at}`, time: at })]));
  return state;
}

const due = ({ unmirrored }: LedgerState): (string | null)[] =>
  [...unmirrored.values()].map(({ digest }) => digest);
const pendingRemovals = ({ removed }: LedgerState): string[] =>
  [...removed].flatMap(([id, isThere]) => (isThere ? [id] : []));
const three = items(message('a', 'msg_a'), message('b', 'msg_b'), message('c', 'msg_c'));

describe('what the conversation is said to hold', () => {
  test('a linked item is no longer pending, and a duplicate that may come stays possible', () => {
    const state = stateOf(items(message('a'), message('b')), mirror({ added: [{ seq: 1, id: 'msg_b' }] }));
    expect(due(state)).toEqual(['a']);
    expect(pendingChanges(state)).toBe(1);
  });

  test('a listed copy leaves, once it is out of the history, until that is said to be done', () => {
    const gone = [three, { type: 'pop' }] as const;
    expect(stateOf(...gone)).toMatchObject({ pendingRemovals: 1 });
    const done = stateOf(...gone, mirror({ removed: ['msg_c', 'msg_unknown'] }));
    expect(done.pendingRemovals).toBe(0);
    expect([...done.removed]).toEqual([
      ['msg_c', false],
      ['msg_unknown', false],
    ]);
    expect(pendingChanges(done)).toBe(0);
  });

  test('a listed copy leaves once, however often it is said to be too much', () => {
    const state = stateOf(three, { type: 'pop' }, mirror({ surplus: ['msg_c', 'msg_c', 'msg_x'] }));
    expect(pendingRemovals(state)).toEqual(['msg_c', 'msg_x']);
    expect(state.pendingRemovals).toBe(2);
  });

  test('a listed copy stays when it is in the history under that ID, whatever is said of it', () => {
    expect(pendingRemovals(stateOf(three, mirror({ surplus: ['msg_b'] })))).toEqual([]);
  });

  test('an item that comes back into the history is no longer removed', () => {
    const state = stateOf(three, { type: 'pop' }, items(message('c', 'msg_c')));
    expect(pendingRemovals(state)).toEqual([]);
    expect(state.pendingRemovals).toBe(0);
  });
});

describe('an item that the conversation lacks before others that it holds', () => {
  const behind = stateOf(three, mirror({ behind: 0 }));

  test('an item that the conversation lacks has the later ones written again behind it, and removed where they stand', () => {
    expect(due(behind)).toEqual(['b', 'c']);
    expect(pendingRemovals(behind)).toEqual(['msg_b', 'msg_c']);
    expect(behind.entries.map(({ mirrorId }) => mirrorId)).toEqual(['msg_a', undefined, undefined]);
    expect(behind.pendingRemovals).toBe(2);
  });

  test('an earlier pending item makes that due now, by whoever said so', () => {
    expect(behind.entries.map(({ commit, due: since }) => [commit, since])).toEqual([
      ['c0', 0],
      ['c1', 1],
      ['c1', 1],
    ]);
  });

  test('an earlier pending item leaves alone what the conversation will never hold', () => {
    const state = stateOf(
      items(message('a', 'msg_a'), message('b'), message('c', 'msg_c')),
      mirror({ skipped: [{ seq: 1, reason: 'no form' }] }),
      mirror({ behind: 0 }),
    );
    expect(due(state)).toEqual(['c']);
    expect(state.entries[1]).toMatchObject({ skipped: 'no form', commit: 'c0' });
    expect(pendingRemovals(state)).toEqual(['msg_c']);
  });

  test('an item that is no longer in the history has no items behind it', () => {
    expect(due(stateOf(three, mirror({ behind: 9 })))).toEqual([]);
  });

  test('an earlier pending item leaves what is due behind it due, in order', () => {
    const state = stateOf(
      items(message('a', 'msg_a'), message('b')),
      items(message('c')),
      items(message('d', 'msg_d')),
      mirror({ behind: 1 }),
    );
    expect(due(state)).toEqual(['b', 'c', 'd']);
    expect(pendingRemovals(state)).toEqual(['msg_d']);
  });
});

describe('a link', () => {
  const linked = items({ ...message('a'), link: 'msg_1' }, { ...message('b'), link: 'msg_2' });

  test('a link is given up for the items that the API refuses to link', () => {
    const state = stateOf(linked, mirror({ unlinked: [1, 7] }));
    expect(state.entries.map(({ link }) => link)).toEqual(['msg_1', undefined]);
  });

  test('a link is given up for an item that is written again by its content', () => {
    const state = stateOf(linked, mirror({ added: [{ seq: 1, id: 'msg_b' }] }), mirror({ behind: 0 }));
    expect(state.entries.map(({ link }) => link)).toEqual(['msg_1', undefined]);
  });
});

const stray = (id: string): LedgerStep => mirror({ duplicates: [{ seq: 0, id }] });

describe('an item that is written again although an earlier try may have been applied', () => {
  const again = mirror({ again: [0] });

  test('an item that is written again may be listed once more for each attempt', () => {
    const write = { digest: 'a', id: undefined };
    const once = stateOf(items(message('a')), again);
    expect([...once.possibleDuplicates]).toMatchObject([[0, { ...write, copies: 1, time: 1 }]]);
    const twice = stateOf(items(message('a')), again, again);
    expect([...twice.possibleDuplicates]).toMatchObject([[0, { ...write, copies: 2, time: 2 }]]);
  });

  test('an item that is written again has its duplicates removed as they are listed', () => {
    const one = stateOf(items(message('a')), again, again, stray('msg_1'));
    expect(one.possibleDuplicates.get(0)?.copies).toBe(1);
    expect(pendingRemovals(one)).toEqual(['msg_1']);
    const both = stateOf(items(message('a')), again, again, stray('msg_1'), stray('msg_2'), stray('msg_3'));
    expect(both.possibleDuplicates.size).toBe(0);
    expect(pendingRemovals(both)).toEqual(['msg_1', 'msg_2', 'msg_3']);
  });

  test('an item that is written again counts as no possible duplicate when it is not due', () => {
    const state = stateOf(three, again, mirror({ again: [8] }));
    expect(state.possibleDuplicates.size).toBe(0);
  });

  test('possible duplicates are forgotten when the session is cleared', () => {
    const state = stateOf(items(message('a')), again, { type: 'pop' }, { type: 'clear' });
    expect([state.possibleDuplicates.size, state.dropped.size, state.unmirrored.size]).toEqual([0, 0, 0]);
  });
});

describe('what left the history while it was being written', () => {
  const popped = [items({ ...message('a'), id: 'a1' }), { type: 'pop' }] as const;

  test('an item removed during its write counts as pending until it is known whether the conversation has it', () => {
    const state = stateOf(...popped);
    expect([...state.dropped]).toEqual([[0, { digest: 'a', id: 'a1' }]]);
    expect(pendingChanges(state)).toBe(1);
  });

  test('an item removed during its write leaves the conversation when it is there', () => {
    const state = stateOf(...popped, mirror({ added: [{ seq: 0, id: 'msg_a' }] }));
    expect(state.dropped.size).toBe(0);
    expect(pendingRemovals(state)).toEqual(['msg_a']);
  });

  test('a removed item may still be listed later if a read did not find it', () => {
    const state = stateOf(...popped, mirror({ settled: true }));
    expect(state.dropped.size).toBe(0);
    expect([...state.possibleDuplicates]).toMatchObject([[0, { digest: 'a', id: 'a1', copies: 1, time: 2 }]]);
    expect(pendingChanges(state)).toBe(0);
    expect(stateOf(...popped, mirror({ settled: false })).dropped.size).toBe(1);
  });
});

describe('what the conversation can never hold', () => {
  test('a skipped item is no longer pending, and has a reason', () => {
    const skipped = [
      { seq: 0, reason: 'no form' },
      { seq: 5, reason: 'nobody' },
    ];
    const state = stateOf(items(message('a'), message('b')), mirror({ skipped }));
    expect(due(state)).toEqual(['b']);
    expect(state.entries[0]?.skipped).toBe('no form');
  });

  test('a skipped item is not skipped any more once it is linked', () => {
    const state = stateOf(three, mirror({ skipped: [{ seq: 0, reason: 'no form' }] }));
    expect(state.entries[0]).toMatchObject({ skipped: undefined, mirrorId: 'msg_a' });
  });
});

describe('a lease', () => {
  const lease: LedgerStep = { type: 'lease', writer: 'w', until: 9 };

  test('a lease is held until the writer releases it', () => {
    expect(stateOf(lease).lease).toEqual({ writer: 'w', taken: 0, until: 9 });
    expect(stateOf(lease, mirror({})).lease).toEqual({ writer: 'w', taken: 0, until: 9 });
    expect(stateOf(lease, mirror({ released: true })).lease).toBeUndefined();
  });
});

/** The resume point of a checkpoint after these steps, appended at once. */
const resumePointAfter = (state: LedgerState, ...steps: LedgerStep[]): Checkpoint['resumePoint'] =>
  nextCheckpoint(
    state,
    steps.map((step) => recordOf(step, { commit: 'c', time: 0 })),
  ).resumePoint;

/** The number of changes that the conversation lacks after these steps, by the checkpoint. */
const pendingAfter = (state: LedgerState, ...steps: LedgerStep[]): number | undefined =>
  resumePointAfter(state, ...steps)?.pending;

describe('a checkpoint', () => {
  test('a checkpoint says how much the conversation lacks', () => {
    const state = stateOf(three);
    expect(pendingAfter(state)).toBe(0);
    expect(pendingAfter(state, items(message('d'), message('e', 'msg_e'), message('f')))).toBe(2);
    const waiting = stateOf(three, items(message('d'), message('e')));
    expect(pendingAfter(waiting)).toBe(2);
    expect(pendingAfter(waiting, mirror({ added: [{ seq: 3, id: 'msg_d' }] }))).toBe(1);
    expect(pendingAfter(waiting, mirror({ skipped: [{ seq: 3, reason: 'no form' }] }))).toBe(1);
    const both = [3, 4].map((seq) => ({ seq, id: `msg_${seq}` }));
    expect(pendingAfter(waiting, mirror({ added: both }))).toBe(0);
    expect(pendingAfter(waiting, mirror({ added: [...both, { seq: 4, id: 'msg_twice' }] }))).toBe(1);
  });

  test('a checkpoint says so after what is replaced, and after a second look, too', () => {
    const state = stateOf(three);
    expect(pendingAfter(state, { type: 'replace', keep: 1, items: [message('x')] })).toBe(3);
    expect(pendingAfter(state, { type: 'replace', keep: 9, items: [message('x')] })).toBe(1);
    const replaced = (keep: number): LedgerStep => ({ type: 'replace', keep, items: [message('x')] });
    expect(pendingAfter(state, replaced(1), replaced(0))).toBe(5);
    const surplus = mirror({ surplus: ['msg_x', 'msg_y'], duplicates: [{ seq: 0, id: 'msg_z' }] });
    expect(pendingAfter(state, surplus)).toBe(3);
    expect(pendingAfter(emptyState(), mirror({}), surplus)).toBe(3);
  });

  test('a checkpoint says nothing is lacking once what was taken out is said to be out', () => {
    const popped = stateOf(three, { type: 'pop' });
    expect(pendingAfter(popped)).toBe(1);
    const out = stateOf(three, { type: 'pop' }, mirror({ removed: ['msg_c'] }));
    expect(pendingAfter(out)).toBe(0);
    const dropped = stateOf(items(message('a')), { type: 'pop' });
    expect(pendingAfter(dropped, mirror({ settled: true }))).toBe(0);
    expect(pendingAfter(dropped, mirror({ settled: false }))).toBe(1);
  });

  test.each<[string, LedgerStep, number]>([
    ['a pop', { type: 'pop' }, 1],
    ['a replacement', { type: 'replace', keep: 3, items: [] }, 0],
    ['a clear', { type: 'clear' }, 0],
    ['another conversation', { type: 'conversation', id: 'conv_2' }, 3],
    ['a removal', mirror({ removed: ['msg_x'] }), 0],
    ['a surplus', mirror({ surplus: ['msg_x'] }), 1],
    ['a stray', mirror({ duplicates: [{ seq: 0, id: 'msg_x' }] }), 1],
    ['a gap', mirror({ behind: 0 }), 4],
  ])('a checkpoint says how much the conversation lacks after %s', (_what, step, pending) => {
    expect(pendingAfter(stateOf(three), step)).toBe(pending);
    expect(pendingAt(stateOf(three, step))).toBe(pending);
    expect(pendingAfter(stateOf(three), step, items(message('d')))).toBe(pending + 1);
  });

  test.each<[string, LedgerStep]>([
    ['a response', { type: 'response', id: 'resp_1', store: true }],
    ['a refusal', { type: 'refused', id: 'resp_1' }],
    ['a repair', { type: 'repair', position: 0 }],
    ['lost records', { type: 'rewound' }],
    ['an alias', { type: 'alias', sessionId: 'user-42' }],
    ['a look', mirror({ settled: true })],
  ])('lacks nothing more after %s', (_what, step) => {
    expect(pendingAfter(stateOf(three), step)).toBe(0);
  });

  test('a checkpoint says whether a process holds the lease', () => {
    const lease: LedgerStep = { type: 'lease', writer: 'w', until: 9 };
    expect(resumePointAfter(stateOf(three), lease)).toMatchObject({ pending: 0, leased: true });
    expect(resumePointAfter(stateOf(three, lease))).toMatchObject({ leased: true });
    expect(resumePointAfter(stateOf(three, lease), mirror({}))).toMatchObject({ leased: true });
    expect(resumePointAfter(stateOf(three, lease), mirror({ released: true }))).not.toHaveProperty('leased');
    expect(resumePointAfter(stateOf(three), mirror({ released: true }), lease)).toMatchObject({
      leased: true,
    });
  });

  test('a checkpoint does not mention the lease of a compaction', () => {
    const lease: LedgerStep = { type: 'lease', writer: 'w', until: 9, of: 'compaction' };
    const state = stateOf(three, lease);
    expect(state).toMatchObject({ lease: undefined, compacting: { writer: 'w', until: 9 } });
    expect(resumePointAfter(state)).toEqual({ nextSeq: 3, commit: 'c1', pending: 0 });
    expect(stateOf(three, lease, { type: 'view', from: 3, items: [] }).compacting).toBeUndefined();
    expect(stateOf(three, lease, { type: 'clear' }).compacting).toBeUndefined();
  });

  test('a checkpoint counts what lay before the records', () => {
    const checkpoint = nextCheckpoint(stateOf(three, items(message('d'), message('e'))), []);
    const state = stateFromCheckpoint(checkpoint);
    expect(pendingAt(state)).toBe(2);
    applyRecords(state, [recordOf(items(message('f')), { commit: 'c', time: 0 })]);
    expect(pendingAt(state)).toBe(3);
    expect(pendingAt(stateOf(three))).toBe(0);
  });
});
