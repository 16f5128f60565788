import type { HistoryReader } from '../history/history-reader.ts';
import type { ListedItem } from '../history/listed-item.ts';
import type { RestoredItem } from '../history/restore.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import { isOnItsWay } from './on-its-way.ts';
import { sleep } from './sleep.ts';

/** Milliseconds between two looks for what another session is just writing; twice as long each time. */
const FIRST_WAIT = 50;
const LAST_WAIT = 1600;

/** What a read needs. */
export interface WholeReadOptions {
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Resolves when no session of this process is writing to the conversation. */
  readonly idle: () => Promise<void>;
}

/** What was read, and the state of which it was read. */
export interface WholeRead {
  readonly state: LedgerState;
  readonly entries: readonly LedgerEntry[];
  readonly restored: readonly RestoredItem[];
}

/**
 * Reads entries back; waits for content that another session has in its hands.
 *
 * Where the ledger keeps no content, an item is nowhere between the append to the ledger and the one to the conversation.
 *
 * @param choose the entries of a state that are wanted.
 * @param list what was just read, so that it is not read again.
 */
export async function readWhole(
  { ledger, reader, now, idle }: WholeReadOptions,
  choose: (state: LedgerState) => readonly LedgerEntry[],
  list?: readonly ListedItem[],
): Promise<WholeRead> {
  const isAwaited = ({ entry, item }: RestoredItem): boolean =>
    item === undefined && entry.mirrorId === undefined && isOnItsWay(entry, ledger, now());
  let state = await ledger.state();
  let listed = list;
  for (let wait = FIRST_WAIT; ; wait *= 2) {
    const entries = choose(state);
    const restored = await reader.restore(state, entries, listed);
    // The list may be older than the state: then the new one is all there is to wait for.
    const isStale = listed !== undefined && restored.some(({ item }) => item === undefined);
    const isWorthIt = wait <= LAST_WAIT && restored.some((one) => isAwaited(one));
    if (!isStale && !isWorthIt) return { state, entries, restored };
    listed = undefined;
    await idle();
    if (isWorthIt) await sleep(wait);
    state = await ledger.refresh();
  }
}
