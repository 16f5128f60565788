import type OpenAI from 'openai';
import { UsageError } from './command-error.ts';

/** Marks a conversation that a history is being written to, where no ledger says so: which one it comes from. */
const MARK = 'hybrid_session_heals';

/** Where a session without another place keeps its ledger: it is not the user's. */
const LEDGER = 'hybrid_session';

/** The API's limit. */
const MOST_PAIRS = 16;

/** Creates the conversation that a history will be written to, with what the user keeps with the old one. */
export async function createTarget(client: OpenAI, conversationId: string): Promise<string> {
  const found: unknown = await client.conversations.retrieve(conversationId).catch((error: unknown) => {
    if (!(error instanceof Error) || Reflect.get(error, 'status') !== 404) throw error;
  });
  const kept = Object.entries(metadataIn(found)).filter(([key]) => key !== LEDGER && key !== MARK);
  const metadata = Object.fromEntries([...kept.slice(0, MOST_PAIRS - 1), [MARK, conversationId]]);
  return (await client.conversations.create({ metadata })).id;
}

/**
 * Makes sure that a conversation was begun by a heal of the other one: what does not belong there is going to be removed.
 *
 * @throws UsageError when it was not.
 */
export async function requireTarget(client: OpenAI, to: string, conversationId: string): Promise<void> {
  const metadata = metadataIn(await client.conversations.retrieve(to));
  if (metadata[MARK] === conversationId) return;
  throw new UsageError(
    `'${to}' was not begun by a heal of '${conversationId}'`,
    `hybrid-session heal ${conversationId} --response resp_... (without --to: a new conversation)`,
  );
}

function metadataIn(conversation: unknown): Record<string, string> {
  const metadata: unknown =
    typeof conversation === 'object' && conversation !== null ? Reflect.get(conversation, 'metadata') : {};
  return Object.fromEntries(
    Object.entries(typeof metadata === 'object' && metadata !== null ? metadata : {}).filter(
      (pair): pair is [string, string] => typeof pair[1] === 'string',
    ),
  );
}
