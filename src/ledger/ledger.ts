import { LedgerRecordError } from '../errors/ledger-record-error.ts';
import { applyRecords, resolveBase, stateFrom } from './apply-records.ts';
import { isObject } from './json.ts';
import {
  LEDGER_FORMAT,
  parseHead,
  parseRecord,
  type LedgerHead,
  type LedgerRecord,
  type LedgerStep,
} from './ledger-record.ts';
import { digestOf, emptyState, type LedgerState } from './ledger-state.ts';
import type { LedgerPage, LedgerStore } from './ledger-store.ts';
import { nextHead } from './next-head.ts';
import type { RestoredBase } from './restored-base.ts';
import { SerialQueue } from './serial-queue.ts';
import { placeOf } from './store-place.ts';

/** What a ledger needs besides its store. */
export interface LedgerOptions {
  readonly store: LedgerStore;
  readonly sessionId: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Reads back what lies before the records, where the store keeps no beginning. */
  readonly readBase?: (base: LedgerHead) => Promise<RestoredBase>;
  /** Called when the newest record is damaged: what it said is lost, and everything else is not. */
  readonly onDamaged?: (position: number) => void;
  /** Called after another writer's records were read in the middle of an append. */
  readonly onConflict?: (version: number) => void;
}

/** Decides what to append, from the newest state; asked again when another writer came first. */
export type LedgerDecision = (state: LedgerState) => readonly LedgerStep[];

/** Who made an append: this ledger, another one on the same store in this process, or somebody in another process. */
export type Origin = 'own' | 'here' | 'elsewhere';

/** One session's ledger: its state in memory, and the appends that move it on. */
export class Ledger {
  readonly sessionId: string;
  readonly #options: LedgerOptions;
  readonly #queue = new SerialQueue();
  readonly #place: string;
  readonly #writer: string;
  #state: LedgerState | undefined;
  /** The append that the newest record known belongs to. */
  #newest: string | undefined;
  /** The damaged record at the end, until the next append says that it is passed over. */
  #damaged: number | undefined;

