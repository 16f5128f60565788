import { describe, expect, it } from 'vitest';
import { ledgerItem, recordOf, type LedgerStep } from '../../src/ledger/record.ts';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { digestOf, emptyState, type LedgerState } from '../../src/ledger/state.ts';
import { forecast, type ForecastOptions } from '../../src/runtime/forecast.ts';
import { user } from '../support/conversation.ts';

type ResponseStep = Extract<LedgerStep, { type: 'response' }>;

const TTL = 1000;

/** A ledger of messages and responses: a response has the context of the history so far, unless it is given another one. */
function ledger(...told: readonly (string | Partial<ResponseStep>)[]): LedgerState {
  const state = emptyState();
  for (const one of told) {
    const step: LedgerStep =
      typeof one === 'string'
        ? { type: 'items', items: [ledgerItem(user(one), true)] }
        : {
            type: 'response',
            id: 'resp_1',
            store: true,
            context: { length: state.entries.length, digest: digestOf(state), bytes: 77 },
            ...one,
          };
    applyRecords(state, [recordOf(step, { commit: 'commit', time: 0 })]);
  }
  return state;
}

const of = (state: LedgerState, more: Partial<ForecastOptions> = {}) =>
  forecast(state, { now: TTL, responseTtl: TTL, isWhole: true, ...more });

const none = { context: undefined } as never;

/** The reason where a model's history is changed after a response without a context. */
function reasonBehind(view: LedgerStep): string {
  const state = ledger('one', none);
  applyRecords(state, [recordOf(view, { commit: 'commit', time: 0 })]);
  return of(state).reason;
}

describe('the forecast of a turn', () => {
  it('a turn extends the newest response whose context the history begins with', () => {
    expect(of(ledger('one', {}))).toEqual({ reason: 'extends', covered: 1, bytes: 77 });
    expect(of(ledger('one', {}, 'two'))).toEqual({ reason: 'extends', covered: 1, bytes: 77 });
    expect(of(ledger('one', {}, 'two', { id: 'resp_2' }))).toMatchObject({ covered: 2 });
    expect(of(ledger({}, 'one'))).toMatchObject({ reason: 'extends', covered: 0 });
  });

  it('a response that cannot be continued is passed over for an earlier one', () => {
    const state = ledger('one', {}, 'two', { id: 'resp_2', store: false });
    expect(of(state)).toMatchObject({ reason: 'extends', covered: 1 });
    const refused = ledger('one', {});
    applyRecords(refused, [recordOf({ type: 'refused', id: 'resp_1' }, { commit: 'commit', time: 0 })]);
    expect(of(refused)).toEqual({ reason: 'parent_refused', covered: 0, bytes: undefined });
    expect(of(ledger('one', { store: false }))).toMatchObject({ reason: 'not_stored', covered: 0 });
    expect(of(ledger('one', {}), { now: TTL + 1 })).toMatchObject({ reason: 'expired', covered: 0 });
  });

  it('a ledger without a response has no parent', () => {
    expect(of(ledger('one'))).toEqual({ reason: 'no_parent', covered: 0, bytes: undefined });
    expect(of(ledger())).toMatchObject({ reason: 'no_parent' });
  });

  it('a response with another context has diverged', () => {
    expect(of(ledger('one', { context: { length: 1, digest: 'other' } }))).toMatchObject({
      reason: 'diverged',
      covered: 0,
    });
  });

  it('a response without a context extends the history that was whole, and not behind later items', () => {
    expect(of(ledger('one', none))).toEqual({ reason: 'extends', covered: 1, bytes: undefined });
    expect(of(ledger('one', none), { isWhole: false })).toMatchObject({ reason: 'diverged', covered: 0 });
    expect(of(ledger('one', none, 'two'))).toMatchObject({ reason: 'diverged' });
    expect(of(ledger('one', { ...(none as object), seen: { whole: false } }))).toMatchObject({
      reason: 'diverged',
    });
    expect(
      of(ledger('one', { ...(none as object), seen: { whole: true } }), { isWhole: false }),
    ).toMatchObject({
      reason: 'extends',
    });
  });

  it('a compaction that came after a response without a context is not in it, and a window is', () => {
    const compaction = ledgerItem({ type: 'compaction', id: 'cmp_1', encrypted_content: 'x' }, true);
    expect(reasonBehind({ type: 'view', from: 1, items: [compaction] })).toBe('diverged');
    expect(reasonBehind({ type: 'view', from: 1, items: [] })).toBe('extends');
    expect(reasonBehind({ type: 'view', from: 0, items: [compaction] })).toBe('extends');
  });

  it('a response of Chat Completions cannot be continued', () => {
    expect(of(ledger('one', { ...(none as object), id: 'chatcmpl-1' }))).toMatchObject({
      reason: 'unsupported_model',
    });
    expect(of(ledger('one', { id: 'chatcmpl-1' }))).toMatchObject({ reason: 'extends' });
    expect(of(ledger('one', { ...(none as object), id: 'my_resp_1' }))).toMatchObject({
      reason: 'unsupported_model',
    });
  });
});
