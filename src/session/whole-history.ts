import { HistoryIncompleteError } from '../errors/history-incomplete-error.ts';
import type { RestoredItem } from '../history/restore.ts';
import { copyState } from '../ledger/copy-state.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { Attachment } from './attachment.ts';
import { readWhole } from './read-whole.ts';
import { missingItems } from './verification.ts';

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
