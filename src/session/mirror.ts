import type OpenAI from 'openai';
import { isTransient } from '../history/api-error.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import type { ItemConverter } from '../history/item-converter.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import { ConversationWriter, type PreparedItem } from './conversation-writer.ts';
import { failureReason } from './failure-reason.ts';
import type { MirrorLine } from './mirror-line.ts';
import { retryDelay } from './retry-delay.ts';
import { sleep } from './sleep.ts';

/** What another process has not written after this many milliseconds, it will not write any more. */
const ABANDONED_AFTER = 60_000;

/** An append may take this many milliseconds until the list shows it. */
const LIST_LAG = 500;

/** What a mirror needs. */
export interface MirrorOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly converter: ItemConverter;
  readonly line: MirrorLine;
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
    const { client, conversationId, ledger, line, onSkipped } = options;
    const onDoubt = (): void => {
      line.doubtful = true;
    };
    this.#writer = new ConversationWriter({ client, conversationId, ledger, onDoubt, onSkipped });
  }

  /**
   * Brings the conversation up to date as far as it can. Never rejects.
   *
   * @param takeOver also writes what another process appended a moment ago and is probably writing itself.
   * @returns how many changes are still pending.
   */
  push(takeOver = false): Promise<number> {
    const { line, ledger, reader } = this.#options;
    return line.queue.run(async () => {
      try {
        const isWhole = await this.#tries(takeOver);
        const state = await ledger.state();
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

  /** Resolves when no session of this process is writing. */
  idle(): Promise<void> {
    return this.#options.line.queue.run(async () => undefined);
  }

  /** The items are safe in the ledger: a run that the model has answered does not fail for the mirror's sake. */
  async #giveUp(error: unknown): Promise<number> {
    this.#leftOver = true;
    const state = await this.#options.ledger.state().catch(() => undefined);
    const pending = state === undefined ? 1 : Math.max(1, pendingChanges(state));
    this.#options.onFailure(pending, failureReason(error));
    return pending;
  }

  async #tries(takeOver: boolean): Promise<boolean> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#once(takeOver);
      } catch (error) {
        const again = isTransient(error) && attempt < this.#options.client.maxRetries;
        const delay = again ? retryDelay(error, attempt) : undefined;
        if (delay === undefined) throw error;
        await sleep(delay);
      }
    }
  }

  /** @returns false when the content of an item was not found. */
  async #once(takeOver: boolean): Promise<boolean> {
    const { line, ledger } = this.#options;
    const isKnown = line.last === this && !this.#leftOver;
    const state = isKnown ? await ledger.state() : await ledger.refresh();
    if (this.#due(state, takeOver).length > 0) await this.#look(takeOver);
    const due = this.#due(await ledger.state(), takeOver);
    const prepared = await this.#prepare(due);
    const written = new Set(prepared.map(({ entry }) => entry.seq));
    // What is linked again by its ID has to leave its old place first, all else when its content is safe in the new one.
    await this.#writer.remove(new Set(prepared.flatMap(({ item }) => ('id' in item ? (item.id ?? []) : []))));
    await this.#writer.append(prepared);
    await this.#writer.remove();
    return due.every(({ seq, skipped }) => skipped !== undefined || written.has(seq));
  }

  /** What is to be written now, in the order of the history. */
  #due(state: LedgerState, takeOver: boolean): LedgerEntry[] {
    const { ledger, now } = this.#options;
    return [...state.unmirrored.values()].filter(
      ({ commit, due }) =>
        takeOver || ledger.originOf(commit) !== 'elsewhere' || now() - due > ABANDONED_AFTER,
    );
  }

  /** What somebody else began to write, or this session without an answer, may be there already. */
  async #look(takeOver: boolean): Promise<void> {
    const { line, ledger, look } = this.#options;
    const isOwn = (entry: LedgerEntry): boolean => ledger.originOf(entry.commit) === 'own';
    if (!line.doubtful && this.#due(await ledger.state(), takeOver).every((entry) => isOwn(entry))) return;
    await look();
    if (line.doubtful && this.#due(await ledger.state(), takeOver).length > 0) {
      await sleep(LIST_LAG);
      await look();
    }
    line.doubtful = false;
  }

  async #prepare(entries: readonly LedgerEntry[]): Promise<PreparedItem[]> {
    if (entries.length === 0) return [];
    const { ledger, reader, converter } = this.#options;
    const restored = await reader.restore(await ledger.state(), entries);
    const present = restored.flatMap(({ entry, item }) => (item === undefined ? [] : [{ entry, item }]));
    const forms = await converter.toApiItems(present.map(({ item }) => item));
    const prepared: PreparedItem[] = [];
    for (const [index, form] of forms.entries()) {
      const entry = present[index]?.entry;
      if (entry === undefined) continue;
      if ('item' in form) prepared.push({ entry, item: form.item });
      else await this.#writer.skip(entry, form.unsupported);
    }
    return prepared;
  }
}

/** How many changes the conversation does not have yet. */
export function pendingChanges(state: LedgerState): number {
  let pending = state.unmirrored.size;
  for (const waiting of state.removed.values()) if (waiting) pending += 1;
  return pending;
}
