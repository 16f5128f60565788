import type { AgentInputItem } from '@openai/agents';
import { expect, test } from 'vitest';
import { applyRecords } from '../../src/ledger/reducer.ts';
import { ledgerItem } from '../../src/ledger/record.ts';
import { recordOf, type LedgerStep } from '../../src/ledger/record.ts';
import { emptyState } from '../../src/ledger/state.ts';
import { unreplayable } from '../../src/history/unreplayable.ts';
import { assistant, call, result, user } from '../support/conversation.ts';

const NOW = 1_000_000;

const reasoning = (id: string, providerData?: Record<string, unknown>): AgentInputItem => ({
  type: 'reasoning',
  id,
  content: [],
  ...(providerData === undefined ? {} : { providerData }),
});

/** What cannot be replayed of a turn with this reasoning, after these steps. */
function left(item: AgentInputItem, steps: readonly LedgerStep[], answer = true): string[] {
  return leftOf([user('hi'), item, ...(answer ? [assistant('yes')] : []), user('thanks')], steps);
}

/** What cannot be replayed of these items, after these steps. */
function leftOf(items: readonly AgentInputItem[], steps: readonly LedgerStep[] = []): string[] {
  const state = emptyState();
  const appended: LedgerStep = { type: 'items', items: items.map((one) => ledgerItem(one, true)) };
  applyRecords(
    state,
    [appended, ...steps].map((step) => recordOf(step, { commit: '', time: step.time ?? NOW })),
  );
  const restored = state.entries.map((entry) => ({ entry, item: entry.item, source: 'ledger' as const }));
  return [...unreplayable(state, restored, { now: NOW, responseTtl: 1000 })];
}

const response = (store: boolean, time = NOW): LedgerStep => ({
  type: 'response',
  id: 'resp_1',
  store,
  time,
});

test('reasoning of a stored response is replayed', () => {
  expect(left(reasoning('rs_1'), [response(true)])).toEqual([]);
  expect(left(reasoning('rs_1'), [])).toEqual([]);
});

test('reasoning of a response that was not stored, or has expired, is not replayed', () => {
  expect(left(reasoning('rs_1'), [response(false)])).toEqual(['rs_1']);
  expect(left(reasoning('rs_1'), [response(true, NOW - 1001)])).toEqual(['rs_1']);
});

test('reasoning that the conversation holds is replayed without its response', () => {
  const mirrored: LedgerStep = { type: 'mirror', added: [{ seq: 1, id: 'rs_1' }], removed: [] };
  expect(left(reasoning('rs_1'), [response(false), mirrored])).toEqual([]);
});

test('reasoning that the conversation could not hold is not replayed', () => {
  const skipped: LedgerStep = { type: 'mirror', added: [], removed: [], skipped: [{ seq: 1, reason: 'x' }] };
  expect(left(reasoning('rs_1'), [skipped])).toEqual(['rs_1']);
});

test('encrypted reasoning is replayed, unless a server refused it or nothing follows it', () => {
  const encrypted = reasoning('rs_1', { encrypted_content: 'gAAAA' });
  expect(left(encrypted, [response(false)])).toEqual([]);
  expect(left(encrypted, [{ type: 'refused', id: 'rs_1' }])).toEqual(['rs_1']);
  expect(left(encrypted, [response(true)], false)).toEqual(['rs_1']);
});

test('a call without a result is not replayed once the user goes on, nor is the reasoning before it', () => {
  const asked = [user('hi'), reasoning('rs_1'), call('call_1', 'pay', {})];
  expect(leftOf(asked)).toEqual([]);
  expect(leftOf([...asked, user('thanks')])).toEqual(['call_1', 'rs_1']);
  expect(leftOf([...asked, user('thanks'), result('call_1', 'pay', 'paid')])).toEqual([]);
});

test('a result is replayed if its call stands among the items of a compaction', () => {
  const items = [user('hi'), result('call_1', 'pay', 'paid')];
  expect(leftOf(items)).toEqual(['call_1']);
  const kept = ledgerItem(call('call_1', 'pay', {}), true);
  expect(leftOf(items, [{ type: 'view', from: 0, items: [kept] }])).toEqual([]);
});
