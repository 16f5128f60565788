import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import {
  HybridSession,
  importItems,
  inspectLedger,
  memoryLedger,
  type HybridSessionEvent,
  type ImportedItems,
  type LedgerStore,
} from '../index.ts';
import { CommandError } from './command-error.ts';

/** How often to go on writing when nothing could be written, and how long to wait before the first time. */
const TRIES = 5;
const PAUSE = 500;

/** An append may take a moment until the list shows it. */
const LOOKS = 4;

/** What is imported, and where to. */
export interface ConversationImport {
  readonly client: OpenAI;
  /** Keeps content. A new one where the conversation is all there is to be. */
  readonly store: LedgerStore;
  /** Undefined: a new one is created. */
  readonly conversationId: string | undefined;
  readonly items: readonly AgentInputItem[];
  readonly append: boolean;
  readonly signal: AbortSignal;
  /** Is told the conversation's ID before anything is written there. */
  readonly onConversation: (id: string) => void;
}

/** What became of it. */
export interface ConversationImported extends ImportedItems {
  /** Why items live in the ledger alone: the API takes them in no form. */
  readonly skipped: readonly string[];
  /** How many of the others the list does not show. */
  readonly unseen: number;
}

/**
 * Imports into a conversation: into a ledger at once, and from there into the conversation, as a session does. After it
 * was cut short it goes on where it was: what the list holds already is not written again.
 *
 * @throws CommandError `not_empty` for a conversation that holds anything but a beginning of these items, unless it is to
 * append; `import_incomplete` when it could not be brought to an end; and what the client and the store throw.
 */
export async function importIntoConversation(options: ConversationImport): Promise<ConversationImported> {
  const { client, store, conversationId, items, append, signal } = options;
  const skipped: string[] = [];
  let reason = '';
  const session = new HybridSession({
    client,
    ledger: store,
    ...(conversationId === undefined ? {} : { conversationId }),
    onEvent: (event: HybridSessionEvent) => {
      if (event.type === 'mirror_skipped') skipped.push(`${event.kind}: ${event.reason}`);
      if (event.type === 'mirror_failed') ({ reason } = event);
    },
  });
  const id = await session.getSessionId();
  if (conversationId === undefined) options.onConversation(id);
  else if (append) await session.getItems();
  else if ((await inspectLedger(store, id)) === undefined) await requireBeginning(client, id, items);
  const imported = await importItems({ ledger: store, sessionId: id, items, append });
  await writeAll(session, signal, () => reason);
  return { ...imported, skipped, unseen: await unseenIn(session, signal) };
}

/** A conversation may hold a beginning of what is imported: of an import that was cut short. */
async function requireBeginning(
  client: OpenAI,
  conversationId: string,
  items: readonly AgentInputItem[],
): Promise<void> {
  const listed = memoryLedger();
  await new HybridSession({ client, conversationId, ledger: listed }).getItems();
  const file = memoryLedger();
  await importItems({ ledger: file, sessionId: conversationId, items });
  const expected = await digestsIn(file, conversationId);
  let at = 0;
  for (const digest of await digestsIn(listed, conversationId)) {
    // What the API refused is not in the list, and what follows it is.
    at = expected.indexOf(digest, at) + 1;
    if (at > 0) continue;
    throw new CommandError(
      'not_empty',
      `Cannot import into '${conversationId}': it holds other items already`,
      `hybrid-session import FILE --conversation ${conversationId} --ledger sqlite:sessions.db --append`,
    );
  }
}

/** Without reasoning, which no digest covers. */
async function digestsIn(ledger: LedgerStore, sessionId: string): Promise<string[]> {
  const inspection = await inspectLedger(ledger, sessionId);
  return (inspection?.turns ?? []).flatMap((turn) => turn.items.flatMap(({ digest }) => digest ?? []));
}

/** A session leaves what it cannot write for later; here is nobody who would come later. */
async function writeAll(session: HybridSession, signal: AbortSignal, reason: () => string): Promise<void> {
  let left = Number.POSITIVE_INFINITY;
  for (let attempt = 0; ;) {
    const pending = await pendingAfter(session);
    signal.throwIfAborted();
    if (pending === 0) return;
    attempt = pending < left ? 0 : attempt + 1;
    left = pending;
    if (attempt === TRIES || isFinal(reason())) {
      throw new CommandError(
        'import_incomplete',
        `${pending} change(s) could not be written to '${session.sessionId ?? ''}': ${reason()}`,
        `the same again in a while, with --conversation ${session.sessionId ?? ''}: nothing is written twice`,
      );
    }
    await sleep(PAUSE * 2 ** attempt, undefined, { signal });
  }
}

/** Whether the API refused what is the same the next time: a status of 400 and more, but not for being busy. */
function isFinal(reason: string): boolean {
  return /\(4(?!08|09|29)\d\d/.test(reason) && !reason.includes('conversation_locked');
}

async function pendingAfter(session: HybridSession): Promise<number> {
  try {
    await session.flush();
    return 0;
  } catch (error) {
    const pending: unknown = error instanceof Error ? Reflect.get(error, 'pending') : undefined;
    if (typeof pending === 'number') return pending;
    throw error;
  }
}

async function unseenIn(session: HybridSession, signal: AbortSignal): Promise<number> {
  for (let look = 1; ; look += 1) {
    const { findings } = await session.verify();
    const unseen = findings.filter(({ type }) => type === 'lost').length;
    if (unseen === 0 || look === LOOKS) return unseen;
    await sleep(PAUSE, undefined, { signal });
  }
}
