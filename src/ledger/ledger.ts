import { isObject } from './json.ts';
import { LEDGER_FORMAT, parseRecord, type LedgerRecord, type LedgerStep } from './ledger-record.ts';
import { applyRecords, emptyState, type LedgerState } from './ledger-state.ts';
import type { LedgerStore } from './ledger-store.ts';
import { nextHead } from './next-head.ts';
import { SerialQueue } from './serial-queue.ts';

/** What a ledger needs besides its store. */
export interface LedgerOptions {
  readonly store: LedgerStore;
  readonly sessionId: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Called after another writer's records were read in the middle of an append. */
  readonly onConflict?: (version: number) => void;
}

/** Decides what to append, from the newest state; asked again when another writer came first. */
export type LedgerDecision = (state: LedgerState) => readonly LedgerStep[];

/** One session's ledger: its state in memory, and the appends that move it on. */
export class Ledger {
  readonly sessionId: string;
  readonly #options: LedgerOptions;
  readonly #queue = new SerialQueue();
  #state: LedgerState | undefined;

  constructor(options: LedgerOptions) {
    this.sessionId = options.sessionId;
    this.#options = options;
  }

  /** The state, read from the store at first use. It changes in place with every append. */
  state(): Promise<LedgerState> {
    return this.#queue.run(() => this.#load());
  }

  /** The state after reading what other writers have appended since. */
  refresh(): Promise<LedgerState> {
    return this.#queue.run(async () => {
      const state = await this.#load();
      await this.#catchUp(state);
      return state;
    });
  }

  /**
   * Appends what `decide` says about the newest state, atomically; nothing when it says nothing.
   *
   * Resolves when it is durable. When another writer came first, its records are read and `decide` is asked again, so
   * that both stay. When the store's answer got lost, the ledger looks whether the append was applied before it gives up.
   */
  commit(decide: LedgerDecision): Promise<LedgerState> {
    return this.#queue.run(async () => {
      const commit = globalThis.crypto.randomUUID();
      for (;;) {
        const state = await this.#load();
        const steps = decide(state);
        if (steps.length === 0) return state;
        const stamp = { v: LEDGER_FORMAT, commit, time: this.#options.now() } as const;
        const records = steps.map((step): LedgerRecord => ({ ...stamp, ...step }));
        if (await this.#append(state, records, commit)) return state;
        this.#options.onConflict?.(state.version);
      }
    });
  }

  /** Forgets the session in the store. */
  delete(): Promise<void> {
    return this.#queue.run(async () => {
      await this.#options.store.delete(this.sessionId);
      this.#state = undefined;
    });
  }

  /** @returns false when another writer came first; the state then includes what it wrote. */
  async #append(state: LedgerState, records: readonly LedgerRecord[], commit: string): Promise<boolean> {
    const expected = state.version;
    try {
      await this.#options.store.append(this.sessionId, records, nextHead(state, records), expected);
      applyRecords(state, records);
      return true;
    } catch (error) {
      // Whatever went wrong, it may have been applied: only the store can tell.
      let found: readonly LedgerRecord[];
      try {
        found = await this.#catchUp(state);
      } catch {
        this.#state = undefined;
        throw error;
      }
      if (found.some((record) => record.commit === commit)) return true;
      if (isConflict(error) && found.length > 0) return false;
      if (isConflict(error)) this.#state = undefined;
      throw error;
    }
  }

  async #load(): Promise<LedgerState> {
    if (this.#state !== undefined) return this.#state;
    const state = emptyState();
    await this.#catchUp(state);
    this.#state = state;
    return state;
  }

  async #catchUp(state: LedgerState): Promise<readonly LedgerRecord[]> {
    const from = state.version;
    const page = await this.#options.store.read(this.sessionId, from);
    const records = page.records.map((record, index) => parseRecord(record, this.sessionId, from + index));
    applyRecords(state, records);
    return records;
  }
}

function isConflict(error: unknown): boolean {
  return isObject(error) && error['code'] === 'ledger_conflict';
}
