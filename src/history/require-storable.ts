import type { AgentInputItem } from '@openai/agents';
import { InvalidItemError } from '../errors/session.ts';
import type { HistoryReader } from './reader.ts';

/**
 * Requires that a conversation can store the client's items when the ledger keeps no content.
 *
 * A model's items can be read back from their response.
 *
 * @throws InvalidItemError for the first item that a conversation cannot store.
 */
export async function requireStorable(
  reader: HistoryReader,
  items: readonly AgentInputItem[],
): Promise<void> {
  const forms = await reader.apiForms(items);
  const index = forms.findIndex((form, at) => {
    const item = items[at];
    return 'unsupported' in form && item !== undefined && isFromClient(item);
  });
  if (index === -1) return;
  throw new InvalidItemError(
    index,
    'a conversation cannot hold it, and with keepContent: false nothing else would',
  );
}

/** Whether an item is input to a model, not output of one. */
export function isFromClient(item: AgentInputItem): boolean {
  if ('role' in item) return item.role !== 'assistant';
  return /_(result|output)$/.test(item.type);
}
