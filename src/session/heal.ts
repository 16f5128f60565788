import { HealError } from '../errors/heal-error.ts';
import { HistoryIncompleteError } from '../errors/history-incomplete-error.ts';
import type { RestoredItem } from '../history/restore.ts';
import { copyState } from '../ledger/copy-state.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { Mode } from '../rollout/mode.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import type { Attachment } from './attachment.ts';
import { copySteps } from './copy-steps.ts';
import { fillTarget, isShown, isSound } from './fill-target.ts';
import { openTarget } from './heal-target.ts';
import { countHealed } from './heal-counts.ts';
import type { Healed, HealOptions } from './healed.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { CheckedList } from './list-check.ts';
import { mirrorLine } from './mirror-line.ts';
import { readWhole } from './read-whole.ts';
import type { OpenSession } from './session-life.ts';
import { isListed, missingItems } from './verification.ts';

/**
 * Writes the whole history to a fresh conversation and moves the ledger there. Until the last step, which is one append,
 * the session goes on where it is; whoever comes after a process that died goes on where that one stopped.
 *
 * @throws HealError, HistoryIncompleteError, SessionMoved when somebody else has done it meanwhile, or the client's errors.
 */
export async function heal(
  { attachment, history }: OpenSession,
  mode: Mode,
  options: ResolvedOptions,
  emit: (event: HybridSessionEvent) => void,
  how: HealOptions,
): Promise<Healed> {
  const { sessionId, ledger, remote } = attachment;
  // Without one there was no session to be asked.
  if (remote === undefined) throw new HealError(sessionId, 'no-conversation');
  return mirrorLine(options.ledger, sessionId).healing.run(async () => {
    await ledger.refresh();
    const done = await healedAlready(attachment, await history.check(mode));
    if (done !== undefined) return { ...done, conversationId: sessionId, dryRun: false };
    const source = { ledger, remote, options, emit };
    let unsound: string | undefined;
    let isBegun = false;
    for (;;) {
      const { state, restored } = await wholeHistory(attachment);
      if (state.cleared || (isBegun && state.move?.to === undefined))
        throw new HealError(sessionId, 'cleared');
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
      if (isMoved)
        return { ...countHealed(sessionId, copied), conversationId, verified: true, dryRun: false };
    }
  });
}

/** What was done before: the session came from another one, and its list still shows everything. */
export async function healedAlready(
  { ledger }: Attachment,
  checked: (CheckedList & { readonly gone?: boolean }) | undefined,
): Promise<Omit<Healed, 'conversationId' | 'dryRun'> | undefined> {
  const state = await ledger.refresh();
  const { from, whole, to } = state.move ?? {};
  if (from === undefined || whole !== true || to !== undefined || checked === undefined) return undefined;
  const isDamaged = checked.gone === true || checked.findings.some(({ type }) => type !== 'foreign');
  if (isDamaged || !isListed(state, checked.list)) return undefined;
  return { ...countHealed(from, state), verified: true };
}

/** The history with all of its content. @throws HistoryIncompleteError: what is missing would be lost for good. */
export async function wholeHistory(
  attachment: Attachment,
): Promise<{ readonly state: LedgerState; readonly restored: readonly RestoredItem[] }> {
  const { ledger, reader, remote, sessionId } = attachment;
  const idle = async (): Promise<void> => remote?.mirror.idle();
  await ledger.refresh();
  const whole = await readWhole({ ledger, reader, now: () => Date.now(), idle }, ({ entries }) => entries);
  const missing = missingItems(whole.state, whole.restored).filter(({ kind }) => kind !== 'reasoning');
  if (missing.length > 0) throw new HistoryIncompleteError(sessionId, missing);
  // What is appended from here on is no part of what was read.
  const state = copyState(whole.state);
  const entries = state.entries.slice(0, whole.restored.length);
  if (whole.restored.some(({ entry }, index) => entries[index]?.seq !== entry.seq))
    return wholeHistory(attachment);
  const restored = whole.restored.map((one, index) => ({ ...one, entry: entries[index] ?? one.entry }));
  return { state: { ...state, entries }, restored };
}
