import type { AgentInputItem, SessionHistoryTransaction } from '@openai/agents';
import { HistoryTransactionError } from '../errors/history-transaction-error.ts';
import type { ForeignItem } from '../history/reconcile.ts';
import { ledgerItem } from '../ledger/agent-item.ts';
import { itemDigest } from '../ledger/digest.ts';
import type { LedgerItem, LedgerStep } from '../ledger/ledger-record.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { Replacements } from './parse-mutations.ts';

type ReplaceStep = Extract<LedgerStep, { type: 'replace' }>;

/** Takes one item out, wherever it stands, and then out of the conversation; nothing when it is not there. */
export function removalSteps(state: LedgerState, mirrorId: string): LedgerStep[] {
  const index = state.entries.findIndex((entry) => entry.mirrorId === mirrorId);
  if (index === -1) return [];
  return [{ type: 'replace', keep: index, items: references(state.entries.slice(index + 1)) }];
}

/** Takes over what another writer put in the list, each item at its place. */
export function adoptionSteps(
  state: LedgerState,
  foreign: readonly ForeignItem[],
  options: { readonly keepContent: boolean; readonly unproven: boolean },
): LedgerStep[] {
  if (foreign.length === 0) return [];
  const adopted = foreign.map(({ id, item, index }) => ({
    index,
    item: { ...ledgerItem(item, options.keepContent), mirrorId: id },
  }));
  const keep = adopted.reduce((least, { index }) => Math.min(least, index), state.entries.length);
  if (keep === state.entries.length) {
    const items = adopted.map(({ item }) => item);
    return [{ type: 'items', items, ...(options.unproven ? { unproven: true } : {}) }];
  }
  const items: ReplaceStep['items'] = [];
  for (let index = keep; index <= state.entries.length; index += 1) {
    items.push(...adopted.filter((one) => one.index === index).map(({ item }) => item));
    items.push(...references(state.entries.slice(index, index + 1)));
  }
  return [{ type: 'replace', keep, items }];
}

/** The SDK's mutations: the first call of that ID is replaced, further ones with the same ID go. */
export function mutationSteps(
  state: LedgerState,
  itemOf: (entry: LedgerEntry) => AgentInputItem | undefined,
  replacements: Replacements,
  keepContent: boolean,
): LedgerStep[] {
  const callOf = (index: number): string | undefined => {
    const entry = state.entries[index];
    const item = entry === undefined ? undefined : itemOf(entry);
    return item?.type === 'function_call' && replacements.has(item.callId) ? item.callId : undefined;
  };
  const keep = state.entries.findIndex((_, index) => callOf(index) !== undefined);
  if (keep === -1) return [];
  const items: ReplaceStep['items'] = [];
  const replaced = new Set<string>();
  for (let index = keep; index < state.entries.length; index += 1) {
    const callId = callOf(index);
    const replacement = callId === undefined ? undefined : replacements.get(callId);
    if (callId === undefined || replacement === undefined) {
      items.push(...references(state.entries.slice(index, index + 1)));
    } else if (!replaced.has(callId)) {
      replaced.add(callId);
      items.push(ledgerItem(replacement, keepContent));
    }
  }
  return [{ type: 'replace', keep, items }];
}

/**
 * A history transaction; nothing when it was applied before.
 *
 * @throws HistoryTransactionError when its ID was used for another one, or the suffix is not the expected one.
 */
export function transactionSteps(
  state: LedgerState,
  operation: { readonly id: string; readonly digest: string },
  transaction: SessionHistoryTransaction,
  keepContent: boolean,
): LedgerStep[] {
  const applied = state.operations.get(operation.id);
  if (applied === operation.digest) return [];
  if (applied !== undefined) {
    throw new HistoryTransactionError(
      operation.id,
      'operation-reused',
      'this ID was already used for another transaction',
    );
  }
  const stored = (items: readonly AgentInputItem[]): LedgerItem[] =>
    items.map((item) => ledgerItem(item, keepContent));
  if (transaction.type === 'append_items') {
    return [{ type: 'items', items: stored(transaction.items), operation }];
  }
  const { expectedSuffix, replacement } = transaction;
  const keep = state.entries.length - expectedSuffix.length;
  const matches =
    keep >= 0 &&
    expectedSuffix.every((item, index) => {
      const entry = state.entries[keep + index];
      return entry !== undefined && sameItem(entry, item);
    });
  if (!matches) {
    throw new HistoryTransactionError(
      operation.id,
      'suffix-changed',
      'the history no longer ends with the expected items',
    );
  }
  return [{ type: 'replace', keep, items: stored(replacement), operation }];
}

function sameItem(entry: LedgerEntry, item: AgentInputItem): boolean {
  const digest = itemDigest(item);
  if (entry.digest !== null || digest !== null) return entry.digest === digest;
  return entry.kind === item.type;
}

function references(entries: readonly LedgerEntry[]): { seq: number }[] {
  return entries.map(({ seq }) => ({ seq }));
}
