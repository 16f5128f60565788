import type { AgentInputItem } from '@openai/agents';
import { acknowledged } from '../history/believed.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Mode } from '../rollout/mode.ts';
import { asNotFound } from './as-not-found.ts';
import type { Remote } from './attachment.ts';
import { removalSteps } from './history-changes.ts';
import type { SessionHistory } from './session-history.ts';

/**
 * Takes the newest item of the list out of the history and returns it, in the form in which the list is served.
 *
 * The mirror takes it out of the conversation; what the ledger does not know is taken out here. A list that shows an item
 * which has left the history is older than that: then the ledger says which one is the newest.
 */
export async function popListed(
  ledger: Ledger,
  remote: Remote,
  history: SessionHistory,
  mode: Mode,
): Promise<AgentInputItem | undefined> {
  const { client, conversationId, stock } = remote;
  for (let isLooked = false; ; isLooked = true) {
    const { items } = await stock.read(1).catch((error: unknown) => {
      throw asNotFound(error, conversationId);
    });
    const popped = items.at(-1);
    const id = popped !== undefined && 'id' in popped ? popped.id : undefined;
    if (id === undefined) return popped;
    await ledger.refresh();
    let isKnown = false;
    const state = await ledger.commit((newest) => {
      const steps = removalSteps(newest, id);
      isKnown = steps.length > 0;
      return steps;
    });
    if (isKnown) return popped;
    if (state.removed.has(id)) return popRecorded(ledger, history);
    if (isLooked || state.unmirrored.size === 0) {
      await acknowledged('conversations.items.delete', async () =>
        client.conversations.items.delete(id, { conversation_id: conversationId }),
      );
      return popped;
    }
    // Another session may be just about to record that it has written this item.
    await history.check(mode);
  }
}

/** Takes the newest item out of the history and returns it; the mirror takes it out of the conversation. */
export async function popRecorded(
  ledger: Ledger,
  history: SessionHistory,
): Promise<AgentInputItem | undefined> {
  for (;;) {
    await ledger.refresh();
    const [last] = (await history.contents(({ entries }) => entries.slice(-1))).restored;
    if (last === undefined) return undefined;
    let isPopped = false;
    // Another writer may have appended meanwhile: then the newest item is another one.
    await ledger.commit((newest) => {
      isPopped = newest.entries.at(-1)?.seq === last.entry.seq;
      return isPopped ? [{ type: 'pop' }] : [];
    });
    if (isPopped) return structuredClone(last.item);
  }
}
