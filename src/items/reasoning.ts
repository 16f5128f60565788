import type { AgentInputItem } from '@openai/agents';
import { extendDigest } from './digest.ts';
import { isForeignReasoning } from './foreign-fields.ts';
import { itemType } from './item-types.ts';
import { apiTypeOf, fieldOf, idOf, providerDataOf } from './read-item.ts';

/** The encrypted content of a reasoning item. */
export function encryptedContentOf(item: AgentInputItem): string | undefined {
  const data = providerDataOf(item);
  const content = data['encrypted_content'] ?? data['encryptedContent'];
  return typeof content === 'string' && content !== '' ? content : undefined;
}

/** Whether an item is the reasoning of a model. */
export function isReasoning(item: AgentInputItem): boolean {
  return apiTypeOf(item) === 'reasoning';
}

/** Whether a request's input holds reasoning. */
export function hasReasoning(input: string | readonly AgentInputItem[]): boolean {
  return typeof input !== 'string' && input.some((item) => isReasoning(item));
}

/** Whether the API takes this reasoning: it has its content, or an ID of the API. */
export function isReplayable(item: AgentInputItem): boolean {
  return !isForeignReasoning(item);
}

/** The key of an item in the list of lost items: its ID, or the digest of its encrypted content. */
export function lostKey(item: AgentInputItem): string | undefined {
  const content = encryptedContentOf(item);
  return idOf(item) ?? (content === undefined ? undefined : extendDigest('', content));
}

/** The positions of reasoning that no output of a model follows: the API refuses it. */
export function danglingReasoning(items: readonly (AgentInputItem | undefined)[]): Set<number> {
  const dangling = new Set<number>();
  let isFollowed = false;
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index];
    if (item === undefined) continue;
    if (!isReasoning(item)) isFollowed = isOutput(item);
    else if (!isFollowed) dangling.add(index);
  }
  return dangling;
}

/** Whether a model made the item, so that reasoning can have led to it. */
function isOutput(item: AgentInputItem): boolean {
  const { role } = itemType(apiTypeOf(item));
  return role === 'message' ? fieldOf(item, 'role') === 'assistant' : role === 'output';
}

/** The input of a request without some of its reasoning. */
export interface ReasoningLeftOut {
  readonly items: readonly AgentInputItem[];
  readonly leftOut: readonly AgentInputItem[];
}

/** Rules for leaving reasoning out of an input. */
export interface LeaveOut {
  /** Whether to leave out an item: reasoning, or an item that the API refuses without it. */
  readonly isLeftOut: (item: AgentInputItem, index: number) => boolean;
  /** Whether the API would demand reasoning for this item's ID that is not in the input. */
  readonly lacksReasoning: (item: AgentInputItem, present: ReadonlySet<string>) => boolean;
  /**
   * Returns an item whose ID must not be sent without its ID, or undefined to leave it out.
   *
   * @param isTorn whether reasoning of the same output was left out.
   */
  readonly withoutId: (item: AgentInputItem, isTorn: boolean) => AgentInputItem | undefined;
}

/**
 * Leaves some reasoning out of an input. The items after it in the same output lose their IDs, because the API wants the reasoning
 * of an item that it gets by ID.
 */
export function leaveOutReasoning(
  input: readonly AgentInputItem[],
  { isLeftOut, lacksReasoning, withoutId }: LeaveOut,
): ReasoningLeftOut {
  const items: AgentInputItem[] = [];
  const leftOut: AgentInputItem[] = [];
  const present = new Set<string>();
  let isTorn = false;
  for (const [index, item] of input.entries()) {
    if (!isReasoning(item) && !isOutput(item)) isTorn = false;
    if (isLeftOut(item, index)) {
      leftOut.push(item);
      if (isReasoning(item)) isTorn = true;
      continue;
    }
    const id = idOf(item);
    if (
      isReasoning(item) ||
      id === undefined ||
      !isOutput(item) ||
      !(isTorn || lacksReasoning(item, present))
    ) {
      if (id !== undefined) present.add(id);
      items.push(item);
      continue;
    }
    const plain = withoutId(item, isTorn);
    if (plain === undefined) leftOut.push(item);
    else items.push(plain);
  }
  return { items, leftOut };
}
