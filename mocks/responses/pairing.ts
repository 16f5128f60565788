import { foldedItems } from '../model/summary.ts';
import { decryptedContent } from '../wire/encrypted-content.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { answeredBy } from '../wire/item-fields.ts';
import { isJsonObject, ownEntry } from '../wire/json.ts';
import type { ParsedItem } from '../wire/parse-item.ts';

/**
 * Refuses a context in which a tool call has no output or an output has no call.
 * @throws ApiError in the API's words.
 */
export function checkToolPairs(context: readonly SimulatorItem[]): void {
  const answers = new Set(Object.values(answeredBy));
  const open = new Map<string, { readonly type: string; readonly callId: string }>();
  const called = new Set<string>();
  for (const item of context) {
    const { type, call_id: callId } = item;
    if (typeof callId !== 'string') continue;
    const answer = ownEntry(answeredBy, type);
    if (answer !== undefined) {
      called.add(`${answer} ${callId}`);
      if (!isAnsweredElsewhere(item)) open.set(`${answer} ${callId}`, { type, callId });
    } else if (answers.has(type)) {
      if (!called.has(`${type} ${callId}`)) throw errors.noToolCall(callId, type);
      open.delete(`${type} ${callId}`);
    }
  }
  for (const { type, callId } of open.values()) throw errors.noToolOutput(callId, type);
}

/**
 * A search for tools that the client does not make itself, a command in a container of the server, and a call whose
 * output may come later.
 */
function isAnsweredElsewhere({ type, execution, environment, async: isAsync }: SimulatorItem): boolean {
  if (isAsync === true) return true;
  if (type === 'tool_search_call') return execution !== 'client';
  return isJsonObject(environment) && environment['type'] === 'container_reference';
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
 * Refuses reasoning and compactions whose encrypted content was not made here.
 * @param items the items as they were sent, those aside that stand for a stored item.
 * @throws ApiError in the API's words.
 */
export function checkEncryptedContent(items: readonly ParsedItem[]): void {
  for (const { id, type, fields } of items) {
    const { encrypted_content: content } = fields;
    if (typeof content !== 'string') continue;
    const short = `${content.slice(0, 4)}...${content.slice(-4)}`;
    if (type === 'reasoning' && decryptedContent(content) === undefined)
      throw errors.encryptedContentInvalid(short);
    if (type === 'compaction' && foldedItems({ type, ...fields }) === undefined)
      throw errors.encryptedContentInvalid(id === undefined ? short : `for item ${id}`);
  }
}

function isFollowed(context: readonly SimulatorItem[], index: number): boolean {
  let next = index + 1;
  while (context[next]?.type === 'reasoning') next += 1;
  const follower = context[next];
  if (!follower) return false;
  return follower.type === 'message'
    ? follower['role'] === 'assistant'
    : !/_(output|response|update|tools)$/.test(follower.type);
}
