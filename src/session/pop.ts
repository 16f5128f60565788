import type { AgentInputItem } from '@openai/agents';
import { acknowledged } from '../history/believed.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { asNotFound } from './as-not-found.ts';
import type { Remote } from './attachment.ts';
import { removalSteps } from './history-changes.ts';
import type { SessionHistory } from './session-history.ts';

/**
 * Takes the newest item of the list out of the history and returns it, in the form in which the list is served.
 *
 * The mirror takes it out of the conversation; what the ledger does not know is taken out here.
 */
export async function popListed(ledger: Ledger, remote: Remote): Promise<AgentInputItem | undefined> {
  const { client, conversationId, stock } = remote;
  const { items } = await stock.read(1).catch((error: unknown) => {
    throw asNotFound(error, conversationId);
  });
  const popped = items.at(-1);
  const id = popped !== undefined && 'id' in popped ? popped.id : undefined;
  if (id === undefined) return popped;
  let isKnown = false;
  await ledger.commit((state) => {
    const steps = removalSteps(state, id);
    isKnown = steps.length > 0;
    return steps;
  });
  if (!isKnown) {
    await acknowledged('conversations.items.delete', async () =>
      client.conversations.items.delete(id, { conversation_id: conversationId }),
    );
  }
  return popped;
}

/** Takes the newest item out of the history and returns it; the mirror takes it out of the conversation. */
export async function popRecorded(
  ledger: Ledger,
  history: SessionHistory,
): Promise<AgentInputItem | undefined> {
  for (;;) {
    const state = await ledger.refresh();
    const last = state.entries.at(-1);
    if (last === undefined) return undefined;
    const [restored] = await history.contents(state, [last]);
    let isPopped = false;
    // Another writer may have appended meanwhile: then the newest item is another one.
    await ledger.commit((newest) => {
      isPopped = newest.entries.at(-1)?.seq === last.seq;
      return isPopped ? [{ type: 'pop' }] : [];
    });
    if (isPopped) return structuredClone(restored?.item);
  }
}
