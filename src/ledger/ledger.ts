import { applyRecords } from './apply-records.ts';
import { CommitNames } from './commit-names.ts';
import { deletedAt } from './deleted-at.ts';
import { isObject } from './json.ts';
import type { LedgerDecision } from './ledger-decision.ts';
import type { LedgerHead, LedgerRecord, LedgerStep } from './ledger-record.ts';
import { emptyState, leavingOf, type LedgerState } from './ledger-state.ts';
import type { LedgerOptions } from './ledger-options.ts';
import { newsSince } from './news-since.ts';
import { nextHead } from './next-head.ts';
import { RecordReader } from './record-reader.ts';
import { SerialQueue } from './serial-queue.ts';
import { movedTo } from './session-move.ts';
import { staying } from './session-moved.ts';
import { stateAt } from './state-at.ts';
import { fitTip, isHeadOf, resolveBase, stateFrom, tipFrom } from './state-from-head.ts';
import { stampSteps } from './stamp-steps.ts';

/**
 * One session's ledger: its state in memory, and the appends that move it on. What only adds to the end needs no more than
 * the tip, of a size that does not grow with the session; the whole is one, too, and stays in memory until `release()`.
 */
export class Ledger {
  readonly sessionId: string;
  readonly #options: LedgerOptions;
  readonly #reader: RecordReader;
  readonly #queue = new SerialQueue();
  readonly #names: CommitNames;
  #state: LedgerState | undefined;
  /** What is known begins at a head. */
  #isTip = false;
  /** The record before the tip was not looked at yet: a damaged one must not be buried under new ones. */
  #isUnseen = false;

