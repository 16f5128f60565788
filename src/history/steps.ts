import type { AgentInputItem, SessionHistoryTransaction, SessionHistoryRewriteArgs } from '@openai/agents';
import { HistoryTransactionError, InvalidItemError } from '../errors/session.ts';
import type { ForeignItem } from './compare-list.ts';
import { parseAgentItems, readArray } from '../items/parse-item.ts';
import { ledgerItem } from '../ledger/record.ts';
import { itemDigest } from '../items/digest.ts';
import type { LedgerItem, LedgerStep } from '../ledger/record.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';
import { isObject } from '../util/json.ts';

type ReplaceStep = Extract<LedgerStep, { type: 'replace' }>;

/** Removes an item at any position; no steps if it does not exist. */
export function removalSteps(state: LedgerState, mirrorId: string): LedgerStep[] {
  const index = state.entries.findIndex((entry) => entry.mirrorId === mirrorId);
  if (index === -1) return [];
  return [{ type: 'replace', keep: index, items: references(state.entries.slice(index + 1)) }];
}

/** Adopts items of another writer, each at its place. */
export function adoptionSteps(
  state: LedgerState,
  foreign: readonly ForeignItem[],
  keepContent: boolean,
): LedgerStep[] {
  if (foreign.length === 0) return [];
  const adopted = foreign.map(({ id, item, index }) => ({
    index,
    item: { ...ledgerItem(item, keepContent), mirrorId: id },
  }));
  const keep = adopted.reduce((least, { index }) => Math.min(least, index), state.entries.length);
  if (keep === state.entries.length) {
    return [{ type: 'items', items: adopted.map(({ item }) => item) }];
  }
  const items: ReplaceStep['items'] = [];
  // Items at the same place keep their order.
  const inOrder = adopted.toSorted((a, b) => a.index - b.index);
  let next = 0;
  for (let index = keep; index <= state.entries.length; index += 1) {
    for (; inOrder[next]?.index === index; next += 1)
      items.push(...inOrder.slice(next, next + 1).map(({ item }) => item));
    items.push(...references(state.entries.slice(index, index + 1)));
  }
  return [{ type: 'replace', keep, items }];
}

/** The SDK's mutations: the first call of an ID is replaced, later ones are removed. */
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
      'operation_reused',
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
      'suffix_changed',
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

/** The replacement of the function calls of each call ID. */
export type Replacements = ReadonlyMap<string, AgentInputItem>;

/** The last mutation of a call ID counts. @throws InvalidItemError for any other mutation. */
export function parseMutations(args: SessionHistoryRewriteArgs): Replacements {
  const mutations = readArray(mutationsOf(args), 'expected an array of mutations', (mutation, index) => {
    const { type, callId, replacement } = isObject(mutation) ? mutation : {};
    if (type !== 'replace_function_call' || typeof callId !== 'string')
      throw new InvalidItemError(index, "expected a mutation of type 'replace_function_call' with a callId");
    return { callId, replacement };
  });
  const replacements = parseAgentItems(mutations.map(({ replacement }) => replacement));
  return new Map(
    mutations.map(({ callId }, index) => {
      const replacement = replacements[index];
      if (replacement?.type !== 'function_call')
        throw new InvalidItemError(index, 'a function call can only be replaced by a function call');
      return [callId, replacement];
    }),
  );
}

function mutationsOf(args: unknown): unknown {
  try {
    return isObject(args) ? args['mutations'] : undefined;
  } catch {
    return undefined;
  }
}
