import type OpenAI from 'openai';
import { isAmbiguous, isTransient } from '../history/api-error.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import type { ItemConverter } from '../history/item-converter.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerStep } from '../ledger/ledger-record.ts';
import { pendingChanges, type LedgerEntry, type LedgerState } from '../ledger/ledger-state.ts';
import { ConversationWriter, type DueItem, type PreparedItem } from './conversation-writer.ts';
import { failureReason } from './failure-reason.ts';
import type { MirrorLease } from './mirror-lease.ts';
import type { MirrorLine } from './mirror-line.ts';
import { retryDelay } from './retry-delay.ts';
import { sleep } from './sleep.ts';

/** How long a turn waits for another process that is writing, in milliseconds: that one writes our items too. */
const PATIENCE = 2000;

/** Milliseconds between two looks whether it is done. */
const POLL = 25;

/** An append may take this many milliseconds until the list shows it. */
const LIST_LAG = 500;

/** How often to look at the list when a write may have been applied although nobody knows its IDs. */
const LOOKS = 2;

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

/** Keeps the conversation up to date with the ledger: writes what it lacks, removes what was taken out. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #writer: ConversationWriter;
  /** Something was left over the last time: another process may have written it meanwhile. */
  #leftOver = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    const { client, conversationId, ledger, lease, line, onSkipped } = options;
    const onFailed = (error: unknown): void => {
      // What was refused for now may be there all the same; what got no answer probably is, and may not show yet.
      if (isTransient(error)) line.looksDue = Math.max(line.looksDue, isAmbiguous(error) ? LOOKS : 1);
    };
    this.#writer = new ConversationWriter({ client, conversationId, ledger, lease, onFailed, onSkipped });
  }

  /**
   * Brings the conversation up to date as far as it can. Never rejects.
   *
   * @param untilFree waits as long as a process that died may hold the lease, not only as long as a turn should.
   * @returns how many changes are still pending.
   */
  push(untilFree = false): Promise<number> {
    const { line, ledger, reader } = this.#options;
    return line.queue.run(async () => {
      try {
        const isWhole = await this.#tries(untilFree ? this.#options.lease.patience : PATIENCE);
        const state = await ledger.tip();
        reader.unpin(state);
        const pending = pendingChanges(state);
        this.#leftOver = pending > 0;
        if (!isWhole) this.#options.onFailure(pending, 'the content of a pending item was not found');
        return pending;
      } catch (error) {
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
    const state = await this.#options.ledger.tip().catch(() => undefined);
    const pending = state === undefined ? 1 : Math.max(1, pendingChanges(state));
    this.#options.onFailure(pending, failureReason(error));
    return pending;
  }

  async #tries(patience: number): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#inTurn(patience);
      } catch (error) {
        const again = isTransient(error) && attempt < this.#options.client.maxRetries;
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
  async #inTurn(patience: number): Promise<boolean> {
    const { line, ledger, lease, now } = this.#options;
    const until = now() + patience;
    const isKnown = line.last === this && !this.#leftOver && lease.isHeld(await ledger.tip());
    if (!isKnown) await ledger.refreshTip();
    let isWhole = true;
    for (;;) {
      while (isWhole && pendingChanges(await ledger.tip()) > 0) {
        if (await lease.take()) isWhole = await this.#once();
        else if (now() < until) await sleep(POLL);
        else return true;
      }
      // Others leave to the holder what they append meanwhile: it goes only when nothing is left that it can write.
      const state = await ledger.commitTip((newest) =>
        isWhole && pendingChanges(newest) > 0 ? [] : lease.releaseSteps(newest),
      );
      if (!isWhole || pendingChanges(state) === 0) return isWhole;
    }
  }

  /** @returns false when the content of an item was not found. */
  async #once(): Promise<boolean> {
    const { ledger } = this.#options;
    await this.#look();
    const { unmirrored, removed } = await ledger.tip();
    const due = Array.from(unmirrored.values(), (entry): DueItem => ({ entry, commit: entry.commit }));
    const leaving = new Set([...removed].filter(([, isDue]) => isDue).map(([id]) => id));
    const prepared = await this.#prepare(due);
    const written = new Set(prepared.map(({ entry }) => entry.seq));
    // What is linked again by its ID has to leave its old place first, all else when its content is safe in the new one.
    await this.#writer.remove(new Set(prepared.flatMap(({ item }) => ('id' in item ? (item.id ?? []) : []))));
    // What leaves the list because of a later change may be the only place that has its content.
    if (await this.#writer.append(prepared)) await this.#writer.remove(leaving);
    // What was skipped is not due any longer.
    const { unmirrored: left } = await ledger.tip();
    return due.every(({ entry: { seq } }) => written.has(seq) || !left.has(seq));
  }

  /** What somebody else began to write, or this session without an answer, may be there already. */
  async #look(): Promise<void> {
    const { line, ledger, lease, look } = this.#options;
    if (lease.inherited) line.looksDue = LOOKS;
    lease.inherited = false;
    const isOwn = ({ commit }: LedgerEntry): boolean => ledger.originOf(commit) === 'own';
    const state = await ledger.tip();
    const isSure = line.looksDue === 0 && state.dropped.size === 0;
    if (isSure && [...state.unmirrored.values()].every((entry) => isOwn(entry))) return;
    await look();
    for (line.looksDue -= 1; line.looksDue > 0 && isOpen(await ledger.tip()); line.looksDue -= 1) {
      await sleep(LIST_LAG);
      await look();
    }
    line.looksDue = 0;
    await ledger.commitTip(({ dropped }) =>
      dropped.size === 0 ? [] : [{ type: 'mirror', added: [], removed: [], settled: true }],
    );
  }

  async #prepare(due: readonly DueItem[]): Promise<PreparedItem[]> {
    if (due.length === 0) return [];
    const { ledger, reader, converter } = this.#options;
    const isAtHand = due.every(({ entry }) => reader.holds(entry));
    const restored = await reader.restore(
      await (isAtHand ? ledger.tip() : ledger.state()),
      due.map(({ entry }) => entry),
    );
    const present = restored.flatMap(({ item }, index) => {
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

/** Whether there is anything that the list may turn out to hold. */
function isOpen({ unmirrored, dropped }: LedgerState): boolean {
  return unmirrored.size + dropped.size > 0;
}
