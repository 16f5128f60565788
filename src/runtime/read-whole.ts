import type { HistoryReader } from '../history/reader.ts';
import type { ListedItem } from '../conversation/items.ts';
import type { RestoredItem } from '../history/restore.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type LedgerEntry, type LedgerState, copyState } from '../ledger/state.ts';
import { clock } from '../util/clock.ts';
import { Backoff } from '../util/poll.ts';
import { isWriteInFlight } from '../mirror/shared-sync-state.ts';
import { HistoryIncompleteError } from '../errors/session.ts';
import type { SessionContext } from './open.ts';
import { missingItems } from '../history/verify.ts';

/** Waits until another session has written the missing content. The pauses are in milliseconds. */
const CONTENT_READS = { first: 50, attempts: 7 };

export interface WholeReadOptions {
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  /** Resolves when no session of this process is writing to the conversation. Only a read with a list needs it. */
  readonly idle?: () => Promise<void>;
  /** Whether content that the API does not return counts as missing, instead of failing the read. @default false */
  readonly mayLack?: boolean;
}

export type StateSource = Pick<Ledger, 'read'>;

/** Entries with their content, and the state that they belong to. */
export interface WholeRead {
  readonly state: LedgerState;
  readonly entries: readonly LedgerEntry[];
  readonly restored: readonly RestoredItem[];
}

/**
 * Reads entries back, and waits for content that another session is writing.
 *
 * With `keepContent: false`, content is unavailable between the ledger append and the conversation write.
 *
 * @param choose selects the entries to read.
 * @param list the listed items, if the caller has just read them.
 * @param states the source of the state and of newer ones.
 */
export async function readWhole(
  { ledger, reader, idle, mayLack = false }: WholeReadOptions,
  choose: (state: LedgerState) => readonly LedgerEntry[],
  list?: readonly ListedItem[],
  states: StateSource = ledger,
): Promise<WholeRead> {
  const isAwaited = ({ entry, item }: RestoredItem): boolean =>
    item === undefined && entry.mirrorId === undefined && isWriteInFlight(entry, ledger, clock.now());
  let state = await states.read();
  let listed = list;
  const backoff = new Backoff(CONTENT_READS);
  for (;;) {
    const { version } = state;
    const entries = choose(state);
    const restored = await reader.restore(state, entries, listed, mayLack ? () => undefined : undefined);
    // The list may be older than the state; a new list then has the items.
    const isStale = listed !== undefined && restored.some(({ item }) => item === undefined);
    const isWriting = restored.some((item) => isAwaited(item));
    if (isStale) await idle?.();
    const hasWaited = isWriting && (await backoff.pause());
    if (!isStale && !hasWaited) {
      const isMissing = restored.some(({ entry, item }) => item === undefined && entry.digest !== null);
      const newest = isMissing ? await states.read({ fresh: true }) : state;
      // An item that another session has removed meanwhile is not missing.
      if (newest.version === version) return { state, entries, restored };
    }
    listed = undefined;
    state = await states.read({ fresh: true });
  }
}

/**
 * Reads the whole history with its content.
 *
 * @throws HistoryIncompleteError if content is missing: a copy of the history would lose it for good.
 */
export async function readWholeHistory(
  context: SessionContext,
): Promise<{ readonly state: LedgerState; readonly restored: readonly RestoredItem[] }> {
  const { ledger, reader, sessionId } = context;
  await ledger.read({ fresh: true });
  const whole = await readWhole({ ledger, reader }, ({ entries }) => entries);
  const missing = missingItems(whole.state, whole.restored).filter(({ kind }) => kind !== 'reasoning');
  if (missing.length > 0) throw new HistoryIncompleteError(sessionId, missing);
  // Later appends must not change the returned state.
  const state = copyState(whole.state);
  const entries = state.entries.slice(0, whole.restored.length);
  if (whole.restored.some(({ entry }, index) => entries[index]?.seq !== entry.seq))
    return readWholeHistory(context);
  const restored = whole.restored.map((item, index) => ({ ...item, entry: entries[index] ?? item.entry }));
  return { state: { ...state, entries }, restored };
}
