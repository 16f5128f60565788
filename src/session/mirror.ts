import type OpenAI from 'openai';
import { isAmbiguous, isTransient } from '../history/api-error.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import type { ItemConverter } from '../history/item-converter.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStep } from '../ledger/ledger-record.ts';
import { pendingChanges, type LedgerState } from '../ledger/ledger-state.ts';
import { SessionMoved } from '../ledger/session-moved.ts';
import {
  ConversationWriter,
  formOf,
  idOf,
  type DueItem,
  type PreparedItem,
  type Progress,
} from './conversation-writer.ts';
import { failureReason } from './failure-reason.ts';
import { LOOKS, lookBeforeWrite } from './look-before-write.ts';
import type { MirrorLease } from './mirror-lease.ts';
import type { MirrorLine } from './mirror-line.ts';
import { isLate } from './is-late.ts';
import { isOnItsWay } from './on-its-way.ts';
import { retryDelay } from './retry-delay.ts';
import { sleep } from './sleep.ts';

/** How long a turn waits for another process that is writing, in milliseconds: that one writes our items too. */
const PATIENCE = 2000;

/** Milliseconds between two looks whether it is done. */
const POLL = 25;

/** Milliseconds until the first look whether another session has written what only it has; twice as long each time. */
const FIRST_YIELD = 50;

/** How a push goes about it. */
export interface PushOptions extends Progress {
  /** Waits as long as a process that died may hold the lease, not only as long as a turn should. */
  readonly untilFree?: boolean | undefined;
  /** Begins when the run that is under way has its answer. */
  readonly soon?: boolean | undefined;
}

/** What a mirror needs. */
export interface MirrorOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly converter: ItemConverter;
  readonly line: MirrorLine;
  readonly lease: MirrorLease;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Compares the list with the ledger, so that what is already there is not written again. */
  readonly look: () => Promise<unknown>;
  readonly onFailure: (pending: number, reason: string) => void;
  readonly onSkipped: (kind: string, reason: string) => void;
}

/** Everything could be written; the content of an item was not found; or another session has it and writes first. */
type Outcome = 'whole' | 'incomplete' | 'yields';

