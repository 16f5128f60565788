import { ConversationOwnedError } from '../errors/session.ts';
import { Ledger } from './ledger.ts';
import { parseCheckpoint, type Checkpoint } from './record.ts';
import type { LedgerStore } from './store.ts';

/**
 * The name of the session that owns or owned a conversation; the ID itself where no session of another name does.
 *
 * A ledger under the conversation's ID may hold an alias for the session. The alias counts only where the ledger of that
 * session names the conversation: a forged alias leads nowhere.
 *
 * @throws LedgerUnreadableError when the checkpoint of that session cannot be read.
 */
export async function findSession(store: LedgerStore, id: string): Promise<string> {
  const alias = (await readCheckpoint(store, id))?.alias;
  if (alias === undefined || alias === id) return id;
  const checkpoint = await store.checkpoint(alias);
  // One that cannot be read may name the conversation: it is not taken from that session.
  const owner = checkpoint === undefined ? undefined : parseCheckpoint(checkpoint, alias);
  if (owner === undefined || owner.alias !== undefined) return id;
  if (owner.conversation === id) return alias;
  const { former } = await new Ledger({ store, sessionId: alias }).readAt();
  return former.has(id) ? alias : id;
}

/**
 * Makes a conversation lead to a session.
 *
 * @throws ConversationOwnedError when another session owns the conversation.
 */
export async function claimConversation(
  store: LedgerStore,
  conversationId: string,
  sessionId: string,
): Promise<void> {
  if (conversationId === sessionId) return;
  const owner = await findSession(store, conversationId);
  if (owner === sessionId) return;
  const ledger = new Ledger({ store, sessionId: conversationId });
  await ledger.append(({ version, alias }) => {
    const isFree = version === 0 || alias !== undefined;
    if (owner !== conversationId || !isFree) throw new ConversationOwnedError(conversationId, sessionId);
    return alias === sessionId ? [] : [{ type: 'alias', sessionId }];
  });
}

/** Undefined for a checkpoint that cannot be read: a read of the records throws the reason. */
async function readCheckpoint(store: LedgerStore, id: string): Promise<Checkpoint | undefined> {
  const checkpoint = await store.checkpoint(id);
  try {
    return checkpoint === undefined ? undefined : parseCheckpoint(checkpoint, id);
  } catch {
    return undefined;
  }
}
