import { HealError } from '../errors/heal-error.ts';
import type { Mode } from '../rollout/mode.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import type { Attachment } from './attachment.ts';
import { countHealed } from './heal-counts.ts';
import type { Healed, HealOptions } from './healed.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { CheckedList } from './list-check.ts';
import { mirrorLine } from './mirror-line.ts';
import { moveHistory } from './move-history.ts';
import type { OpenSession } from './session-life.ts';
import { isListed } from './verification.ts';

/**
 * Moves the whole history to a fresh conversation, unless that was done before and is still fine.
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
    const { conversationId, copied } = await moveHistory({ ...attachment, remote }, options, emit, how);
    return { ...countHealed(sessionId, copied), conversationId, verified: true, dryRun: false };
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
