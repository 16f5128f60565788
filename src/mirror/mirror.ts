import type OpenAI from 'openai';
import { isTransient, failureReason } from '../conversation/api-error.ts';
import type { HistoryReader } from '../history/reader.ts';
import type { ItemConverter } from '../items/item-converter.ts';
import { circuitBreakerOf } from '../conversation/circuit-breaker.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStep } from '../ledger/record.ts';
import {
  conversationsToDelete,
  pendingChanges,
  type LedgerState,
  type LedgerEntry,
} from '../ledger/state.ts';
import { ConversationReplaced } from '../ledger/attached-conversation.ts';
import { clock, timeLeft, within } from '../util/clock.ts';
import { Backoff } from '../util/poll.ts';
import { retryAfterOf } from '../util/retry-after.ts';
import { ConversationWriter, type WriteProgress } from './writer.ts';
import { deleteClearedConversations } from '../conversation/delete-conversations.ts';
import { checkForLateDuplicates, recheckBeforeRetry } from './recheck.ts';
import type { ProcessLease } from './lease.ts';
import { type SharedSyncState, isWriteInFlight } from './shared-sync-state.ts';
import { toRequestItem, requestItemId, type PendingItem, type PreparedItem } from './prepared-item.ts';
import type { ListCheck } from './list-check.ts';
import type { Warn } from '../telemetry/span.ts';

/** Milliseconds for which a turn waits for the process with the lease, which writes the items of this one, too. */
const LEASE_WAIT_MS = 2000;

/** Milliseconds for which a turn waits for the write of its items; the push then continues in the background. */
export const MAX_TURN_WAIT_MS = 10_000;

/** Milliseconds between two attempts to take the lease. */
const LEASE_POLL_MS = 25;

/** Milliseconds of the first pause for another session that holds the content of a pending item. */
const FIRST_YIELD_MS = 50;

/** The pauses before retries of a write, in milliseconds; a server that asks for more than the longest one ends them. */
const RETRY_PAUSES = { first: 500, max: 8000 };

/** The options of a push. */
export interface PushOptions extends WriteProgress {
  /**
   * The app requests the push, not a turn: it waits until the lease of a crashed process has expired, and sends requests also
   * during an outage.
   */
  readonly isExplicit?: boolean | undefined;
  /** Begins after the response of the current run. */
  readonly afterResponse?: boolean | undefined;
}

/** The options of a mirror. */
export interface MirrorOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly converter: ItemConverter;
  readonly sync: SharedSyncState;
  readonly lease: ProcessLease;
  /** Whether the session keeps bookmarks. */
  readonly isBookmarked: boolean;
  /** Compares the list with the ledger, so that no item is written twice. */
  readonly check: Pick<ListCheck, 'read'>;
  readonly warn: Warn;
}

/** All items were written; the content of an item was not found; or another session has the content and writes first. */
type Outcome = 'whole' | 'incomplete' | 'yields';

/** The result of a push: the newest state, and false when the content of an item was not found. */
interface Pushed {
  readonly isWhole: boolean;
  readonly state: LedgerState;
}

