import { HealError } from '../errors/heal-error.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import type { Attachment, Remote } from './attachment.ts';
import { copySteps } from './copy-steps.ts';
import { fillTarget, isShown, isSound } from './fill-target.ts';
import { openTarget } from './heal-target.ts';
import type { HealOptions } from './healed.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import { wholeHistory } from './whole-history.ts';

/**
 * Writes the whole history to a fresh conversation and moves the ledger there. Until the last step, which is one append,
 * the session goes on where it is; whoever comes after a process that died goes on where that one stopped.
 *
 * @returns the conversation and the ledger's state there.
 * @throws HealError, HistoryIncompleteError, SessionMoved when somebody else has done it meanwhile, or the client's errors.
 */
export async function moveHistory(
  attachment: Attachment & { readonly remote: Remote },
  options: ResolvedOptions,
  emit: (event: HybridSessionEvent) => void,
  how: HealOptions,
): Promise<{ readonly conversationId: string; readonly copied: LedgerState }> {
  const { sessionId, ledger, remote } = attachment;
  const source = { ledger, remote, options, emit };
  let unsound: string | undefined;
  let isBegun = false;
  for (;;) {
    const { state, restored } = await wholeHistory(attachment);
    if (state.cleared || (isBegun && state.move?.to === undefined)) throw new HealError(sessionId, 'cleared');
    if (how.signal?.aborted === true) throw new HealError(sessionId, 'stopped');
    const target = await openTarget(source, unsound);
    isBegun = true;
    const conversationId = target.sessionId;
    await fillTarget(target, { state, restored, sessionId }, options.keepContent);
    if (target.isResumed && !(await isSound(target))) {
      unsound = conversationId;
      continue;
    }
    if (!(await isShown(target, sessionId, how)))
      throw new HealError(sessionId, 'unverified', { conversationId });
    const copied = await target.ledger.commit(({ move }) =>
      move?.whole === true ? [] : [{ type: 'origin', from: sessionId, whole: true }],
    );
    let isMoved = false;
    await ledger.commit((newest) => {
      // What came in meanwhile is copied first.
      isMoved =
        newest.move?.to === conversationId && !newest.cleared && copySteps(newest, copied).length === 0;
      return isMoved ? [{ type: 'moved', to: conversationId }] : [];
    });
    if (isMoved) return { conversationId, copied };
  }
}
