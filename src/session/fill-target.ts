import type { AgentInputItem } from '@openai/agents';
import { HealError } from '../errors/heal-error.ts';
import { isTransient, statusOf } from '../history/api-error.ts';
import type { RestoredItem } from '../history/restore.ts';
import type { LedgerStep } from '../ledger/ledger-record.ts';
import { pendingChanges, type LedgerState } from '../ledger/ledger-state.ts';
import { copySteps } from './copy-steps.ts';
import { failureReason } from './failure-reason.ts';
import type { HealTarget } from './heal-target.ts';
import type { HealOptions } from './healed.ts';
import type { CheckedList } from './list-check.ts';
import { askedFor } from './retry-delay.ts';
import { sleep } from './sleep.ts';
import { isListed } from './verification.ts';

/** How often to look at a list that does not show what it should, and the milliseconds after the first look. */
const LOOKS = 4;
const FIRST_WAIT = 250;

/** Copies the ledger, atomically; what is new in it since an earlier copy, where there is one. */
export async function fillTarget(
  { ledger, reader, remote }: HealTarget,
  {
    state,
    restored,
    sessionId,
  }: { state: LedgerState; restored: readonly RestoredItem[]; sessionId: string },
  keepContent: boolean,
): Promise<void> {
  const settle = keepContent ? undefined : reader.pin(restored.flatMap((one) => contentOf(one)));
  await ledger.refresh();
  const copied = await ledger
    .commit((newest) => {
      const origin: LedgerStep[] =
        newest.move?.from === undefined ? [{ type: 'origin', from: sessionId }] : [];
      const steps = [...origin, ...copySteps(state, newest)];
      return steps.length === 0 ? [] : [...steps, ...remote.mirror.leaseSteps(newest)];
    })
    .finally(settle);
  const absent = new Set(restored.flatMap(({ item }, index) => (item === undefined ? [index] : [])));
  const due = copied.entries.filter(({ seq }, index) => absent.has(index) && copied.unmirrored.has(seq));
  if (due.length === 0) return;
  const skipped = due.map(({ seq }) => ({ seq, reason: 'its content was not found' }));
  await ledger.commit(() => [{ type: 'mirror', added: [], removed: [], skipped }]);
}

/** Whether a conversation that was begun before can be written to: it is there, and shows what was written so far. */
export async function isSound(target: HealTarget): Promise<boolean> {
  return looked(target, ({ findings }) => findings.every(({ type }) => type === 'foreign'));
}

/**
 * Writes what the conversation lacks, and looks whether its list shows everything.
 *
 * @throws HealError when it cannot be written to its end.
 */
export async function isShown(target: HealTarget, sessionId: string, how: HealOptions): Promise<boolean> {
  await write(target, sessionId, how);
  return looked(target, async ({ findings, list }) => {
    // What turned out to be there twice has left, or has to.
    if (pendingChanges(await target.ledger.state()) > 0) await write(target, sessionId, how);
    return findings.length === 0 && isListed(await target.ledger.state(), list);
  });
}

async function looked(
  { remote }: HealTarget,
  isFine: (checked: CheckedList) => boolean | Promise<boolean>,
): Promise<boolean> {
  for (let look = 1; ; look += 1) {
    const checked = await remote.check.read().catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
    if (checked !== undefined && (await isFine(checked))) return true;
    if (checked === undefined || look === LOOKS) return false;
    await sleep(FIRST_WAIT * 2 ** (look - 1));
  }
}

async function write(
  { ledger, remote, sessionId: conversationId }: HealTarget,
  sessionId: string,
  { signal, onProgress }: HealOptions,
): Promise<void> {
  const onPiece = ({ entries, unmirrored }: LedgerState): void => {
    try {
      onProgress?.({ conversationId, done: entries.length - unmirrored.size, items: entries.length });
    } catch {
      // Watching costs nothing.
    }
  };
  const before = await ledger.state();
  onPiece(before);
  for (let left = pendingChanges(before); ;) {
    const pending = await remote.mirror.push({ untilFree: true, signal, onPiece });
    if (signal?.aborted === true) throw new HealError(sessionId, 'stopped', { conversationId, pending });
    if (pending === 0) return;
    // As long as it goes on, by this process or another, it is worth another try.
    if (pending >= left) throw unwritten(sessionId, conversationId, pending, remote.mirror.failure);
    left = pending;
  }
}

function unwritten(sessionId: string, conversationId: string, pending: number, error: unknown): HealError {
  const failure = error === undefined ? undefined : failureReason(error);
  return new HealError(sessionId, 'unwritten', {
    conversationId,
    pending,
    failure,
    // Without a failure another process is writing, or has left the right to write behind.
    isTemporary: error === undefined || isTransient(error),
    retryAfter: askedFor(error),
  });
}

/** Under the ID that the copy will look for it by. */
function contentOf({ entry, item }: RestoredItem): AgentInputItem[] {
  if (item === undefined) return [];
  const id = entry.id ?? entry.mirrorId;
  return [id === undefined ? item : { ...item, id }];
}
