import type { AgentInputItem } from '@openai/agents';
import { textOf } from '../util/json.ts';
import { ITEM_TYPES, itemType, type ItemType } from './item-types.ts';
import { apiTypeOf, fieldOf, kindOf } from './read-item.ts';

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

/** Whether the client has to answer the item. */
function isCall(item: AgentInputItem): boolean {
  const { answeredBy, isAnsweredByServer } = itemType(apiTypeOf(item));
  if (isAnsweredByServer) return fieldOf(item, 'execution') === 'client';
  return answeredBy !== undefined;
}

function isAnswer(item: AgentInputItem): boolean {
  return ANSWERS.has(apiTypeOf(item));
}

function callIdOf(item: AgentInputItem): string {
  return textOf(fieldOf(item, 'callId') ?? fieldOf(item, 'call_id'));
}
