import type { AgentInputItem } from '@openai/agents';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import type { HistoryReader } from '../history/history-reader.ts';

/**
 * Makes sure that content which the ledger will not hold can go to the conversation.
 *
 * Reasoning may stay behind: no digest covers it, and a model answers without it.
 *
 * @throws InvalidItemError naming the first item of which a conversation cannot hold the content.
 */
export async function requireStorable(
  reader: HistoryReader,
  items: readonly AgentInputItem[],
): Promise<void> {
  const forms = await reader.apiForms(items);
  const index = forms.findIndex((form, at) => 'unsupported' in form && items[at]?.type !== 'reasoning');
  if (index === -1) return;
  throw new InvalidItemError(
    index,
    'a conversation cannot hold it, and with keepContent: false nothing else would',
  );
}
