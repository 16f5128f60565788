import type { AgentInputItem } from '@openai/agents';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import type { HistoryReader } from '../history/history-reader.ts';

/**
 * Makes sure that content which the ledger will not hold can go to the conversation.
 *
 * What a model made is in its response, from which it can be read back: only what the client brings has to fit.
 *
 * @throws InvalidItemError naming the first item of which a conversation cannot hold the content.
 */
export async function requireStorable(
  reader: HistoryReader,
  items: readonly AgentInputItem[],
): Promise<void> {
  const forms = await reader.apiForms(items);
  const index = forms.findIndex((form, at) => 'unsupported' in form && isFromClient(items[at]));
  if (index === -1) return;
  throw new InvalidItemError(
    index,
    'a conversation cannot hold it, and with keepContent: false nothing else would',
  );
}

function isFromClient(item: AgentInputItem | undefined): boolean {
  if (item === undefined) return false;
  if ('role' in item) return item.role !== 'assistant';
  return /_(result|output)$/.test(item.type);
}
