import { MAX_DELAY_MS } from '../history/duplicate-writes.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/state.ts';
import { clock, hasPassed } from '../util/clock.ts';
import { pollUntil } from '../util/poll.ts';
import { ConversationReplaced } from '../ledger/attached-conversation.ts';
import { ITEMS_PER_CALL } from './writer.ts';
import type { ProcessLease } from './lease.ts';
import type { ListCheck } from './list-check.ts';
import { MAX_RECHECKS, type SharedSyncState } from './shared-sync-state.ts';

/** Milliseconds after which the list shows a write. */
const LIST_LAG_MS = 500;

/** The mirror itself retries. */
const ONCE = { maxRetries: 0 };

/** The options of a recheck. */
export interface RecheckOptions {
  readonly ledger: Ledger;
  readonly sync: SharedSyncState;
  readonly lease: ProcessLease;
  /** Compares the list with the ledger, so that no item is written twice. */
  readonly check: Pick<ListCheck, 'read'>;
}

/** Milliseconds between two comparisons for late duplicates, unless the app requests one. */
const COMPARE_INTERVAL_MS = 60_000;

/**
 * Compares the conversation while an unacknowledged write may still take effect, so that its duplicate is removed.
 *
 * @param isExplicit whether the app requests the comparison.
 */
export async function checkForLateDuplicates(
  { sync, ledger, check }: Pick<RecheckOptions, 'sync' | 'ledger' | 'check'>,
  state: LedgerState,
  isExplicit: boolean,
): Promise<void> {
  // The tail does not tell which writes of another process lost their answers.
  const { possibleDuplicates } = isExplicit && sync.listComparedAt === 0 ? await ledger.read() : state;
  for (const { time } of possibleDuplicates.values())
    sync.lateWritesUntil = Math.max(sync.lateWritesUntil, time + MAX_DELAY_MS);
  if (sync.lateWritesUntil === 0) return;
  const isOver = clock.now() >= sync.lateWritesUntil;
  if (!isExplicit && !isOver && !hasPassed(sync.lateWritesCheckedAt, COMPARE_INTERVAL_MS)) return;
  sync.lateWritesCheckedAt = clock.now();
  try {
    await check.read(ONCE);
    if (isOver) sync.lateWritesUntil = 0;
  } catch (error) {
    // The next write compares again.
    if (error instanceof ConversationReplaced) throw error;
  }
}

/**
 * Compares the list before a retry: an unacknowledged write, or the write of another process, may have been applied.
 *
 * @returns the state after the comparison.
 */
export async function recheckBeforeRetry(
  { sync, ledger, lease, check }: RecheckOptions,
  state: LedgerState,
): Promise<LedgerState> {
  if (lease.takenOver) {
    sync.rechecksDue = MAX_RECHECKS;
    // The previous process had at most one request in progress, for the first pending items.
    for (const seq of [...state.unmirrored.keys()].slice(0, ITEMS_PER_CALL)) sync.unacknowledged.add(seq);
  }
  lease.takenOver = false;
  if (sync.rewinds > sync.rewindsChecked) {
    sync.rechecksDue = MAX_RECHECKS;
    for (const seq of state.unmirrored.keys()) sync.unacknowledged.add(seq);
  }
  const { rewinds } = sync;
  const isOwn = ({ commit }: LedgerEntry): boolean => ledger.writerOf(commit) === 'session';
  const isSure = sync.rechecksDue === 0 && state.dropped.size === 0;
  if (isSure && [...state.unmirrored.values()].every((entry) => isOwn(entry))) return state;
  const recheck = async (): Promise<boolean> => {
    await check.read(ONCE);
    sync.rechecksDue -= 1;
    return sync.rechecksDue > 0 && isOpen(await ledger.read({ scope: 'tail' }));
  };
  await pollUntil(recheck, (isDue) => !isDue, { first: LIST_LAG_MS, factor: 1 });
  sync.rechecksDue = 0;
  sync.rewindsChecked = rewinds;
  sync.lateWritesCheckedAt = clock.now();
  // A list that lags longer may show the item later; this record tells then that it is a duplicate.
  const rechecked = await ledger.append(
    ({ dropped, unmirrored }) => {
      const again = [...sync.unacknowledged].filter((seq) => unmirrored.has(seq));
      if (dropped.size + again.length === 0) return [];
      sync.lateWritesUntil = clock.now() + MAX_DELAY_MS;
      const settled = dropped.size === 0 ? {} : { settled: true };
      return [
        { type: 'mirror', added: [], removed: [], ...settled, ...(again.length === 0 ? {} : { again }) },
      ];
    },
    { scope: 'tail' },
  );
  sync.unacknowledged.clear();
  return rechecked;
}

/** Whether the list may hold the item of an unacknowledged write. */
function isOpen({ unmirrored, dropped }: LedgerState): boolean {
  return unmirrored.size + dropped.size > 0;
}