  constructor(options: LedgerOptions) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.#reader = new RecordReader(options);
    this.#names = new CommitNames(options.store);
  }

  /** About what the state takes in memory, in bytes. */
  get bytes(): number {
    return this.#state?.bytes ?? 0;
  }

  /** Who made the append of this name. */
  originOf(commit: string): ReturnType<CommitNames['originOf']> {
    return this.#names.originOf(commit);
  }

  /** The whole state, read from the store at first use. It changes in place with every append. */
  state(): Promise<LedgerState> {
    return this.#queue.run(() => this.#load());
  }

  /** The whole with what others have appended since. @throws SessionMoved when the session goes on elsewhere. */
  refresh(): Promise<LedgerState> {
    return this.#queue.run(async () => {
      const whole = this.#isTip ? undefined : this.#state;
      if (whole !== undefined && (await this.#catchUp(whole)) === undefined) this.#unload();
      return staying(this.sessionId, await this.#load());
    });
  }

  /** The newest state, or as it was when it had that version, as the records alone tell it; not kept. */
  at(version?: number): Promise<LedgerState> {
    return stateAt(this.#reader, version);
  }

  /** What is known of the newest part. */
  tip(): Promise<LedgerState> {
    const state = this.#queue.isIdle ? this.#state : undefined;
    return state === undefined ? this.#queue.run(() => this.#loadTip()) : Promise.resolve(state);
  }

  /** The same after a look whether other writers have appended since. */
  refreshTip(): Promise<LedgerState> {
    return this.#queue.run(async () => {
      const state = this.#state;
      const isOld = async (known: LedgerState): Promise<boolean> =>
        this.#isTip ? !isHeadOf(await this.#reader.head(), known) : !(await this.#catchUp(known));
      if (state !== undefined && (await isOld(state))) this.#unload();
      return staying(this.sessionId, await this.#loadTip());
    });
  }

  /**
   * Appends what `decide` says about the newest state, atomically; nothing when it says nothing.
   *
   * Resolves when it is durable. When another writer came first, its records are read and `decide` is asked again, so
   * that both stay. When the store's answer got lost, the ledger looks whether the append was applied before it gives up.
   *
   * @throws SessionMoved when the session goes on elsewhere: nothing is appended then.
   */
  commit(decide: LedgerDecision): Promise<LedgerState> {
    return this.#queue.run(() => this.#commit(() => this.#load(), decide));
  }

  /** The same where `decide` needs no more than the tip, and only adds to it. */
  commitTip(decide: LedgerDecision): Promise<LedgerState> {
    return this.#queue.run(() => this.#commit(() => this.#loadTip(), decide));
  }

  /** The newest state without what lies before the records, which may be impossible to read back; not kept. */
  async outline(): Promise<LedgerState> {
    return staying(this.sessionId, await this.at());
  }

  /** Appends that everything is gone, whatever it was and whether it can be read back or not. */
  clear(): Promise<LedgerState> {
    return this.#queue.run(() => {
      this.#unload();
      return this.#commit(
        () => this.at(),
        () => [{ type: 'clear' }],
      );
    });
  }

  /** Forgets the session in the store. @returns false when it was no longer at that version: then it is still there. */
  delete(version: number): Promise<boolean> {
    return this.#queue.run(async () => {
      this.#unload();
      return deletedAt(this.#options.store, this.sessionId, version);
    });
  }

  /** Lets go of what is in memory; it is read again when it is needed. */
  release(): Promise<void> {
    return this.#queue.run(async () => this.#unload());
  }

  #unload(): void {
    this.#state = undefined;
    this.#isTip = false;
  }

  async #commit(load: () => Promise<LedgerState>, decide: LedgerDecision): Promise<LedgerState> {
    const commit = this.#names.next();
    for (;;) {
      const state = staying(this.sessionId, await load());
      const decided = decide(state);
      if (decided.length === 0) return state;
      if (this.#isUnseen && !(await this.#seePrevious(state))) continue;
      const position = this.#reader.damaged;
      const steps: readonly LedgerStep[] =
        position === undefined ? decided : [{ type: 'repair', position }, ...decided];
      const stamp = { commit, time: this.#options.now() };
      const records = stampSteps(steps, stamp, this.sessionId, state.version);
      if (await this.#append(state, records, commit)) return load();
      this.#options.onConflict?.(state.version);
    }
  }

  /** @returns false when another writer came first; the state then includes what it wrote. */
  async #append(state: LedgerState, records: readonly LedgerRecord[], commit: string): Promise<boolean> {
    const expected = state.version;
    const { leaving, ...rest } = nextHead(state, records);
    const head = this.#options.isMirrored === false ? rest : { ...rest, ...leavingOf(leaving) };
    try {
      await this.#options.store.append(this.sessionId, records, head, expected);
      this.#apply(state, records);
      this.#reader.repaired();
      if (this.#isTip) this.#shorten(head);
      return true;
    } catch (error) {
      // Whatever went wrong, it may have been applied: only the store can tell.
      let found: readonly LedgerRecord[] | undefined;
      try {
        found = await this.#catchUp(state);
      } catch {
        this.#unload();
        throw error;
      }
      if (found?.some((record) => record.commit === commit) === true) return true;
      if (found === undefined) this.#unload();
      const isMoved = this.#state !== state || state.version > expected;
      if (isMoved && isObject(error) && error['code'] === 'ledger_conflict') return false;
      throw error;
    }
  }

  async #load(): Promise<LedgerState> {
    if (this.#state !== undefined && !this.#isTip) return this.#state;
    const { base, records } = await this.#reader.read(0);
    const state = base === undefined ? emptyState() : stateFrom(base);
    // What was left behind is not read back.
    const isHere = base !== undefined && movedTo(base.move) === undefined;
    if (isHere && this.#options.readBase !== undefined) {
      resolveBase(state, await this.#options.readBase(base));
    }
    applyRecords(state, records);
    this.#isTip = false;
    this.#isUnseen = false;
    this.#state = state;
    return state;
  }

  async #loadTip(): Promise<LedgerState> {
    if (this.#state !== undefined) return this.#state;
    const head = await this.#reader.head();
    const tip = head === undefined ? undefined : this.#tipFrom(head);
    if (tip === undefined) return this.#load();
    this.#state = tip;
    this.#isTip = true;
    this.#isUnseen = true;
    return tip;
  }

  /** @returns undefined where the conversation may lack something, so that it has to be known what. */
  #tipFrom(head: LedgerHead): LedgerState | undefined {
    const { isMirrored = true } = this.#options;
    return isMirrored && head.tip?.pending !== 0 ? undefined : tipFrom(head);
  }

  /** What was appended to a tip is in the store: where nothing is left to do with it, it need not stay in memory. */
  #shorten(head: LedgerHead): void {
    // What the conversation will never hold may be held by nothing but this process.
    const isHeld = this.#state?.entries.every(
      ({ skipped, item }) => skipped === undefined || item !== undefined,
    );
    if (isHeld === true) this.#state = this.#tipFrom(head) ?? this.#state;
  }

  /** @returns false when what lies before the tip is not what it should be: then the whole was read. */
  async #seePrevious(state: LedgerState): Promise<boolean> {
    this.#isUnseen = false;
    const page = await this.#reader.read(state.version - 1);
    const isThere = page.base !== undefined || page.records[0]?.commit === state.newest;
    if (isThere && this.#reader.damaged === undefined) return true;
    this.#unload();
    await this.#load();
    return false;
  }

  /** Applies what was appended since. @returns undefined when the ledger is another one than it was. */
  async #catchUp(state: LedgerState): Promise<readonly LedgerRecord[] | undefined> {
    const news = await newsSince(this.#reader, state);
    if (news !== undefined) this.#apply(state, news);
    return news;
  }

  #apply(state: LedgerState, records: readonly LedgerRecord[]): void {
    // What lies before a tip and changes is not known: the next one who asks reads it.
    if (this.#isTip && !fitTip(state, records)) this.#unload();
    else applyRecords(state, records);
  }
}
