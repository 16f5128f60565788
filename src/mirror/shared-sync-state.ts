import { isAmbiguous, isTransient } from '../conversation/api-error.ts';
import { PinnedContent } from '../history/pinned-content.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry } from '../ledger/state.ts';

/** The number of comparisons before the retry of an unacknowledged write. */
export const MAX_RECHECKS: number = 2;

/** The state that the session objects of this process share for one session or one conversation. */
export class SharedSyncState {
  /** Serializes writes: two concurrent writers would write the same pending items. */
  readonly queue: SerialQueue = new SerialQueue();
  /** Serializes heals: the second one finds the session in its new conversation. */
  readonly healQueue: SerialQueue = new SerialQueue();
  /** The last writer: another one has to read the ledger again before it writes. */
  lastWriter: object | undefined;
  /** The number of comparisons before the next write, because a failed write may have been applied. */
  rechecksDue = 0;
  /** The sequence numbers of the entries with such a write. */
  readonly unacknowledged: Set<number> = new Set();
  /** The number of times that the store lost records; the list may then hold items that are not in the ledger. */
  rewinds = 0;
  /** The number of these that a comparison before a write has covered. */
  rewindsChecked = 0;
  /** The IDs of the lost items that an event has reported; an ID is removed when the list shows its item again. */
  readonly reportedLost: Set<string> = new Set();
  /** The time until which an unacknowledged write may take effect, in milliseconds since the epoch. */
  lateWritesUntil = 0;
  /** The time of the last comparison for such writes, in milliseconds since the epoch. */
  lateWritesCheckedAt = 0;
  /** The time of the last comparison of the list, in milliseconds since the epoch. */
  listComparedAt = 0;
  /** Ends the comparison in the background, so that no write waits for it. */
  backgroundCompare: AbortController | undefined;
  /** The number of pushes that run or wait. */
  activePushes = 0;
  /** The time at which the oldest of them was requested, in milliseconds since the epoch. */
  oldestPushAt = 0;
  /** The content that neither the ledger nor the conversation holds. */
  readonly pinned: PinnedContent = new PinnedContent();

  /** Notes a failed write. A temporary refusal may have been applied; a write without a response probably was, and the list may lag. */
  writeFailed(error: unknown, entries: readonly LedgerEntry[]): void {
    if (!isTransient(error)) return;
    this.rechecksDue = Math.max(this.rechecksDue, isAmbiguous(error) ? MAX_RECHECKS : 1);
    for (const { seq } of entries) this.unacknowledged.add(seq);
  }

  /** Notes a write that was applied, but whose record failed. */
  writeUnrecorded(entries: readonly LedgerEntry[]): void {
    this.rechecksDue = MAX_RECHECKS;
    for (const { seq } of entries) this.unacknowledged.add(seq);
  }
}

const stores = new WeakMap<object, Map<string, WeakRef<SharedSyncState>>>();
const forgotten = new FinalizationRegistry<{
  states: Map<string, WeakRef<SharedSyncState>>;
  sessionId: string;
}>(({ states, sessionId }) => {
  if (states.get(sessionId)?.deref() === undefined) states.delete(sessionId);
});

/** The state of a session or a conversation in a store; the same object as long as it is referenced. */
export function sharedSyncState(store: object, sessionId: string): SharedSyncState {
  let states = stores.get(store);
  if (states === undefined) stores.set(store, (states = new Map()));
  const known = states.get(sessionId)?.deref();
  if (known !== undefined) return known;
  const state = new SharedSyncState();
  states.set(sessionId, new WeakRef(state));
  forgotten.register(state, { states, sessionId });
  return state;
}

/** Milliseconds after which a pending item of another session is no longer waited for. */
const MAX_FLIGHT_MS = 10_000;

/** Whether another session may hold the content of an entry, and will write it. */
export function isWriteInFlight(entry: LedgerEntry, ledger: Ledger, now: number): boolean {
  return (
    entry.skipped === undefined &&
    ledger.writerOf(entry.origin) !== 'session' &&
    now - entry.due < MAX_FLIGHT_MS
  );
}
