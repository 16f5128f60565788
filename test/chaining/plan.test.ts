import type { AgentInputItem } from '@openai/agents';
import { assert, array, constantFrom, nat, property, record } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ChainView, Parent } from '../../src/chaining/port.ts';
import { continuable, plan, type PlannableRequest } from '../../src/chaining/plan.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

const NOW = 1_000_000;

/** A request whose contexts are named after how many items they cover; items without a digest add none. */
function request(
  items: readonly AgentInputItem[],
  obstacle?: PlannableRequest['obstacle'],
): PlannableRequest {
  let covered = 0;
  const contexts = items.map((item) => {
    if (item.type !== 'reasoning') covered += 1;
    return `context ${covered}`;
  });
  return { reference: undefined, items, contexts: ['context 0', ...contexts], server: 'here', obstacle };
}

const parent = (id: string, fields: Partial<Parent> = {}): Parent => ({
  id,
  time: NOW,
  store: true,
  context: { server: 'here' },
  ...fields,
});

/** A view in which responses end contexts. */
function view(ends: Readonly<Record<string, readonly Parent[]>>, fields: Partial<ChainView> = {}): ChainView {
  return {
    enabled: true,
    isStock: false,
    empty: Object.keys(ends).length === 0,
    now: NOW,
    responseTtl: 1000,
    newest: undefined,
    candidates: (digest) => ends[digest] ?? [],
    unrecorded: () => [],
    isRefused: () => false,
    compacted: [],
    replaced: () => [],
    isReplaced: () => false,
    serverThreshold: undefined,
    ...fields,
  };
}

const history = [user('hi'), assistant('hello', 'msg_1'), user('thanks')];
const reasoning: AgentInputItem = { type: 'reasoning', id: 'rs_1', content: [] };
const search: AgentInputItem = {
  type: 'hosted_tool_call',
  id: 'ws_1',
  name: 'web_search_call',
  status: 'completed',
  providerData: { type: 'web_search_call', id: 'ws_1' },
};

test('a plan continues from the response that ends the longest prefix', () => {
  const longest = plan(request(history), view({ 'context 1': [parent('a')], 'context 2': [parent('b')] }));
  expect(longest).toEqual({ type: 'chain', reason: 'extends', parent: parent('b'), rest: [user('thanks')] });
});

test('a plan takes the first of several that end the same context', () => {
  const chosen = plan(request(history), view({ 'context 2': [parent('newer'), parent('older')] }));
  expect(chosen).toMatchObject({ parent: { id: 'newer' } });
});

test.each<[string, Partial<Parent>, Partial<ChainView>]>([
  ['was not stored', { store: false }, {}],
  ['is too old', { time: NOW - 1001 }, {}],
  ['was refused', {}, { isRefused: (id) => id === 'b' }],
])('a plan takes the next best response when the best %s', (_why, fields, more) => {
  const ends = { 'context 1': [parent('a')], 'context 2': [parent('b', fields), parent('c')] };
  expect(plan(request(history), view(ends, more))).toMatchObject({ parent: { id: 'c' } });
  const shorter = { ...ends, 'context 2': [parent('b', fields)] };
  expect(plan(request(history), view(shorter, more))).toMatchObject({
    parent: { id: 'a' },
    rest: { length: 2 },
  });
});

test('a plan continues from a response for as long as its time has not passed', () => {
  const ends = { 'context 2': [parent('a', { time: NOW - 1000 })] };
  expect(plan(request(history), view(ends))).toMatchObject({ type: 'chain' });
});

test('a plan goes by the oldest response that a response goes back to: what becomes of its context then is unknown', () => {
  const old = parent('a', { context: { server: 'here', since: NOW - 1001 } });
  expect(plan(request(history), view({ 'context 2': [old] }))).toEqual({ type: 'replay', reason: 'expired' });
  const young = parent('a', { context: { server: 'here', since: NOW - 1000 } });
  expect(plan(request(history), view({ 'context 2': [young] }))).toMatchObject({ type: 'chain' });
});

describe('sends everything, and says why:', () => {
  const ends = { 'context 2': [parent('a')] };
  test.each<[string, PlannableRequest, ChainView]>([
    ['caller_set', request(history, 'caller_set'), view(ends)],
    ['prompt', request(history, 'prompt'), view(ends)],
    ['unsupported_model', request(history, 'unsupported_model'), view(ends)],
    ['no_parent', request(history), view({})],
    ['diverged', request(history), view({ 'context 9': [parent('a')] })],
    ['diverged', request([]), view(ends)],
    ['nothing_new', request(history.slice(0, 2)), view(ends)],
    ['not_stored', request(history), view({ 'context 2': [parent('a', { store: false })] })],
    ['expired', request(history), view({ 'context 2': [parent('a', { time: NOW - 1001 })] })],
    ['parent_refused', request(history), view(ends, { isRefused: () => true })],
    ['unanswered_tool_call', request([user('hi'), call('c1', 'look', {}), user('thanks')]), view(ends)],
    ['sent_by_id', request([user('hi'), assistant('hello'), search, user('thanks')]), view(ends)],
  ])('%s', (reason, asked, known) => {
    expect(plan(asked, known)).toEqual({ type: 'replay', reason });
  });

  test('the reason of the longest match, which tells most', () => {
    const both = { 'context 1': [parent('a', { store: false })], 'context 2': [parent('b', { time: 0 })] };
    expect(plan(request(history), view(both))).toEqual({ type: 'replay', reason: 'expired' });
  });

  test('an obstacle before a mode, and a mode before an empty ledger', () => {
    expect(plan(request(history, 'prompt'), view({}, { enabled: false }))).toMatchObject({
      reason: 'prompt',
    });
  });
});

