import type OpenAI from 'openai';
import { statusOf } from '../history/api-error.ts';
import { acknowledged } from '../history/believed.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import { asNotFound } from './as-not-found.ts';
import { copiesOf } from './copies-of.ts';

/**
 * Deletes the conversation of a session that was cleared, the conversations it was moved from, and their ledgers.
 *
 * Its own ledger goes last: as long as anything is left, it knows what.
 *
 * @param isKnown whether the ledger knew the session: then its conversation may be gone already.
 */
export async function clearAway(
  { store, ledger, client }: { store: LedgerStore; ledger: Ledger; client: OpenAI },
  isKnown: boolean,
): Promise<void> {
  for (const copy of await copiesOf(store, await ledger.outline())) {
    await deleteConversation(client, copy, true);
    await store.delete(copy);
  }
  await deleteConversation(client, ledger.sessionId, isKnown);
  await ledger.delete();
}

async function deleteConversation(client: OpenAI, conversationId: string, isKnown: boolean): Promise<void> {
  const request = acknowledged('conversations.delete', async () =>
    client.conversations.delete(conversationId),
  );
  await request.catch((error: unknown) => {
    if (statusOf(error) !== 404 || !isKnown) throw asNotFound(error, conversationId);
  });
}
