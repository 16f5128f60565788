import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import {
  HybridSession,
  importItems,
  memoryLedger,
  type HybridSessionEvent,
  type ImportedItems,
  type LedgerStore,
} from '../../index.ts';
import { inspectLedger } from '../../doctor.ts';
import { Backoff, pollUntil } from '../../util/poll.ts';
import { CommandError } from '../command.ts';

/** The writes when nothing could be written, and milliseconds of the first pause. */
const WRITES = { first: 500, attempts: 6 };

/** The checks of a list that does not show all items yet, and milliseconds between them. */
const CHECKS = { first: 500, factor: 1, attempts: 4 };

/** Options of an import. */
export interface ConversationImport {
  readonly client: OpenAI;
  /** A store that keeps content; a new one without `--ledger`. */
  readonly store: LedgerStore;
  /** Undefined creates a new conversation. */
  readonly conversationId: string | undefined;
  readonly items: readonly AgentInputItem[];
  readonly append: boolean;
  readonly signal: AbortSignal;
  /** Reports the conversation's ID before the first write. */
  readonly onConversation: (id: string) => void;
}

/** The result of an import. */
export interface ConversationImported extends ImportedItems {
  /** Reasons for items that the API has no form for: they are in the ledger only. */
  readonly skipped: readonly string[];
  /** The number of other items that the list does not show. */
  readonly unseen: number;
}

/**
 * Imports into a ledger at once, and from there into the conversation, like a session. After an interruption it continues:
 * items that the list holds are not written again.
 *
 * @throws CommandError `not_empty` for a conversation with other items, unless `append` is set; `import_incomplete` when
 * writes kept failing; and errors of the client and the store.
 */
export async function importIntoConversation(options: ConversationImport): Promise<ConversationImported> {
  const { client, store, conversationId, items, append, signal } = options;
  const skipped: string[] = [];
  let reason = '';
  const session = new HybridSession({
    client,
    ledger: store,
    // Another import would find its items in the ledger before it compares them with the file.
    bookmark: false,
    ...(conversationId === undefined ? {} : { conversationId }),
    onEvent: (event: HybridSessionEvent) => {
      if (event.type !== 'warning') return;
      if (event.code === 'mirror_skipped') skipped.push(`${event.itemKind}: ${event.reason}`);
      if (event.code === 'mirror_failed') reason = event.reason ?? reason;
    },
  });
  const id = await session.getSessionId();
  if (conversationId === undefined) options.onConversation(id);
  else if (append) await session.getItems();
  else if ((await inspectLedger(store, id)) === undefined) await requireBeginning(client, id, items);
  const imported = await importItems({ ledger: store, sessionId: id, items, append });
  await writeAll(session, signal, () => reason);
  const unseen = await pollUntil(
    () => countUnseen(session),
    (count) => count === 0,
    { ...CHECKS, signal },
  );
  return { ...imported, skipped, unseen };
}

/** A conversation may hold the first items of an interrupted import. */
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
    // An item that the API refused is not in the list, and the next one is.
    at = expected.indexOf(digest, at) + 1;
    if (at > 0) continue;
    throw new CommandError(
      'not_empty',
      `Cannot import into '${conversationId}': it holds other items already`,
      `agents-hybrid-session import FILE --conversation ${conversationId} --ledger sqlite:sessions.db --append`,
    );
  }
}

/** Reasoning has no digest and is left out. */
async function digestsIn(ledger: LedgerStore, sessionId: string): Promise<string[]> {
  const inspection = await inspectLedger(ledger, sessionId);
  return (inspection?.turns ?? []).flatMap((turn) => turn.items.flatMap(({ digest }) => digest ?? []));
}

/** A session leaves failed writes for later; a command has to finish them. */
async function writeAll(session: HybridSession, signal: AbortSignal, reason: () => string): Promise<void> {
  const backoff = new Backoff({ ...WRITES, signal });
  let left = Number.POSITIVE_INFINITY;
  for (;;) {
    const pending = await pendingAfter(session);
    signal.throwIfAborted();
    if (pending === 0) return;
    if (pending < left) backoff.reset();
    left = pending;
    if (isFinal(reason()) || !(await backoff.pause())) {
      throw new CommandError(
        'import_incomplete',
        `${pending} change(s) could not be written to '${session.sessionId ?? ''}': ${reason()}`,
        `the same again later, with --conversation ${session.sessionId ?? ''}: nothing is written twice`,
      );
    }
  }
}

/** Whether a retry cannot succeed: a status from 400 to 499, unless the server is busy. */
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

async function countUnseen(session: HybridSession): Promise<number> {
  const { findings } = await session.verify();
  return findings.filter(({ type }) => type === 'lost').length;
}
