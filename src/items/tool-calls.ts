import type { AgentInputItem } from '@openai/agents';
import { isObject, textOf } from '../util/json.ts';
import { danglingReasoning } from './reasoning.ts';
import { ITEM_TYPES, itemType, type ItemType } from './item-types.ts';
import { apiTypeOf, fieldOf, kindOf } from './read-item.ts';

/**
 * The answer to tool calls of a run that did not come to its end: a result with this text, or none, and the calls are left out.
 *
 * @example
 * ```ts
 * const runner = new HybridRunner({ record: 'as-it-goes', interruptedCalls: { result: 'Interrupted. Ask before you retry.' } });
 * ```
 */
export type InterruptedCalls = 'drop' | { readonly result: string };

/** The default answer. */
export const INTERRUPTED_CALLS: InterruptedCalls = {
  result: 'The run was interrupted before this tool returned a result.',
};

export function isInterruptedCalls(value: unknown): value is InterruptedCalls {
  return value === 'drop' || (isObject(value) && typeof value['result'] === 'string');
}

/** The types that answer a call. */
const ANSWERS = new Set(Object.values<ItemType>(ITEM_TYPES).flatMap(({ answeredBy }) => answeredBy ?? []));

/** The call IDs that have no output among the items. */
export function openCalls(items: readonly AgentInputItem[]): Set<string> {
  const open = new Set<string>();
  for (const item of items) {
    if (isCall(item)) open.add(callIdOf(item));
    else if (isAnswer(item)) open.delete(callIdOf(item));
  }
  return open;
}

/** The call IDs that the items answer. */
export function answeredCalls(items: readonly AgentInputItem[]): Set<string> {
  return new Set(items.filter((item) => isAnswer(item)).map((item) => callIdOf(item)));
}

/** The call ID of a call or a result; undefined for another item. */
export function callIdIn(item: AgentInputItem): string | undefined {
  const isPart = itemType(apiTypeOf(item)).answeredBy !== undefined || isAnswer(item);
  return isPart ? callIdOf(item) || undefined : undefined;
}

/** The name of a call or a result within a conversation; undefined for another item. */
export function callKey(item: AgentInputItem): string | undefined {
  const id = callIdIn(item);
  return id === undefined ? undefined : `call ${kindOf(item)} ${id}`;
}

/**
 * The call IDs of items that no request can hold: a result without its call, and a call that has no result before the newest message
 * of the user.
 */
export function tornCalls(items: readonly AgentInputItem[]): Set<string> {
  const question = items.findLastIndex((item) => kindOf(item) === 'message:user');
  const torn = openCalls(items);
  for (const id of openCalls(items.slice(question + 1))) torn.delete(id);
  const calls = new Set<string | undefined>();
  for (const item of items) {
    const id = callIdIn(item);
    if (!isAnswer(item)) calls.add(id);
    else if (id !== undefined && !calls.has(id)) torn.add(id);
  }
  return torn;
}

/** Items of which every call has an answer. */
export interface AnsweredItems {
  readonly items: readonly AgentInputItem[];
  /** The results that stand for missing ones, which follow the items. */
  readonly made: readonly AgentInputItem[];
}

/** Answers the calls without a result, or leaves them out. Calls other than function calls have no result of text: they are left out. */
export function answerOpenCalls(items: readonly AgentInputItem[], calls: InterruptedCalls): AnsweredItems {
  const open = openCalls(items);
  if (open.size === 0) return { items, made: [] };
  const made = items.flatMap((item): AgentInputItem[] => {
    if (calls === 'drop' || item.type !== 'function_call' || !open.delete(item.callId)) return [];
    return [resultOf(item, calls.result)];
  });
  const answered = items.filter((item) => !(isCall(item) && open.has(callIdOf(item))));
  // The API refuses reasoning without the call that it led to.
  const dangling = answered.length === items.length ? new Set() : danglingReasoning([...answered, ...made]);
  return { items: answered.filter((_, index) => !dangling.has(index)), made };
}

/** The result of a function call, in the form of the SDK. */
export function resultOf(
  { name, namespace, callId, caller }: Extract<AgentInputItem, { type: 'function_call' }>,
  text: string,
): AgentInputItem {
  return {
    type: 'function_call_result',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    callId,
    status: 'completed',
    output: { type: 'text', text },
    ...(caller === undefined ? {} : { caller }),
  };
}

/** Whether the client has to answer the item. */
function isCall(item: AgentInputItem): boolean {
  const { answeredBy, isAnsweredByServer } = itemType(apiTypeOf(item));
  if (isAnsweredByServer) return fieldOf(item, 'execution') === 'client';
  return answeredBy !== undefined;
}

function isAnswer(item: AgentInputItem): boolean {
  return ANSWERS.has(apiTypeOf(item));
}

/** The ID that a call and its answer have in common. */
export function callIdOf(item: AgentInputItem): string {
  return textOf(fieldOf(item, 'callId') ?? fieldOf(item, 'call_id'));
}
