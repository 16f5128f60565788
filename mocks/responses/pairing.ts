import { decryptedContent } from '../wire/encrypted-content.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { answeredBy } from '../wire/item-fields.ts';
import { ownEntry } from '../wire/json.ts';

/**
 * Refuses a context in which a tool call has no output or an output has no call.
 * @throws ApiError in the API's words.
 */
export function checkToolPairs(context: readonly SimulatorItem[]): void {
  const answers = new Set(Object.values(answeredBy));
  const open = new Map<string, Set<string>>();
  const called = new Set<string>();
  for (const item of context) {
    const { type, call_id: callId } = item;
    if (typeof callId !== 'string') continue;
    const answer = ownEntry(answeredBy, type);
    if (answer !== undefined) {
      called.add(`${answer} ${callId}`);
      open.set(answer, (open.get(answer) ?? new Set()).add(callId));
    } else if (answers.has(type)) {
      if (!called.has(`${type} ${callId}`)) throw errors.noToolCall(callId);
      open.get(type)?.delete(callId);
    }
  }
  for (const callIds of open.values()) for (const callId of callIds) throw errors.noToolOutput(callId);
}

/**
 * Refuses a context with torn reasoning: a reasoning item needs its following item, and an item sent by its ID needs
 * its reasoning item.
 * @throws ApiError in the API's words.
 */
export function checkReasoning(
  context: readonly SimulatorItem[],
  reasoningOf: (itemId: string) => string | undefined,
): void {
  const present = new Set<string>();
  for (const [index, item] of context.entries()) {
    const required = reasoningOf(item.id);
    if (required !== undefined && !present.has(required)) {
      throw errors.followerWithoutReasoning(item.id, item.type, required);
    }
    if (item.type === 'reasoning' && !isFollowed(context, index))
      throw errors.reasoningWithoutFollower(item.id);
    present.add(item.id);
  }
}

/**
 * Refuses reasoning whose encrypted content was not made here.
 * @throws ApiError in the API's words.
 */
export function checkEncryptedContent(items: readonly SimulatorItem[]): void {
  for (const { type, encrypted_content: content } of items) {
    const isForeign = typeof content === 'string' && decryptedContent(content) === undefined;
    if (type === 'reasoning' && isForeign) throw errors.encryptedContentInvalid(content);
  }
}

function isFollowed(context: readonly SimulatorItem[], index: number): boolean {
  let next = index + 1;
  while (context[next]?.type === 'reasoning') next += 1;
  const follower = context[next];
  if (!follower) return false;
  return follower.type === 'message' ? follower['role'] === 'assistant' : !follower.type.endsWith('_output');
}
