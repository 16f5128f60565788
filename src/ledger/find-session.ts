import { ConversationOwnedError } from '../errors/session.ts';
import { Ledger } from './ledger.ts';
import { parseCheckpoint, type Checkpoint } from './record.ts';
import { Retry } from './retry.ts';
import type { LedgerStore } from './store.ts';

/** A session that was found, and its checkpoint if it has one, as the store gave it. */
export interface FoundSession {
  readonly sessionId: string;
  readonly checkpoint: Checkpoint | undefined;
}

/**
 * The name of the session that owns or owned a conversation; the ID itself where no session of another name does.
 *
 * A ledger under the conversation's ID may hold an alias for the session. The alias counts only where the ledger of that
 * session names the conversation: a forged alias leads nowhere.
 *
 * @param retry how long a read that fails is tried again, in milliseconds. Default 0.
 * @throws LedgerUnreadableError when the checkpoint of that session cannot be read.
 */
export async function findSession(store: LedgerStore, id: string, retry = 0): Promise<string> {
  return (await findCheckpoint(store, id, retry)).sessionId;
}

/** The same with the checkpoint of the session that was found. */
export async function findCheckpoint(store: LedgerStore, id: string, retry = 0): Promise<FoundSession> {
  const read = (name: string): Promise<Checkpoint | undefined> =>
    new Retry(retry).run(() => store.checkpoint(name));
  const own = await read(id);
  const itself = { sessionId: id, checkpoint: own };
  const alias = aliasIn(own, id);
  if (alias === undefined || alias === id) return itself;
  const checkpoint = await read(alias);
  // One that cannot be read may name the conversation: it is not taken from that session.
  const owner = checkpoint === undefined ? undefined : parseCheckpoint(checkpoint, alias);
  if (owner === undefined || owner.alias !== undefined) return itself;
  if (owner.conversation === id) return { sessionId: alias, checkpoint };
  const { former } = await new Ledger({ store, sessionId: alias, retry }).readAt();
  return former.has(id) ? { sessionId: alias, checkpoint } : itself;
}

/**
 * Makes a conversation lead to a session.
 *
 * @param retry how long a call of the store that fails is tried again, in milliseconds. Default 0.
 * @throws ConversationOwnedError when another session owns the conversation.
 */
export async function claimConversation(
  store: LedgerStore,
  conversationId: string,
  sessionId: string,
  retry = 0,
): Promise<void> {
  if (conversationId === sessionId) return;
  const owner = await findSession(store, conversationId, retry);
  if (owner === sessionId) return;
  const ledger = new Ledger({ store, sessionId: conversationId, retry });
  await ledger.append(({ version, alias }) => {
    const isFree = version === 0 || alias !== undefined;
    if (owner !== conversationId || !isFree) throw new ConversationOwnedError(conversationId, sessionId);
    return alias === sessionId ? [] : [{ type: 'alias', sessionId }];
  });
}

/** Undefined for a checkpoint that cannot be read: a read of the records throws the reason. */
function aliasIn(checkpoint: Checkpoint | undefined, id: string): string | undefined {
  try {
    return checkpoint === undefined ? undefined : parseCheckpoint(checkpoint, id).alias;
  } catch {
    return undefined;
  }
}
