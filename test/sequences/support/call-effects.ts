import type {
  AgentInputItem,
  SessionHistoryRewriteArgs,
  SessionHistoryTransactionArgs,
} from '@openai/agents';
import type { Healed, HistoryReport, Turn, UndoOptions } from '../../../src/index.ts';
import { kindOf, turnStarts } from '../../../src/items/read-item.ts';
import { described } from './described.ts';
import type { Call, History, Outcome } from './expected-history.ts';
import { canBeListed, type ListDoubts } from './list-doubts.ts';

/** How a session serves at the moment: from its ledger, or from the list like the stock session. */
export type Serving = 'ledger' | 'list' | ListDoubts;

type After = Call['after'];

/** A call that failed changed nothing, one that did not end changed everything or nothing. */
function change(changed: (before: History) => readonly History[]): After {
  return (before, outcome) => {
    if (outcome === undefined) return [before, ...changed(before)];
    return 'error' in outcome ? [before] : changed(before);
  };
}

function equal(items: readonly AgentInputItem[], others: readonly AgentInputItem[]): boolean {
  return items.length === others.length && items.every((item, at) => isAlike(item, others[at]));
}

function isAlike(item: AgentInputItem | undefined, other: AgentInputItem | undefined): boolean {
  if (item === undefined || other === undefined) return item === other;
  return described(item) === described(other);
}

function valueOf(outcome: Outcome | undefined): { readonly value: unknown } | undefined {
  return outcome !== undefined && 'value' in outcome ? outcome : undefined;
}

/** @param told how many items the session said that the list has lost, once it has answered; undefined if it says nothing. */
export function read(limit: number | undefined, serving: Serving, told: () => number | undefined): After {
  return (before, outcome) => {
    const said = valueOf(outcome);
    if (said === undefined) return [before];
    const served = said.value as AgentInputItem[];
    const whole =
      limit === undefined ? before.items : before.items.slice(Math.max(0, before.items.length - limit));
    if (typeof serving === 'string') return equal(served, limit === 0 ? [] : whole) ? [before] : [];
    // A list that hides items has other newest ones.
    if (limit !== undefined) {
      const part = { ...serving, lacks: 'anything' as const };
      return canBeListed(before.items, served, part, undefined) ? [before] : [];
    }
    return canBeListed(before.items, served, serving, told()) ? [before] : [];
  };
}

/** @param response the one that ends with these items, if there is one: with the model boundary it is recorded together with them. */
export function append(items: readonly AgentInputItem[], response: string | undefined): After {
  const added = structuredClone(items);
  return change((before) => {
    const appended = { ...before, items: [...before.items, ...added] };
    if (response === undefined || before.responses.includes(response)) return [appended];
    return [appended, { ...appended, responses: [...before.responses, response] }];
  });
}

export function pop(serving: Serving): After {
  return (before, outcome) => {
    const { items } = before;
    const without = (index: number): History => ({
      ...before,
      items: items.filter((_, at) => at !== index),
    });
    const last = items.length - 1;
    if (outcome === undefined) return items.length === 0 ? [before] : [before, without(last)];
    const said = valueOf(outcome);
    if (said === undefined) return [before];
    const value = said.value as AgentInputItem | undefined;
    if (typeof serving === 'string') {
      if (!isAlike(value, items[last])) return [];
      return [items.length === 0 ? before : without(last)];
    }
    // The newest item that the list shows.
    if (value === undefined) return [before];
    const at = items.flatMap((item, index) => (isAlike(item, value) ? [index] : []));
    const popped = at.map((index) => without(index));
    // Perhaps it was a copy too many, or one that had left.
    return serving.repeats ? [...popped, before] : popped;
  };
}

/** Whole turns are taken back, and returned. */
export function undo({ turns = 1 }: UndoOptions): After {
  return (before, outcome) => {
    const starts = turnStarts(before.items.map((item) => kindOf(item)));
    const from = [0, ...starts.slice(1)].at(-turns) ?? 0;
    const undone = { ...before, items: before.items.slice(0, from) };
    if (outcome === undefined) return [before, undone];
    const said = valueOf(outcome);
    if (said === undefined) return [before];
    const taken = (said.value as Turn[]).flatMap(({ items }) => items);
    return equal(taken, before.items.slice(from)) ? [undone] : [];
  };
}

/** A fork has the whole history, and changes nothing about it. */
export const fork: After = (before, outcome) => {
  const said = valueOf(outcome);
  if (said === undefined) return [before];
  return equal(said.value as AgentInputItem[], before.items) ? [before] : [];
};

export const clear: After = change(() => [{ items: [], responses: [], operations: [] }]);

export function mutate({ mutations }: SessionHistoryRewriteArgs): After {
  return change((before) => {
    const replaced = new Set<string>();
    const items = before.items.flatMap((item): AgentInputItem[] => {
      if (item.type !== 'function_call') return [item];
      const mutation = mutations.findLast(({ callId }) => callId === item.callId);
      if (mutation === undefined) return [item];
      if (replaced.has(item.callId)) return [];
      replaced.add(item.callId);
      return [mutation.replacement];
    });
    return [{ ...before, items }];
  });
}

/** Once, by its ID; refused exactly when the history does not end as expected. */
export function transact({ operationId, transaction }: SessionHistoryTransactionArgs): After {
  return (before, outcome) => {
    const isRepeated = before.operations.includes(operationId);
    const suffix = transaction.type === 'replace_suffix' ? transaction.expectedSuffix : [];
    const added = transaction.type === 'replace_suffix' ? transaction.replacement : transaction.items;
    const keep = before.items.length - suffix.length;
    const isFitting = isRepeated || (keep >= 0 && equal(before.items.slice(keep), suffix));
    const applied: History = {
      ...before,
      items: [...before.items.slice(0, keep), ...added],
      operations: [...before.operations, operationId],
    };
    const changed = isRepeated ? [before] : [applied];
    if (outcome === undefined) return isFitting ? [before, ...changed] : [before];
    if ('error' in outcome) return isRefusal(outcome.error) && isFitting ? [] : [before];
    return isFitting ? changed : [];
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'history_transaction';
}

export function respond(id: string | undefined): After {
  return change((before) => {
    if (id === undefined || before.responses.includes(id)) return [before];
    return [{ ...before, responses: [...before.responses, id] }];
  });
}

/** A heal moves a history, and changes nothing about it. */
export const heal: After = (before, outcome) => {
  const said = valueOf(outcome);
  if (said === undefined) return [before];
  const { items, verified } = said.value as Healed;
  return items === before.items.length && verified ? [before] : [];
};

/** @param isKept whether the ledger outlives its process; without it the newest response may not be proven. */
export function verify(isKept: boolean): After {
  return (before, outcome) => {
    const said = valueOf(outcome);
    if (said === undefined) return [before];
    const { length, responseId } = said.value as HistoryReport;
    const isNewest = responseId === before.responses.at(-1) || (!isKept && responseId === undefined);
    return length === before.items.length && isNewest ? [before] : [];
  };
}
