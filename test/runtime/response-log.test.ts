import { describe, expect, it, test } from 'vitest';
import { EMPTY_DIGEST } from '../../src/items/digest.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { ledgerItem, type LedgerItem, type LedgerStep } from '../../src/ledger/record.ts';
import { contextAfter, seenDigest, seenHistory } from '../../src/ledger/view.ts';
import type { CompletedResponse } from '../../src/chaining/port.ts';
import { keepUnattributedResponse } from '../../src/chaining/attribution.ts';
import type { Mode } from '../../src/rollout/mode.ts';
import { ResponseLog, type ResponseOwner } from '../../src/runtime/response-log.ts';
import type { HybridSessionEvent } from '../../src/telemetry/events.ts';
import type { SessionObserver } from '../../src/telemetry/observer.ts';
import { Telemetry } from '../../src/telemetry/span.ts';
import { noHistory } from '../chaining/known-port.ts';
import { memoryLedger } from '../../src/stores/memory.ts';
import { assistant, call, result, texts, user } from '../support/conversation.ts';
import { notedSpans } from '../support/spans.ts';

interface Kept {
  readonly log: ResponseLog;
  readonly ledger: Ledger;
  readonly events: HybridSessionEvent[];
  /** What the runner does when a turn has ended with a response. */
  readonly end: (id: string, store?: boolean) => Promise<void>;
}

/** A session that has a ledger and a mode, and compacts nothing. */
function owner(
  ledger: Ledger,
  {
    mode = 'chain',
    observers = [],
    ...parts
  }: Partial<ResponseOwner> & { mode?: Mode; observers?: SessionObserver[] } = {},
): ResponseOwner {
  return {
    options: { client: undefined, responseTtl: 1000, history: { compaction: undefined, window: undefined } },
    telemetry: new Telemetry(observers),
    turn: { planned: (one) => one },
    compactor: { forRequest: async () => false, uncompact: async () => [] },
    atRequest: async () => ({ sessionId: 'session', ledger, mode }),
    ...parts,
  };
}

function kept(mode: Mode = 'chain', store = memoryLedger()): Kept {
  const ledger = new Ledger({ store, sessionId: 'session', now: () => 1 });
  const events: HybridSessionEvent[] = [];
  const observers = [{ event: (event: HybridSessionEvent) => void events.push(event) }];
  const log = new ResponseLog(owner(ledger, { mode, observers }), noHistory);
  const end = async (id: string, stored?: boolean): Promise<void> => {
    await ledger.append((state) => log.steps(state, id, stored));
  };
  return { log, ledger, events, end };
}

const answer = (id: string, fields: Partial<CompletedResponse> = {}): CompletedResponse => ({
  id,
  time: 1,
  store: true,
  model: 'gpt-4.1',
  parent: undefined,
  context: { length: 1, digest: `end of ${id}` },
  lineage: [],
  ...fields,
});

const recorded = async ({ ledger }: Kept): Promise<string[]> =>
  (await ledger.read()).responses.map(({ id }) => id);