/** Keeps the conversation up to date with the ledger: writes pending items, and removes deleted ones. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #writer: ConversationWriter;
  /** The last push left changes pending, which another process may have written since. */
  #leftOver = false;
  /** A push that has not begun; later turns share it. */
  #waitingPush: Promise<number> | undefined;
  /** The mirror has tried to delete the cleared conversations. */
  #hasDeleted = false;
  /** The error of the last push. */
  failure: unknown;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#writer = new ConversationWriter(options);
  }

  /**
   * Brings the conversation up to date as far as possible.
   *
   * @returns the number of pending changes.
   * @throws only ConversationReplaced: the session has another conversation.
   */
  push(how: PushOptions = {}): Promise<number> {
    if (how.isExplicit === true) return this.#queued(() => this.#push(how));
    this.#options.sync.backgroundCompare?.abort();
    if (this.#waitingPush !== undefined) return this.#waitingPush;
    let hasBegun = false;
    const pushed = this.#queued(async () => {
      // The run gets its response first.
      if (how.afterResponse === true) await clock.sleep(0);
      hasBegun = true;
      this.#waitingPush = undefined;
      return this.#push(how);
    });
    if (!hasBegun) this.#waitingPush = pushed;
    return pushed;
  }

  /**
   * Pushes for a turn, which continues at the latest 10 seconds after the oldest unfinished push was requested; the push then
   * continues in the background.
   *
   * @returns the number of pending changes.
   * @throws only ConversationReplaced: the session has another conversation.
   */
  async pushWithTimeout(): Promise<number> {
    const pushed = this.push();
    return within(this.#remainingWait, pushed, async () => {
      const pending = await this.#pending();
      this.#failed(pending, 'TimeoutError');
      return pending;
    });
  }

  /** The steps that take the lease, for the append of items that this process will write. */
  leaseSteps(state: LedgerState): LedgerStep[] {
    return this.#options.lease.steps(state);
  }

  /** Resolves when no session of this process writes. */
  idle(): Promise<void> {
    return this.#options.sync.queue.run(async () => undefined);
  }

  /** The same for a turn. @throws a `TimeoutError` after the time that a turn waits for a write. */
  idleWithTimeout(): Promise<void> {
    return within(this.#remainingWait, this.idle(), () => {
      throw new DOMException('The conversation is still being written', 'TimeoutError');
    });
  }

  #failed(count: number, reason: string): void {
    this.#options.warn({ code: 'mirror_failed', count, reason });
  }

  /** Milliseconds for which a turn still waits for the writes in progress. */
  get #remainingWait(): number {
    const { activePushes, oldestPushAt } = this.#options.sync;
    return activePushes === 0
      ? MAX_TURN_WAIT_MS
      : timeLeft(oldestPushAt + MAX_TURN_WAIT_MS, MAX_TURN_WAIT_MS);
  }

  async #queued(task: () => Promise<number>): Promise<number> {
    const { sync } = this.#options;
    if (sync.activePushes === 0) sync.oldestPushAt = clock.now();
    sync.activePushes += 1;
    try {
      return await sync.queue.run(task);
    } finally {
      sync.activePushes -= 1;
      sync.oldestPushAt = clock.now();
    }
  }

  async #push(how: PushOptions): Promise<number> {
    const { sync, reader } = this.#options;
    try {
      this.failure = undefined;
      const { isWhole, state } = await this.#pushWithRetries(how);
      reader.unpin(state);
      const pending = pendingChanges(state);
      this.#leftOver = pending > 0;
      if (!isWhole) this.#failed(pending, 'the content of a pending item was not found');
      return pending;
    } catch (error) {
      if (error instanceof ConversationReplaced) throw error;
      return this.#giveUp(error);
    } finally {
      sync.lastWriter = this;
    }
  }

  /** The number of pending changes, at least one. */
  async #pending(): Promise<number> {
    const state = await this.#options.ledger.read({ scope: 'tail' }).catch(() => undefined);
    return state === undefined ? 1 : Math.max(1, pendingChanges(state));
  }

  /** The items are safe in the ledger: a failed push does not fail the run. */
  async #giveUp(error: unknown): Promise<number> {
    this.#leftOver = true;
    this.failure = error;
    const pending = await this.#pending();
    this.#failed(pending, failureReason(error));
    return pending;
  }

  async #pushWithRetries(how: PushOptions): Promise<Pushed> {
    const { client, ledger } = this.#options;
    const breaker = circuitBreakerOf(client);
    const isNow = how.isExplicit === true;
    const backoff = new Backoff({ ...RETRY_PAUSES, attempts: client.maxRetries + 1 });
    for (let attempt = 0; ; attempt += 1) {
      const known = await ledger.read({ scope: 'tail' });
      // During an outage, a turn leaves its changes pending.
      if (attempt === 0 && !isNow && pendingChanges(known) > 0 && !breaker.allowsRequest())
        throw breaker.error;
      try {
        return await this.#writeUnderLease(known, how);
      } catch (error) {
        const isOver = error instanceof ConversationReplaced || how.signal?.aborted === true;
        const isDown = !isNow && breaker.error !== undefined;
        if (isOver || isDown || !isTransient(error)) throw error;
        if (!(await backoff.pause(retryAfterOf(error, clock.now())))) throw error;
      }
    }
  }

  /** Takes the lease and writes; leaves items whose content another session holds to that session. */
  async #writeUnderLease(known: LedgerState, how: PushOptions): Promise<Pushed> {
    const { sync, ledger, lease } = this.#options;
    const deadline = clock.now() + (how.isExplicit === true ? lease.takeoverTimeout : LEASE_WAIT_MS);
    const leasePolls = new Backoff({ first: LEASE_POLL_MS, factor: 1, deadline });
    const yieldPauses = new Backoff({ first: FIRST_YIELD_MS, deadline });
    const isStopped = (): boolean => how.signal?.aborted === true;
    const isNewest = sync.lastWriter === this && !this.#leftOver && lease.isHeld(known);
    const newest = isNewest ? known : await ledger.read({ scope: 'tail', fresh: true });
    const withoutCleared = await this.#deleteCleared(newest, how.isExplicit === true);
    await checkForLateDuplicates(this.#options, withoutCleared, how.isExplicit === true);
    let outcome: Outcome = 'whole';
    const canWrite = (state: LedgerState): boolean =>
      outcome === 'whole' && !isStopped() && pendingChanges(state) > 0;
    for (;;) {
      // Other processes leave their items to the holder of the lease, so it is kept while items can be written.
      const state = await ledger.append((current) => (canWrite(current) ? [] : lease.releaseSteps(current)), {
        scope: 'tail',
      });
      if (canWrite(state)) {
        const held = await lease.take(state);
        if (held !== undefined) outcome = await this.#writePending(held, how);
        else if (!(await leasePolls.pause())) {
          const newest = await ledger.read({ scope: 'tail' });
          const pending = pendingChanges(newest);
          if (pending > 0) this.#failed(pending, 'another process holds the lease');
          return { isWhole: true, state: newest };
        }
      } else if (outcome === 'yields' && !isStopped() && (await yieldPauses.pause())) {
        outcome = 'whole';
        await ledger.read({ scope: 'tail', fresh: true });
      } else return { isWhole: outcome === 'whole', state };
    }
  }

  /** Tries once, unless the app requests it: a failed deletion delays no turn. @returns the newest state. */
  async #deleteCleared(state: LedgerState, isAskedFor: boolean): Promise<LedgerState> {
    const { client, ledger, isBookmarked } = this.#options;
    const isDue = conversationsToDelete(state).length > 0;
    if (!isDue || (this.#hasDeleted && !isAskedFor)) return state;
    this.#hasDeleted = true;
    await deleteClearedConversations(client, ledger, isBookmarked);
    return ledger.read({ scope: 'tail' });
  }

  async #writePending(held: LedgerState, how: PushOptions): Promise<Outcome> {
    const { ledger } = this.#options;
    const state = await recheckBeforeRetry(this.#options, held);
    const { unmirrored, removed } = state;
    const due = Array.from(unmirrored.values(), (entry): PendingItem => ({ entry, commit: entry.commit }));
    const leaving = new Set([...removed].filter(([, isDue]) => isDue).map(([id]) => id));
    const prepared = await this.#prepare(due, state);
    const current = await ledger.read({ scope: 'tail' });
    const late = prepared.find(({ entry }) => entry.digest !== null);
    if (late !== undefined && isOutOfOrder(current, late.entry)) {
      await ledger.append(
        (newest) =>
          isOutOfOrder(newest, late.entry)
            ? [{ type: 'mirror', added: [], removed: [], behind: late.entry.seq }]
            : [],
        { scope: 'tail' },
      );
      return 'whole';
    }
    const written = new Set(prepared.map(({ entry }) => entry.seq));
    // An item that is linked again by its ID is removed first, all others after their content is written.
    const linked = new Set(prepared.flatMap((one) => requestItemId(toRequestItem(one)) ?? []));
    await this.#writer.remove(current, linked);
    // A removed item may be the only source of the content of another entry.
    const isWritten = await this.#writer.append(current, prepared, how);
    // A skipped item is no longer pending.
    const updated = await ledger.read({ scope: 'tail' });
    const left = due.filter(({ entry: { seq } }) => updated.unmirrored.has(seq) && !written.has(seq));
    if (left.some(({ entry }) => isWriteInFlight(entry, ledger, clock.now()))) return 'yields';
    if (isWritten) await this.#writer.remove(updated, leaving);
    return left.length === 0 ? 'whole' : 'incomplete';
  }

  async #prepare(due: readonly PendingItem[], state: LedgerState): Promise<PreparedItem[]> {
    if (due.length === 0) return [];
    const { ledger, reader, converter } = this.#options;
    const isAtHand = due.every(({ entry }) => reader.hasContent(entry));
    const restored = await reader.restore(
      isAtHand ? state : await ledger.read(),
      due.map(({ entry }) => entry),
    );
    // The conversation only grows at its end: an item that follows another session's pending item has to wait.
    const awaited = restored.findIndex(
      ({ entry, item }) => item === undefined && isWriteInFlight(entry, ledger, clock.now()),
    );
    const present = restored.slice(0, awaited === -1 ? undefined : awaited).flatMap(({ item }, index) => {
      const one = due[index];
      return item === undefined || one === undefined ? [] : [{ ...one, item }];
    });
    const forms = await converter.toApiItems(present.map(({ item }) => item));
    const prepared: PreparedItem[] = [];
    for (const [index, form] of forms.entries()) {
      const one = present[index];
      if (one === undefined) continue;
      if ('item' in form) prepared.push({ ...one, item: form.item });
      else await this.#writer.skip(one.entry, form.unsupported);
    }
    return prepared;
  }
}

/** Whether the conversation holds a later item, but not this entry, whose content was unavailable at that time. */
function isOutOfOrder({ entries, unmirrored }: LedgerState, { seq }: LedgerEntry): boolean {
  if (!unmirrored.has(seq)) return false;
  const at = entries.findLastIndex((entry) => entry.seq === seq);
  return at < entries.findLastIndex(({ mirrorId, digest }) => mirrorId !== undefined && digest !== null);
}
