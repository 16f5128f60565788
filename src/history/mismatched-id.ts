import type { AgentInputItem } from '@openai/agents';
import { isImport } from '../ledger/commit-id.ts';
import { isObject } from '../util/json.ts';
import type { LedgerEntry } from '../ledger/state.ts';
import { sentId } from '../ledger/mutable-state.ts';
import { toIncrementalInput } from '../items/model-input.ts';

/**
 * Whether the API holds, or may hold, another item under the ID of an entry. An imported ID is compared when the item is
 * written to the conversation.
 */
export function hasMismatchedId(entry: LedgerEntry): boolean {
  if (entry.mirrorId !== undefined) return false;
  return entry.unlinked || (isImport(entry.origin) && sentId(entry) !== undefined);
}

/**
 * The item without its ID, for a model: the API would show the other item of that ID.
 *
 * @returns text for a hosted call, which the API accepts by ID only; undefined for reasoning without content.
 */
export function withoutMismatchedId(item: AgentInputItem): AgentInputItem | undefined {
  const sent = toIncrementalInput([item]);
  if (sent !== undefined) return sent[0];
  const { id: _id, providerData, ...rest } = { ...item } as AgentInputItem & { id?: string };
  const data = isObject(providerData) ? { ...providerData, id: undefined } : undefined;
  const text = JSON.stringify({ ...rest, ...data });
  return {
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text }],
  };
}
