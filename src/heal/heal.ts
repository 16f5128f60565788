import type { AgentInputItem } from '@openai/agents';
import { HealError } from '../errors/session.ts';
import { isTransient, statusOf, failureReason } from '../conversation/api-error.ts';
import type { RestoredItem } from '../history/restore.ts';
import { clock } from '../util/clock.ts';
import { pollUntil } from '../util/poll.ts';
import { retryAfterOf } from '../util/retry-after.ts';
import { ConversationReplaced } from '../ledger/attached-conversation.ts';
import type { LedgerStep } from '../ledger/record.ts';
import { pendingChanges, type LedgerState } from '../ledger/state.ts';
import { danglingReasoning } from '../items/reasoning.ts';
import { openContext, type SessionContext, type MirroredConversation } from '../runtime/open.ts';
import { conversationMetadata } from '../conversation/metadata.ts';
import { createBookmarkedConversation } from '../conversation/create-conversation.ts';
import { deleteWithBookmark } from '../conversation/delete-conversations.ts';
import { claimConversation } from '../ledger/find-session.ts';
import { countHealed, DANGLING_REASON, type Healed, type HealOptions } from './healed.ts';
import type { CheckedList } from '../mirror/list-check.ts';
import { sharedSyncState } from '../mirror/shared-sync-state.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { listMatchesLedger } from '../history/verify.ts';
import { readWholeHistory } from '../runtime/read-whole.ts';

/** The checks of a list that does not show all items yet. */
const CHECKS = { first: 250, attempts: 4 };

/** The session while it is healed. */
type Healing = SessionContext & { readonly conversation: MirroredConversation };

/**
 * Writes the whole history to a fresh conversation, and checks by digest that the list shows it. One record in the ledger
 * says that the history is mirrored there. A heal that ends early is continued by the next one.
 *
 * @throws HealError, HistoryIncompleteError, or the client's errors.
 */
export async function heal(runtime: SessionRuntime, how: HealOptions): Promise<Healed> {
  const { options } = runtime;
  if (options.mirror === 'off') throw new HealError(options.sessionId ?? '', 'no_conversation');
  await runtime.aside(async ({ sessionId, conversationId }) => {
    if (sessionId === undefined && conversationId === undefined) throw new HealError('', 'nothing_to_heal');
  });
  try {
    const healed = await runtime.run(async ({ history, ...context }, mode) => {
      const { sessionId, ledger, conversation } = context;
      if (conversation === undefined) throw new HealError(sessionId, 'nothing_to_heal');
      const healing = { ...context, conversation };
      return sharedSyncState(options.ledger, sessionId).healQueue.run(async () => {
        const { healed: damaged } = await ledger.read({ fresh: true });
        const checked = await history.check(mode);
        if (damaged !== undefined && (await isHealed(healing, checked, how)))
          return resultOf(healing, how, damaged);
        return resultOf(await copyToNewConversation(healing, how), how, conversation.conversationId);
      });
    });
    runtime.changedTo(healed.conversationId, healed.sessionId);
    return healed;
  } finally {
    runtime.reattach();
  }
}

/** Whether the current conversation comes from a heal, and holds the whole history. */
async function isHealed(
  healing: Healing,
  checked: (CheckedList & { readonly gone?: boolean }) | undefined,
  how: HealOptions,
): Promise<boolean> {
  if (checked === undefined || checked.gone === true) return false;
  const state = await healing.ledger.read();
  const isDamaged = checked.findings.some(({ type }) => type !== 'foreign');
  if (isDamaged) return false;
  return listMatchesLedger(state, checked.list) || writeAndVerify(healing, how);
}

/** Begins another conversation, and writes the history to it. */
async function copyToNewConversation(healing: Healing, how: HealOptions): Promise<Healing> {
  const { sessionId, conversation, options } = healing;
  const { client, conversationId: previous } = conversation;
  const first = await readWholeHistory(healing);
  if (how.signal?.aborted === true) throw new HealError(sessionId, 'stopped');
  const own = await ownMetadata(client, previous);
  const created = await createBookmarkedConversation(client, options.bookmark, own);
  const { conversationId: id } = created;
  await claimConversation(options.ledger, id, sessionId, options.ledgerRetry);
  const restored = await switchConversation(healing, id, first.restored);
  const next = await openContext(healing, { sessionId, conversationId: undefined, created }, false);
  // Another process cleared or healed the session in this moment.
  if (next.conversation?.conversationId !== id) throw new ConversationReplaced(sessionId);
  const begun = { ...next, conversation: next.conversation };
  const settle = options.keepContent
    ? undefined
    : begun.reader.pin(restored.flatMap((one) => contentOf(one)));
  try {
    if (!(await writeAndVerify(begun, how)))
      throw new HealError(sessionId, 'unverified', { conversationId: id });
  } finally {
    settle?.();
  }
  return begun;
}

/**
 * Records that the history is mirrored to another conversation, as soon as all content is at hand that the ledger does not
 * hold: nothing reads the list of the old conversation any more.
 */
async function switchConversation(
  healing: Healing,
  id: string,
  restored: readonly RestoredItem[],
): Promise<readonly RestoredItem[]> {
  const items = new Map(restored.map((one) => [one.entry.seq, one]));
  let isReady = false;
  const switched = await healing.ledger.append((state) => {
    isReady = state.entries.every(
      ({ seq, item, mirrorId }) => items.has(seq) || item !== undefined || mirrorId === undefined,
    );
    return isReady ? [{ type: 'conversation', id }, ...skippingSteps(state, items)] : [];
  });
  if (!isReady) return switchConversation(healing, id, (await readWholeHistory(healing)).restored);
  // The old conversation may have got an item meanwhile: the entry then has its ID.
  return switched.entries.flatMap((entry) => {
    const known = items.get(entry.seq);
    return known === undefined ? [] : [{ ...known, entry }];
  });
}

