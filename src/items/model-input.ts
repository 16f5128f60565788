import type { AgentInputItem } from '@openai/agents';
import { isObject, jsonBytes } from '../util/json.ts';
import { withoutForeignFields } from './foreign-fields.ts';
import { itemType, SDK_TYPES } from './item-types.ts';
import { apiTypeOf, idOf } from './read-item.ts';
import { encryptedContentOf, isReasoning } from './reasoning.ts';

/**
 * A stored item as a model gets it again: by its content, not by its ID.
 *
 * The API unlinks items from a conversation when their IDs are replayed, and a replayed call needs its reasoning. Items that the
 * API knows only by ID keep it: reasoning, hosted tool calls, programs, compaction. Another provider's fields are left out: the
 * API refuses them, and the next model is not known here.
 */
export function toReplayInput(item: AgentInputItem): AgentInputItem {
  return withoutForeignFields(toReplayInputOfAnyProvider(item));
}

/** The same with the fields of other providers. The model boundary leaves out the fields that its model does not take. */
export function toReplayInputOfAnyProvider(item: AgentInputItem): AgentInputItem {
  const type = item.type ?? 'message';
  if (!SDK_TYPES.get(type)?.isPlain) return item;
  const plain = withoutIds(item);
  return type === 'message' ? withPhase(plain) : plain;
}

/**
 * An assistant's message with its phase in both places: the SDK reads it from the item since 0.14, and from the provider data
 * before that.
 */
export function withPhase(item: AgentInputItem): AgentInputItem {
  if (!('role' in item) || item.role !== 'assistant') return item;
  const { phase, providerData }: { phase?: unknown; providerData?: unknown } = item;
  const data = isObject(providerData) ? providerData : {};
  const kept = phase ?? data['phase'];
  return kept === undefined
    ? item
    : Object.assign({ ...item, providerData: { ...data, phase: kept } }, { phase: kept });
}

/** The size of items in a request, in bytes. The API's own form differs by some percent. */
export function replayInputBytes(items: readonly AgentInputItem[]): number {
  return items.reduce((sum, item) => sum + jsonBytes(toReplayInput(item)), 0);
}

/**
 * The items that follow a chain: none by its ID, which the chain may hold already. Reasoning is among them only with encrypted
 * content.
 *
 * @returns undefined when an item cannot be sent without its ID.
 */
export function toIncrementalInput(items: readonly AgentInputItem[]): AgentInputItem[] | undefined {
  const sent: AgentInputItem[] = [];
  for (const item of items) {
    if (isReasoning(item)) {
      if (encryptedContentOf(item) !== undefined) sent.push(withoutIds(item));
      continue;
    }
    const plain = byContent(item);
    if (plain === undefined) return undefined;
    sent.push(plain);
  }
  return sent;
}

/** An item without its ID; undefined when the API finds it by its ID alone. */
export function byContent(item: AgentInputItem): AgentInputItem | undefined {
  return itemType(apiTypeOf(item)).takenBy === 'content' || idOf(item) === undefined
    ? withoutIds(item)
    : undefined;
}

function withoutIds(item: AgentInputItem): AgentInputItem {
  const { id: _id, ...rest } = { ...item } as AgentInputItem & { id?: string };
  const data = rest.providerData;
  if (!isObject(data) || !('id' in data)) return rest;
  const { id: _providerId, ...kept } = data;
  return { ...rest, providerData: kept };
}