/** Keeps the conversation up to date with the ledger: writes what it lacks, removes what was taken out. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #writer: ConversationWriter;
  /** Something was left over the last time: another process may have written it meanwhile. */
  #leftOver = false;
  /** Why the last push left something over, as far as an error says so. */
  failure: unknown;

  constructor(options: MirrorOptions) {
    this.#options = options;
    const { line } = options;
    const onFailed = (error: unknown, chunk: readonly DueItem[]): void => {
      if (!isTransient(error)) return;
      // What was refused for now may be there all the same; what got no answer probably is, and may not show yet.
      line.looksDue = Math.max(line.looksDue, isAmbiguous(error) ? LOOKS : 1);
      for (const { entry } of chunk) line.tried.add(entry.seq);
    };
    const onUnrecorded = (chunk: readonly DueItem[]): void => {
      line.looksDue = LOOKS;
      for (const { entry } of chunk) line.tried.add(entry.seq);
    };
    this.#writer = new ConversationWriter({ ...options, onFailed, onUnrecorded });
  }

  /**
   * Brings the conversation up to date as far as it can.
   *
   * @returns how many changes are still pending.
   * @throws SessionMoved when the session goes on elsewhere, and nothing else.
   */
  push(how: PushOptions = {}): Promise<number> {
    const { line, ledger, reader } = this.#options;
    return line.queue.run(async () => {
      // Behind the answer that the run has by now: what the mirror costs does not hold that up.
      if (how.soon === true) await sleep(0);
      try {
        this.failure = undefined;
        const isWhole = await this.#tries(how);
        const state = await ledger.tip();
        reader.unpin(state);
        const pending = pendingChanges(state);
        this.#leftOver = pending > 0;
        if (!isWhole) this.#options.onFailure(pending, 'the content of a pending item was not found');
        return pending;
      } catch (error) {
        if (error instanceof SessionMoved) throw error;
        return this.#giveUp(error);
      } finally {
        line.last = this;
      }
    });
  }

  /** What to append together with items, so that this process is the one that writes them. */
  leaseSteps(state: LedgerState): LedgerStep[] {
    return this.#options.lease.steps(state);
  }

  /** Resolves when no session of this process is writing. */
  idle(): Promise<void> {
    return this.#options.line.queue.run(async () => undefined);
  }

  /** The items are safe in the ledger: a run that the model has answered does not fail for the mirror's sake. */
  async #giveUp(error: unknown): Promise<number> {
    this.#leftOver = true;
    this.failure = error;
    const state = await this.#options.ledger.tip().catch(() => undefined);
    const pending = state === undefined ? 1 : Math.max(1, pendingChanges(state));
    this.#options.onFailure(pending, failureReason(error));
    return pending;
  }

  async #tries(how: PushOptions): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#inTurn(how);
      } catch (error) {
        const isMoved = error instanceof SessionMoved || how.signal?.aborted === true;
        const again = !isMoved && isTransient(error) && attempt < this.#options.client.maxRetries;
        const delay = again ? retryDelay(error, attempt) : undefined;
        if (delay === undefined) throw error;
        await sleep(delay);
      }
    }
  }

  /**
   * Writes when no other process does; what another one is about to write is left to it.
   *
   * @returns false when the content of an item was not found.
   */
  async #inTurn(how: PushOptions): Promise<boolean> {
    const { line, ledger, lease, now } = this.#options;
    const until = now() + (how.untilFree === true ? lease.patience : PATIENCE);
    const isStopped = (): boolean => how.signal?.aborted === true;
    const isKnown = line.last === this && !this.#leftOver && lease.isHeld(await ledger.tip());
    if (!isKnown) await ledger.refreshTip();
    let outcome: Outcome = 'whole';
    for (let pause = FIRST_YIELD; ;) {
      while (outcome === 'whole' && !isStopped() && pendingChanges(await ledger.tip()) > 0) {
        if (await lease.take()) outcome = await this.#once(how);
        else if (now() < until) await sleep(POLL);
        else return true;
      }
      // Others leave to the holder what they append meanwhile: it goes only when nothing is left that it can write.
      const state = await ledger.commitTip((newest) =>
        outcome === 'whole' && !isStopped() && pendingChanges(newest) > 0 ? [] : lease.releaseSteps(newest),
      );
      if (outcome === 'yields' && !isStopped() && now() < until) {
        await sleep(pause);
        pause *= 2;
        outcome = 'whole';
        await ledger.refreshTip();
      } else if (outcome !== 'whole' || isStopped() || pendingChanges(state) === 0)
        return outcome === 'whole';
    }
  }

  async #once(how: PushOptions): Promise<Outcome> {
    const { ledger } = this.#options;
    await lookBeforeWrite(this.#options);
    const { unmirrored, removed } = await ledger.tip();
    const due = Array.from(unmirrored.values(), (entry): DueItem => ({ entry, commit: entry.commit }));
    const leaving = new Set([...removed].filter(([, isDue]) => isDue).map(([id]) => id));
    const prepared = await this.#prepare(due);
    const late = prepared.find(({ entry }) => entry.digest !== null);
    if (late !== undefined && isLate(await ledger.tip(), late.entry)) {
      await ledger.commitTip((state) =>
        isLate(state, late.entry) ? [{ type: 'mirror', added: [], removed: [], behind: late.entry.seq }] : [],
      );
      return 'whole';
    }
    const written = new Set(prepared.map(({ entry }) => entry.seq));
    // What is linked again by its ID has to leave its old place first, all else when its content is safe in the new one.
    await this.#writer.remove(new Set(prepared.flatMap((one) => idOf(formOf(one)) ?? [])));
    // What leaves the list because of a later change may be the only place that has its content.
    const isWritten = await this.#writer.append(prepared, how);
    // What was skipped is not due any longer.
    const { unmirrored: still } = await ledger.tip();
    const left = due.filter(({ entry: { seq } }) => still.has(seq) && !written.has(seq));
    if (left.some(({ entry }) => isOnItsWay(entry, ledger, this.#options.now()))) return 'yields';
    if (isWritten) await this.#writer.remove(leaving);
    return left.length === 0 ? 'whole' : 'incomplete';
  }

  async #prepare(due: readonly DueItem[]): Promise<PreparedItem[]> {
    if (due.length === 0) return [];
    const { ledger, reader, converter } = this.#options;
    const isAtHand = due.every(({ entry }) => reader.holds(entry));
    const restored = await reader.restore(
      await (isAtHand ? ledger.tip() : ledger.state()),
      due.map(({ entry }) => entry),
    );
    // The conversation only grows at its end: nothing is written before what another session is about to write.
    const awaited = restored.findIndex(
      ({ entry, item }) => item === undefined && isOnItsWay(entry, ledger, this.#options.now()),
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