  constructor(options: LedgerOptions) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.#place = placeOf(options.store);
    this.#writer = `${this.#place}${globalThis.crypto.randomUUID().slice(0, 8)}/`;
  }

  /** Who made the append of this name. */
  originOf(commit: string): Origin {
    if (commit.startsWith(this.#writer)) return 'own';
    return commit.startsWith(this.#place) ? 'here' : 'elsewhere';
  }

  /** The state, read from the store at first use. It changes in place with every append. */
  state(): Promise<LedgerState> {
    return this.#queue.run(() => this.#load());
  }

  /** The state after reading what other writers have appended since; a new one when the ledger was deleted meanwhile. */
  refresh(): Promise<LedgerState> {
    return this.#queue.run(async () => {
      if (this.#state !== undefined && (await this.#catchUp(this.#state)) === undefined) this.#forget();
      return this.#load();
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
      const commit = `${this.#writer}${globalThis.crypto.randomUUID()}`;
      for (;;) {
        const state = await this.#load();
        const decided = decide(state);
        if (decided.length === 0) return state;
        const position = this.#damaged;
        const steps: readonly LedgerStep[] =
          position === undefined ? decided : [{ type: 'repair', position }, ...decided];
        const stamp = { v: LEDGER_FORMAT, commit, time: this.#options.now() } as const;
        // What could not be read again must not be written: it would take everything behind it along.
        const records = steps.map((step, index) =>
          parseRecord({ ...stamp, ...step }, this.sessionId, state.version + index),
        );
        if (await this.#append(state, records, commit)) return state;
        this.#options.onConflict?.(state.version);
      }
    });
  }

  /** Forgets the session in the store. */
  delete(): Promise<void> {
    return this.#queue.run(async () => {
      await this.#options.store.delete(this.sessionId);
      this.#forget();
    });
  }

  /** @returns false when another writer came first; the state then includes what it wrote. */
  async #append(state: LedgerState, records: readonly LedgerRecord[], commit: string): Promise<boolean> {
    const expected = state.version;
    try {
      await this.#options.store.append(this.sessionId, records, nextHead(state, records), expected);
      this.#apply(state, records);
      this.#damaged = undefined;
      return true;
    } catch (error) {
      // Whatever went wrong, it may have been applied: only the store can tell.
      let found: readonly LedgerRecord[] | undefined;
      try {
        found = await this.#catchUp(state);
      } catch {
        this.#forget();
        throw error;
      }
      if (found?.some((record) => record.commit === commit) === true) return true;
      const deleted = found === undefined;
      if (deleted) this.#forget();
      if (isConflict(error) && (deleted || state.version > expected)) return false;
      throw error;
    }
  }

  async #load(): Promise<LedgerState> {
    if (this.#state !== undefined) return this.#state;
    const page = await this.#read(0);
    const base = page.base === undefined ? undefined : parseHead(page.base, this.sessionId);
    const state = base === undefined ? emptyState() : stateFrom(base);
    if (base !== undefined && this.#options.readBase !== undefined) {
      resolveBase(state, await this.#options.readBase(base));
    }
    this.#apply(state, page.records);
    this.#state = state;
    return state;
  }

  /**
   * Applies what was appended since.
   *
   * The newest record known is read once more: when it is no longer there, the ledger was deleted, and what it said
   * must not be served any longer.
   *
   * @returns undefined when the ledger is another one than it was.
   */
  async #catchUp(state: LedgerState): Promise<readonly LedgerRecord[] | undefined> {
    const known = Math.min(1, state.version);
    const from = state.version - known;
    const page = await this.#read(from);
    if (page.base !== undefined && page.base.version >= state.version) {
      // The store keeps no beginning: all it can say is whether anything happened.
      const isSame = page.base.version === state.version && page.base.digest === digestOf(state);
      return isSame && page.records.length === 0 ? [] : undefined;
    }
    const { records } = page;
    if (known === 1 && records[0]?.commit !== this.#newest) return undefined;
    const news = records.slice(known);
    this.#apply(state, news);
    return news;
  }

  /** @throws LedgerRecordError for a record that cannot be read, unless it is the newest one. */
  async #read(from: number): Promise<LedgerPage> {
    try {
      return await this.#fetch(from);
    } catch (error) {
      const position = damagedPosition(error);
      if (position === undefined || position < from) throw error;
      const before = await this.#fetch(from, position);
      const after = await this.#fetch(position + 1);
      const isKnown = after.records.some(
        (record) => record.type === 'repair' && record.position === position,
      );
      if (after.records.length > 0 && !isKnown) throw error;
      if (!isKnown && this.#damaged !== position) {
        this.#damaged = position;
        this.#options.onDamaged?.(position);
      }
      return { ...before, records: [...before.records, passedOver(position), ...after.records] };
    }
  }

  async #fetch(from: number, to?: number): Promise<LedgerPage> {
    const page: unknown = await this.#options.store.read(this.sessionId, from, to);
    if (!isPage(page))
      throw new LedgerRecordError(this.sessionId, undefined, 'damaged', 'the store gave no records');
    const start = page.base === undefined ? from : page.base.version;
    const records = page.records.map((record, index) => parseRecord(record, this.sessionId, start + index));
    return { ...page, records };
  }

  #apply(state: LedgerState, records: readonly LedgerRecord[]): void {
    applyRecords(state, records);
    this.#newest = records.at(-1)?.commit ?? this.#newest;
  }

  #forget(): void {
    this.#state = undefined;
    this.#newest = undefined;
  }
}

/** Stands where a record cannot be read; it changes nothing. */
function passedOver(position: number): LedgerRecord {
  return { v: LEDGER_FORMAT, commit: '', time: 0, type: 'repair', position };
}

function isPage(value: unknown): value is LedgerPage {
  return isObject(value) && Array.isArray(value['records']);
}

function damagedPosition(error: unknown): number | undefined {
  if (!isObject(error) || error['code'] !== 'ledger_record' || error['reason'] !== 'damaged')
    return undefined;
  return typeof error['position'] === 'number' ? error['position'] : undefined;
}

function isConflict(error: unknown): boolean {
  return isObject(error) && error['code'] === 'ledger_conflict';
}