test('the response log offers responses of the current turn, newest first, before those of the ledger', async () => {
  const session = kept();
  const same = { context: { length: 1, digest: 'same' } };
  session.log.answered(answer('a', same));
  await session.end('a');
  session.log.answered(answer('b', same));
  session.log.answered(answer('c', same));
  const view = await session.log.view('all');
  expect(view.candidates('same').map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  expect(view.unrecorded('same')).toEqual(['c', 'b']);
  expect(view.candidates('another')).toEqual([]);
});

test('the response log refuses an ID that two responses have', async () => {
  const session = kept();
  session.log.answered(answer('a'));
  session.log.answered(answer('a'));
  await session.end('a');
  expect((await session.log.view('all')).isRefused('a')).toBe(false);
  session.log.answered(answer('a', { context: { length: 3, digest: 'another' } }));
  expect((await session.log.view('all')).isRefused('a')).toBe(true);
  await session.end('a');
  expect((await session.ledger.read()).refused).toEqual(new Set(['a']));
  session.log.answered(answer('b'));
  session.log.answered(answer('b', { context: { length: 3, digest: 'another' } }));
  expect((await session.log.view('all')).isRefused('b')).toBe(true);
});

test('the response log records a response with the earlier responses of its turn only', async () => {
  const session = kept();
  session.log.answered(answer('step 1'));
  session.log.answered(answer('somebody else'));
  session.log.answered(answer('step 2', { parent: 'step 1', lineage: ['step 1'] }));
  await session.end('step 2');
  expect(await recorded(session)).toEqual(['step 1', 'step 2']);
  await session.end('step 2');
  expect(await recorded(session)).toEqual(['step 1', 'step 2']);
});

test('the response log forgets all responses before a recorded one', async () => {
  const session = kept();
  for (let index = 0; index < 50; index += 1) session.log.answered(answer(`failed ${index}`));
  session.log.answered(answer('last'));
  await session.end('last');
  session.log.answered(answer('of the next turn'));
  const view = await session.log.view('all');
  expect(view.candidates('end of failed 49')).toEqual([]);
  expect(view.candidates('end of last')).toHaveLength(1);
  expect(view.unrecorded('end of of the next turn')).toEqual(['of the next turn']);
});

test('the response log keeps at most a thousand responses of unfinished turns', async () => {
  const session = kept();
  for (let index = 0; index <= 1000; index += 1) session.log.answered(answer(`${index}`));
  const view = await session.log.view('all');
  expect(view.candidates('end of 0')).toEqual([]);
  expect(view.candidates('end of 1')).toHaveLength(1);
});

test('the response log records an unattributed response that the runner names', async () => {
  const session = kept();
  keepUnattributedResponse(answer('left', { store: false }));
  await session.end('left');
  expect((await session.ledger.read()).responses).toMatchObject([
    { id: 'left', store: false, context: { digest: 'end of left' } },
  ]);
});

test('the response log records only the ID of an unseen response', async () => {
  const session = kept();
  await session.end('unseen');
  await session.end('unstored', false);
  expect((await session.ledger.read()).responses).toMatchObject([
    { id: 'unseen', store: true, context: undefined },
    { id: 'unstored', store: false, context: undefined },
  ]);
  expect((await session.log.view('all')).empty).toBe(true);
});

test('the response log remembers a refused parent across processes', async () => {
  const store = memoryLedger();
  const session = kept('chain', store);
  session.log.answered(answer('a'));
  await session.end('a');
  await session.log.view('all');
  session.log.refused('a', 'not found', true);
  expect((await session.log.view('all')).isRefused('a')).toBe(true);
  session.log.answered(answer('b'));
  await session.end('b');
  expect((await kept('chain', store).log.view('all')).isRefused('a')).toBe(true);
  expect((await kept('chain', store).log.view('all')).isRefused('b')).toBe(false);
  expect(session.events).toEqual([
    { type: 'warning', code: 'parent_refused', sessionId: 'session', ids: ['a'], reason: 'not found' },
  ]);
});

test.each<[Mode, boolean]>([
  ['off', false],
  ['shadow', false],
  ['rebuild', false],
  ['chain', true],
])('a response may be continued in mode %s: %s', async (mode, enabled) => {
  expect((await kept(mode).log.view('all')).enabled).toBe(enabled);
});

test('the response log forgets everything after a clear', async () => {
  const session = kept();
  session.log.answered(answer('a'));
  session.log.refused('b', 'expired', true);
  session.log.clear();
  const view = await session.log.view('all');
  expect(view.empty).toBe(true);
  expect(view.isRefused('b')).toBe(false);
});

const stored = (text: string): LedgerItem => ledgerItem(user(text), true);
const COMPACTION = { type: 'compaction', id: 'cmp_1', encrypted_content: 'short' } as const;

/** A log whose ledger has items of these texts. */
async function told(
  ...said: string[]
): Promise<Kept & { readonly add: (...steps: LedgerStep[]) => Promise<unknown> }> {
  const session = kept();
  const add = (...steps: LedgerStep[]): Promise<unknown> => session.ledger.append(() => steps);
  if (said.length > 0) await add({ type: 'items', items: said.map((text) => stored(text)) });
  return { ...session, add };
}

describe('the view of a response log', () => {
  it('a view of each scope reads no more of the ledger than it needs', async () => {
    const reads: unknown[] = [];
    const { ledger } = kept();
    const watched = Object.assign(Object.create(ledger), {
      read: (how: object) => {
        reads.push(how);
        return ledger.read();
      },
    }) as Ledger;
    const compaction = { model: undefined, isDue: undefined, readsHistory: false, serverThreshold: 5000 };
    const log = new ResponseLog(
      owner(watched, {
        options: { client: undefined, responseTtl: 1000, history: { compaction, window: undefined } },
        compactor: { forRequest: async () => true, uncompact: async () => [] },
      }),
      noHistory,
    );
    await log.view('newest');
    await log.view('all');
    const view = await log.view('tail');
    expect(reads).toEqual([{ fresh: true }, { scope: 'seen' }, { scope: 'tail' }]);
    expect(view).toMatchObject({ serverThreshold: 5000, responseTtl: 1000, empty: true });
    expect(await log.compact()).toBe(true);
    expect(log.history).toBe(noHistory);
    expect(log.client).toBeUndefined();
  });

  it.each<[Mode, boolean]>([
    ['off', true],
    ['shadow', true],
    ['rebuild', false],
    ['chain', false],
  ])('a session in mode %s serves the list: %s', async (mode, isStock) => {
    expect((await kept(mode).log.view('all')).isStock).toBe(isStock);
  });

  it('a view is empty until a response is known, here or in the ledger', async () => {
    const session = await told('one');
    expect((await session.log.view('all')).empty).toBe(true);
    session.log.answered(answer('a'));
    expect((await session.log.view('all')).empty).toBe(false);
    await session.end('a');
    session.log.clear();
    expect((await session.log.view('all')).empty).toBe(false);
  });

  it('a response is kept until the ledger has it, and only those before it go', async () => {
    const session = kept();
    for (const id of ['a', 'b', 'c']) session.log.answered(answer(id));
    await session.end('b');
    const view = await session.log.view('all');
    expect(view.candidates('end of a')).toEqual([]);
    expect(view.unrecorded('end of b')).toEqual([]);
    expect(view.unrecorded('end of c')).toEqual(['c']);
  });

  it('a thousand responses are kept', async () => {
    const session = kept();
    for (let index = 0; index < 1000; index += 1) session.log.answered(answer(`${index}`));
    expect((await session.log.view('all')).unrecorded('end of 0')).toEqual(['0']);
  });

  it('the tokens of a response of this process are known', () => {
    const { log } = kept();
    log.answered(answer('a', { usage: { requests: 1, input: 4, cached: 0, output: 3, reasoning: 0 } }));
    expect([log.tokensOf('a'), log.tokensOf('b')]).toEqual([7, undefined]);
  });

  it('a compaction is the beginning of what a model sees, and replaces the history before it', async () => {
    const { log, ledger, add } = await told('one', 'two');
    const before = await ledger.read();
    const [one, both] = [1, 2].map((count) => seenHistory(before).contextAt(count));
    const whole = await log.view('all');
    expect([whole.compacted, whole.replaced()]).toEqual([[], []]);
    expect([EMPTY_DIGEST, one, both, 'other'].map((digest) => whole.isReplaced(digest ?? ''))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    await add({ type: 'view', from: 2, items: [stored('kept'), ledgerItem(COMPACTION, true)] });
    await add({ type: 'items', items: [stored('three')] });
    const after = await ledger.read();
    const view = await log.view('all');
    expect(view.compacted.map(({ type }) => type)).toEqual(['message', 'compaction']);
    expect(view.replaced()).toMatchObject([{ digest: both, items: [user('kept'), { type: 'compaction' }] }]);
    const { entries, contextAt } = seenHistory(after);
    const now = Array.from({ length: entries.length + 1 }, (_, count) => contextAt(count));
    expect(now).toHaveLength(2);
    expect(now.map((digest) => view.isReplaced(digest))).toEqual([false, false]);
    expect([one, both].map((digest) => view.isReplaced(digest ?? ''))).toEqual([true, true]);
  });
});

describe('the refusals of a response log', () => {
  it('a refusal that may pass is told, and not remembered', async () => {
    const { log, events } = kept();
    log.refused('a', 'try later', false);
    expect((await log.view('all')).isRefused('a')).toBe(false);
    expect(events).toEqual([
      { type: 'warning', code: 'parent_refused', sessionId: '', ids: ['a'], reason: 'try later' },
    ]);
  });

  it('lost items are refused from then on, and written down once', async () => {
    const session = kept();
    session.log.lost(['rs_1', 'rs_2']);
    expect((await session.log.view('all')).isRefused('rs_2')).toBe(true);
    await session.end('a');
    await session.end('b');
    const state = await session.ledger.read();
    expect([...state.refused]).toEqual(['rs_1', 'rs_2']);
    expect(session.log.steps(state, 'c', true).filter(({ type }) => type === 'refused')).toEqual([]);
  });

  it('a warning names the session of the last view', async () => {
    const { log, events } = kept();
    await log.view('all');
    log.warn({ code: 'parent_refused', ids: ['a'], reason: 'why' });
    expect(events).toMatchObject([{ type: 'warning', sessionId: 'session', ids: ['a'] }]);
  });
});

describe('the span of a plan', () => {
  it('the plan is told as telemetry reports it, and ends the span', async () => {
    const { spans, observer } = notedSpans();
    const { ledger } = kept();
    const shadowPlan = { plan: 'chain', reason: 'extends', sent: 1, savedBytes: 9 } as const;
    const turn = { planned: <T extends object>(one: T) => ({ ...one, shadowPlan }) };
    const log = new ResponseLog(owner(ledger, { turn, observers: [observer] }), noHistory);
    await log.view('all');
    const end = log.planning();
    expect(spans).toEqual([]);
    const facts = {
      plan: 'replay',
      reason: 'diverged',
      parentId: 'a',
      sent: 2,
      context: 3,
      savedBytes: 0,
    } as const;
    end({ ...facts, shadowPlan: undefined });
    expect(spans).toMatchObject([
      {
        sessionId: 'session',
        ...facts,
        shadowPlan: 'chain',
        shadowReason: 'extends',
        shadowSent: 1,
        shadowSavedBytes: 9,
      },
    ]);
  });

  it('a plan without a shadow has no facts of one', () => {
    const { spans, observer } = notedSpans();
    const made = kept();
    const log = new ResponseLog(owner(made.ledger, { observers: [observer] }), noHistory);
    const facts = {
      plan: 'chain',
      reason: 'extends',
      parentId: 'a',
      sent: 2,
      context: 3,
      savedBytes: 0,
    } as const;
    log.planning()({ ...facts, shadowPlan: undefined });
    expect(spans).toEqual([{ name: 'plan', failure: undefined, sessionId: '', ...facts }]);
  });
});

describe('the records of a response', () => {
  it('a response has its facts, and only the last one what its model saw', async () => {
    const session = kept();
    session.log.answered(answer('a', { model: undefined }));
    session.log.answered(answer('b', { parent: 'a', lineage: ['a', 'gone'], store: false }));
    const state = await session.ledger.read();
    expect(session.log.steps(state, 'b', true, { whole: true })).toEqual([
      { type: 'response', id: 'a', store: true, context: { length: 1, digest: 'end of a' } },
      {
        type: 'response',
        id: 'b',
        store: false,
        model: 'gpt-4.1',
        parent: 'a',
        context: { length: 1, digest: 'end of b' },
        seen: { whole: true },
      },
    ]);
    expect(session.log.steps(state, 'b', true)[1]).not.toHaveProperty('seen');
  });

  it('a response of which only the ID is known has what its model saw, too', async () => {
    const session = kept();
    const state = await session.ledger.read();
    expect(session.log.steps(state, 'a', undefined, { lost: 1 })).toEqual([
      { type: 'response', id: 'a', store: true, seen: { lost: 1 } },
    ]);
    expect(session.log.steps(state, 'a', false)).toEqual([{ type: 'response', id: 'a', store: false }]);
    await session.end('a');
    expect(session.log.steps(await session.ledger.read(), 'a', true)).toEqual([]);
  });

  it('items are recorded with the one response of the turn whose context they end', async () => {
    const session = await told('one');
    const state = await session.ledger.read();
    const items = [ledgerItem(assistant('1'), true)];
    const context = { length: 2, digest: contextAfter(seenDigest(state), items) };
    expect(session.log.stepsWith(items, state, undefined)).toEqual([]);
    session.log.answered(answer('other'));
    expect(session.log.stepsWith(items, state, undefined)).toEqual([]);
    session.log.answered(answer('a', { context, store: false }));
    expect(session.log.stepsWith(items, state, { whole: true })).toMatchObject([
      { type: 'response', id: 'a', store: false, seen: { whole: true } },
    ]);
    session.log.answered(answer('b', { context }));
    expect(session.log.stepsWith(items, state, undefined)).toEqual([]);
    await session.add({ type: 'response', id: 'b', store: true });
    expect(session.log.stepsWith(items, await session.ledger.read(), undefined)).toMatchObject([{ id: 'a' }]);
  });
});

/** The contexts of an input of these texts, which begins a history. */
const contextsOf = (...said: string[]): string[] =>
  Array.from({ length: said.length + 1 }, (_, count) =>
    contextAfter(
      EMPTY_DIGEST,
      said.slice(0, count).map((text) => stored(text)),
    ),
  );

describe('the items before a compaction in a response', () => {
  const compaction = ledgerItem(COMPACTION, true);
  const reply = ledgerItem(assistant('fine'), true);

  const compacted = (id: string, said: string[], output = [compaction, reply]): CompletedResponse =>
    answer(id, {
      context: { length: output.length, digest: contextAfter('', output) },
      compacting: { items: said.map((text) => user(text)), contexts: contextsOf(...said) },
    });

  const unsaved = async (
    { log, ledger }: Kept,
    items = [compaction, reply],
  ): Promise<[string[], boolean] | undefined> => {
    const found = log.unsaved(items, await ledger.read(), false);
    return found && [texts(found.items), found.isBehind];
  };

  it('the input behind the known history was not saved', async () => {
    const session = await told('one', 'two');
    session.log.answered(compacted('a', ['one', 'two', 'three', 'four']));
    expect(await unsaved(session)).toEqual([['three', 'four'], false]);
    expect(await unsaved(session, [compaction])).toBeUndefined();
  });

  it('the first of several items is enough to know the response', async () => {
    const session = await told('one');
    session.log.answered(compacted('a', ['one', 'two'], [compaction]));
    expect(await unsaved(session)).toEqual([['two'], false]);
  });

  it('items that do not begin with a compaction have nothing before them', async () => {
    const session = await told('one');
    session.log.answered(compacted('a', ['one', 'two'], [reply]));
    expect(await unsaved(session, [reply])).toBeUndefined();
    expect(await unsaved(session, [])).toBeUndefined();
  });

  it('a response without a compaction, or one that is recorded, tells nothing', async () => {
    const session = await told('one');
    const whole = contextAfter('', [compaction, reply]);
    session.log.answered(answer('a', { context: { length: 2, digest: whole } }));
    expect(await unsaved(session)).toBeUndefined();
    session.log.answered(compacted('b', ['one', 'two']));
    expect(await unsaved(session)).toEqual([['two'], false]);
    await session.add({ type: 'response', id: 'b', store: true });
    expect(await unsaved(session)).toBeUndefined();
  });

  it('an input of another history tells nothing', async () => {
    const session = await told('one');
    session.log.answered(compacted('a', ['other', 'two']));
    expect(await unsaved(session)).toBeUndefined();
  });

  it('the whole input was not saved where the history is empty', async () => {
    const session = kept();
    session.log.answered(compacted('a', ['one', 'two']));
    expect(await unsaved(session)).toEqual([['one', 'two'], false]);
  });

  it('items that came to the history meanwhile are behind the compaction', async () => {
    const session = await told('one', 'meanwhile');
    session.log.answered(compacted('a', ['one', 'two']));
    expect(await unsaved(session)).toEqual([['two'], true]);
  });

  it('an input from before a compaction of the history is known, too', async () => {
    const session = await told('one', 'two');
    session.log.answered(compacted('a', ['one', 'two', 'three']));
    await session.add({ type: 'view', from: 2, items: [stored('kept'), compaction] });
    expect(await unsaved(session)).toEqual([['three'], false]);
    await session.add({ type: 'items', items: [stored('meanwhile')] });
    expect(await unsaved(session)).toEqual([['three'], true]);
  });

  it('the known history goes on behind calls and results that a request leaves out', async () => {
    const session = await told('one');
    const torn = [
      call('call_1', 'pay', {}),
      result('call_2', 'pay', 'paid'),
      { type: 'reasoning' as const, id: 'rs_1', content: [] },
    ];
    await session.add({ type: 'items', items: torn.map((item) => ledgerItem(item, true)) });
    await session.add({ type: 'items', items: [stored('two')] });
    session.log.answered(compacted('a', ['one', 'two', 'three']));
    expect(await unsaved(session)).toEqual([['three'], false]);
    await session.add({ type: 'items', items: [stored('meanwhile')] });
    expect(await unsaved(session)).toEqual([['three'], true]);
  });

  it('an earlier response of the turn held a compaction, too', async () => {
    const session = await told('one');
    const sent = [COMPACTION, assistant('call'), user('result')];
    session.log.answered(compacted('a', ['one', 'two'], [compaction, ledgerItem(assistant('call'), true)]));
    const output = [ledgerItem({ ...COMPACTION, encrypted_content: 'shorter' }, true), reply];
    session.log.answered({
      ...compacted('b', [], output),
      compacting: { items: sent, contexts: ['x', 'y', 'z', 'end'] },
    });
    expect(await unsaved(session, output)).toEqual([['two', '', 'call', 'result'], false]);
  });
});