/** Items that stay in the ledger alone: in a conversation, reasoning that nothing follows would end every run. */
function skippingSteps(state: LedgerState, restored: ReadonlyMap<number, RestoredItem>): LedgerStep[] {
  const items = state.entries.map(({ seq }) => restored.get(seq)?.item);
  const dangling = danglingReasoning(items);
  const skipped = state.entries.flatMap(({ seq, kind }, index) => {
    if (dangling.has(index)) return [{ seq, reason: DANGLING_REASON }];
    const isAbsent = kind === 'reasoning' && restored.has(seq) && items[index] === undefined;
    return isAbsent ? [{ seq, reason: 'its content was not found' }] : [];
  });
  return skipped.length === 0 ? [] : [{ type: 'mirror', added: [], removed: [], skipped }];
}

async function resultOf(
  { sessionId, ledger, conversation }: Healing,
  { previous }: HealOptions,
  from: string,
): Promise<Healed> {
  const { conversationId, bookmark } = conversation;
  await bookmark?.write();
  const state = await ledger.read();
  const counts = countHealed(state);
  const isDeleted = previous === 'delete' && (await deletePrevious(conversation, from));
  if (isDeleted) await ledger.append(() => [{ type: 'mirror', added: [], removed: [], deleted: [from] }]);
  return { sessionId, from, conversationId, ...counts, verified: true, dryRun: false };
}

/** Deletes the old conversation; a failure does not fail the heal. */
async function deletePrevious({ client, bookmark }: MirroredConversation, id: string): Promise<boolean> {
  try {
    await deleteWithBookmark(client, id, bookmark !== undefined);
    return true;
  } catch {
    return false;
  }
}

/**
 * The user's own metadata go with the history; a conversation that is gone has none.
 *
 * @throws HealError when they cannot be read: without them the history stays where it is.
 */
async function ownMetadata(
  client: MirroredConversation['client'],
  conversationId: string,
): Promise<Readonly<Record<string, string>>> {
  try {
    return (await conversationMetadata(client, conversationId))?.own ?? {};
  } catch (error) {
    const facts = {
      failure: failureReason(error),
      isTemporary: isTransient(error),
      retryAfter: retryAfterOf(error, clock.now()),
    };
    throw new HealError(conversationId, 'unread', facts, { cause: error });
  }
}

/**
 * Writes the items that the conversation lacks, and looks whether its list shows everything.
 *
 * @throws HealError when it cannot be written to its end.
 */
async function writeAndVerify(healing: Healing, how: HealOptions): Promise<boolean> {
  await write(healing, how);
  const shown = await pollUntil(
    () => checkOnce(healing, how),
    (result) => result !== 'incomplete',
    CHECKS,
  );
  return shown === 'complete';
}

async function checkOnce(healing: Healing, how: HealOptions): Promise<'complete' | 'incomplete' | 'gone'> {
  const { ledger, conversation } = healing;
  const checked = await conversation.check.read().catch((error: unknown) => {
    if (statusOf(error) !== 404) throw error;
  });
  if (checked === undefined) return 'gone';
  if (pendingChanges(await ledger.read()) > 0) {
    // The list has shown a second copy of an item, which has to be removed.
    await write(healing, how);
    return 'incomplete';
  }
  const isComplete = checked.findings.length === 0 && listMatchesLedger(await ledger.read(), checked.list);
  return isComplete ? 'complete' : 'incomplete';
}

async function write(
  { sessionId, ledger, conversation }: Healing,
  { signal, onProgress }: HealOptions,
): Promise<void> {
  const { conversationId } = conversation;
  const onBatch = ({ entries, unmirrored }: LedgerState): void => {
    try {
      onProgress?.({ conversationId, done: entries.length - unmirrored.size, items: entries.length });
    } catch {
      // An error of the callback does not fail the heal.
    }
  };
  const before = await ledger.read();
  onBatch(before);
  for (let left = pendingChanges(before); ;) {
    const pending = await conversation.mirror.push({ isExplicit: true, signal, onBatch });
    if (signal?.aborted === true) throw new HealError(sessionId, 'stopped', { conversationId, pending });
    if (pending === 0) return;
    // Another try is worthwhile while the number falls, by this process or another.
    if (pending >= left)
      throw unwrittenError(sessionId, conversationId, pending, conversation.mirror.failure);
    left = pending;
  }
}

function unwrittenError(
  sessionId: string,
  conversationId: string,
  pending: number,
  error: unknown,
): HealError {
  const failure = error === undefined ? undefined : failureReason(error);
  return new HealError(sessionId, 'unwritten', {
    conversationId,
    pending,
    failure,
    // Without a failure, another process writes, or holds the lease after a crash.
    isTemporary: error === undefined || isTransient(error),
    retryAfter: retryAfterOf(error, clock.now()),
  });
}

/** The item with the ID by which the new conversation links it. */
function contentOf({ entry, item }: RestoredItem): AgentInputItem[] {
  if (item === undefined) return [];
  const id = entry.id ?? entry.mirrorId;
  return [id === undefined ? item : { ...item, id }];
}
