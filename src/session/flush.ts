import { failureReason } from '../conversation/api-error.ts';
import { MirrorIncompleteError } from '../errors/session.ts';
import { clock, timeLeft, within } from '../util/clock.ts';
import { isUnreadable } from '../ledger/retry.ts';
import { pendingChanges, conversationsToDelete } from '../ledger/state.ts';
import type { SessionContext } from '../runtime/open.ts';
import type { OpenSession } from '../runtime/read.ts';
import type { PendingSession } from '../runtime/pending-work.ts';
import { defaultClient } from '../conversation/client.ts';
import { deleteClearedConversations } from '../conversation/delete-conversations.ts';

/**
 * Options of `flush()`.
 *
 * @example
 * ```ts
 * const pending = await session.flush({ timeout: 2_000 });
 * ```
 */
export interface FlushOptions {
  /**
   * The time after which `flush()` returns, in milliseconds. Pending changes are then written later.
   *
   * @default no limit: every change is tried
   */
  readonly timeout?: number | undefined;
}

/**
 * Writes all pending changes to the conversation.
 *
 * @returns the number of changes that are still pending.
 * @throws MirrorIncompleteError if changes are still pending, unless a timeout was given.
 * @throws LedgerUnreadableError if the ledger cannot be read.
 */
export async function flush(runtime: PendingSession, { timeout }: FlushOptions): Promise<number> {
  if (timeout === undefined) return (await pushAll(runtime)) ?? 0;
  const end = clock.now() + timeout;
  const flushed = pushAll(runtime, () => timeLeft(end, timeout));
  const open = runtime.opened;
  const pending = await within(timeout, flushed, () => (open === undefined ? 0 : pendingIn(open)));
  return pending ?? 0;
}

/** @param left the milliseconds to wait at most; without it, every change is tried. */
async function pushAll(runtime: PendingSession, left?: () => number): Promise<number | undefined> {
  await runtime.compactor.idle();
  const isWaiting = await runtime.maintainIfBegun(
    async (session) => session.conversation === undefined && (await pendingIn(session)) > 0,
  );
  const push = async (session: OpenSession): Promise<number> => {
    const pushed = pushWhole(session);
    if (left !== undefined) return within(left(), pushed, () => pendingIn(session));
    const pending = await pushed;
    const { sessionId, conversation } = session;
    if (pending === 0) return pending;
    const failure: unknown = conversation?.mirror.failure;
    // With an unreadable ledger, the number of pending changes is unknown.
    if (isUnreadable(failure)) throw failure;
    const why = failure === undefined ? undefined : { cause: new Error(failureReason(failure)) };
    throw new MirrorIncompleteError(conversation?.conversationId ?? sessionId, pending, why);
  };
  return runtime.maintainIfBegun(push, { writes: isWaiting === true });
}

async function pendingIn({ ledger, isMirrored }: SessionContext): Promise<number> {
  return isMirrored ? pendingChanges(await ledger.read({ scope: 'tail' })) : 0;
}

/**
 * Writes all pending changes to the conversation, and deletes cleared conversations that still exist.
 *
 * @returns the number of changes that are still pending.
 */
async function pushWhole({ ledger, conversation, options }: SessionContext): Promise<number> {
  const { client, bookmark, mirror } = options;
  if (mirror === 'off') return 0;
  const pending = await (conversation?.mirror.push({ isExplicit: true }) ??
    ledger.read().then(pendingChanges));
  if (pending === 0) await conversation?.bookmark?.write();
  const isDue = async (): Promise<boolean> =>
    conversationsToDelete(await ledger.read({ scope: 'tail' })).length > 0;
  // With a conversation, its mirror has just tried these deletions.
  if (conversation === undefined && (await isDue()))
    await deleteClearedConversations(client ?? (await defaultClient()), ledger, bookmark);
  return pending + conversationsToDelete(await ledger.read({ scope: 'tail' })).length;
}