test('a plan counts reasoning to the context that it follows, and sends none of it', () => {
  const items = [user('hi'), reasoning, assistant('hello', 'msg_1'), reasoning, user('thanks')];
  expect(plan(request(items), view({ 'context 2': [parent('a')] }))).toMatchObject({
    rest: [user('thanks')],
  });
  expect(plan(request(items), view({ 'context 1': [parent('a')] }))).toMatchObject({
    rest: [assistant('hello'), user('thanks')],
  });
});

test('a request with reasoning alone behind its context has no new items', () => {
  const items = [user('hi'), assistant('hello'), reasoning];
  expect(plan(request(items), view({ 'context 2': [parent('a')] }))).toMatchObject({ reason: 'nothing_new' });
});

test('a plan continues from calls when every one of them is answered in the rest', () => {
  const items = [
    user('hi'),
    call('c1', 'a', {}),
    call('c2', 'b', {}),
    result('c2', 'b', 'y'),
    result('c1', 'a', 'x'),
  ];
  expect(plan(request(items), view({ 'context 3': [parent('a')] }))).toMatchObject({
    type: 'chain',
    rest: [result('c2', 'b', 'y'), result('c1', 'a', 'x')],
  });
  expect(plan(request(items.slice(0, -1)), view({ 'context 3': [parent('a')] }))).toMatchObject({
    reason: 'unanswered_tool_call',
  });
});

test('never sends an ID, and never sends what the parent knows', () => {
  const item = constantFrom<AgentInputItem[]>(user('u'), assistant('a', 'msg_1'), reasoning, search);
  assert(
    property(record({ items: array(item, { maxLength: 8 }), end: nat(8) }), ({ items, end }) => {
      const asked = request(items);
      const decided = plan(asked, view({ [`context ${end}`]: [parent('a')] }));
      if (decided.type === 'replay') return;
      expect(JSON.stringify(decided.rest)).not.toContain('"id"');
      const known = items.filter(({ type }) => type !== 'reasoning').length - end;
      expect(decided.rest).toHaveLength(known);
      expect(known).toBeGreaterThan(0);
    }),
  );
});

test('a plan continues from a response although the rest ends with calls that are still to be answered', () => {
  const items = [...history, call('c1', 'look', {})];
  const chained = plan(request(items), view({ 'context 2': [parent('a')] }));
  expect(chained).toMatchObject({ type: 'chain', parent: { id: 'a' }, rest: items.slice(2) });
});

describe('the plan of a request with a history reference', () => {
  const withReference: PlannableRequest = {
    reference: { sessionId: 'conv_1', version: 1, length: 2, digest: 'context 0' },
    items: [user('thanks')],
    contexts: ['context 0', 'context 1'],
    server: 'here',
    obstacle: undefined,
  };

  test('the plan of a history reference continues from the response that ends the history itself', () => {
    expect(plan(withReference, view({ 'context 0': [parent('a')] }))).toMatchObject({
      type: 'chain',
      parent: { id: 'a' },
      rest: [user('thanks')],
    });
  });

  test('the plan of a history reference finds no parent of an empty context where the history is all there', () => {
    expect(plan({ ...withReference, reference: undefined }, view({ 'context 0': [parent('a')] }))).toEqual({
      type: 'replay',
      reason: 'diverged',
    });
  });
});

describe('a response of another server', () => {
  test.each([undefined, {}, { server: 'there' }])(
    'a response of another server is not continued: %j',
    (context) => {
      const made = view({ 'context 2': [parent('a', { context })] });
      expect(plan(request(history), made)).toEqual({ type: 'replay', reason: 'other_server' });
    },
  );

  test('the plan behind a response of another server leaves the way to an earlier one of this server', () => {
    const made = view({
      'context 2': [parent('a', { context: { server: 'there' } })],
      'context 1': [parent('b')],
    });
    expect(plan(request(history), made)).toMatchObject({ type: 'chain', parent: { id: 'b' } });
  });
});

test('the plan behind a response of another server sends everything behind an answer that may lack its context, whatever was answered before', () => {
  const doubtful = parent('a', { context: { server: 'here', doubtful: true } });
  const made = view({ 'context 2': [doubtful], 'context 1': [parent('b')] });
  expect(plan(request(history), made)).toEqual({ type: 'replay', reason: 'parent_refused' });
});

test('a request does not continue from a second call with the ID of an answered one', () => {
  const items = [
    user('hi'),
    call('c1', 'look', {}),
    result('c1', 'look', 'x'),
    call('c1', 'look', {}),
    user('thanks'),
  ];
  const made = view({ 'context 4': [parent('a')] });
  expect(plan(request(items), made)).toEqual({ type: 'replay', reason: 'unanswered_tool_call' });
});

test('a response can be continued before any request is known, wherever it was made', () => {
  const facts = { now: NOW, responseTtl: 1000, isRefused: (id: string) => id === 'refused' };
  for (const context of [undefined, {}, { server: 'there' }])
    expect(continuable(parent('a', { context }), facts)).toBeUndefined();
  expect(continuable(parent('refused'), facts)).toBe('parent_refused');
  expect(continuable(parent('a', { context: { doubtful: true } }), facts)).toBe('parent_refused');
  expect(continuable(parent('a', { store: false }), facts)).toBe('not_stored');
  expect(continuable(parent('a', { time: NOW - 1001 }), facts)).toBe('expired');
});
