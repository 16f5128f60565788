import { clock } from '../util/clock.ts';
import { applyRecords } from './reducer.ts';
import { CommitIds, stampSteps } from './commit-id.ts';
import {
  deleteIfUnchanged,
  resolveOutcome,
  type Retry,
  isConflict,
  isPermanent,
  isUnreadable,
  keepsNothing,
  staysBehind,
} from './retry.ts';
import { KeptAppends, holdsCommit, readNewRecords, type NewRecords } from './loss/kept-appends.ts';
import {
  forget,
  knownLedger,
  noteUnresolved,
  takeUnresolved,
  type KnownLedger,
  isUnrecorded,
  type Rewind,
} from './loss/rewind.ts';
import type { Checkpoint, LedgerRecord, LedgerStep } from './record.ts';
import type { LedgerState } from './state.ts';
import type { LedgerPage, LedgerStore } from './store.ts';
import { markRewound, skipTo } from './mutable-state.ts';
import { fitsTail, isCheckpointOf, SCOPES, seenState, tailState, type LedgerScope } from './checkpoint.ts';
import { RecordReader, stateAt, stateBefore } from './record-reader.ts';
import { plannedWrite } from './rewrite.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { namingSteps, requireAttached, type AttachedConversation } from './attached-conversation.ts';

type Load = () => Promise<LedgerState>;

/** So often in one operation a store may lose records before it counts as one that keeps none. */
const MAX_LOSSES = 3;

/**
 * One session's ledger: its state in memory, and its appends.
 *
 * Appends only need the tail, whose size is constant. The full state is loaded on demand and kept until `release()`.
 */
export class Ledger {
  readonly sessionId: string;
  readonly #options: LedgerOptions;
  readonly #isMirrored: boolean;
  readonly #reader: RecordReader;
  readonly #queue = new SerialQueue();
  readonly #commitIds: CommitIds;
  readonly #known: KnownLedger;
  readonly #kept: KeptAppends;
  /** The loss of records after which the kept ones were appended again. */
  #recovered: Rewind | undefined;
  #state: LedgerState | undefined;
  /** The part of the history that the state holds. */
  #scope: LedgerScope = 'all';
  /** The record before the tail was not read yet. No append may follow a damaged one. */
  #isUnseen = false;

  constructor(options: LedgerOptions) {
    this.sessionId = options.sessionId;
    this.#options = options;
    this.#isMirrored = options.isMirrored ?? true;
    this.#commitIds = new CommitIds(options.store, options.imports);
    this.#known = knownLedger(options.store, options.sessionId);
    this.#recovered = this.#known.rewind;
    const known = options.onRewound === undefined ? undefined : this.#known;
    this.#kept = new KeptAppends(known, options.conversationId);
    this.#reader = new RecordReader({ ...options, known });
  }

  /** The memory that the state takes, in bytes, approximately. */
  get bytes(): number {
    return (this.#state?.bytes ?? 0) + this.#kept.bytes;
  }

  /** The state in memory; undefined while it has to be read. */
  get loaded(): LedgerState | undefined {
    return this.#state;
  }

  /** The checkpoint that the caller has just read, as the store gave it. It counts as read by the first fresh read. */
  set justRead(checkpoint: Checkpoint | undefined) {
    this.#reader.justRead = checkpoint;
  }

  writerOf(commit: string): ReturnType<CommitIds['writerOf']> {
    return this.#commitIds.writerOf(commit);
  }

  /**
   * The state that this process knows, read from the store at first use. It changes in place with every append.
   *
   * @param options.scope the part that has to be known. Default `all`.
   * @param options.fresh whether records that other writers have appended since are read. Default false.
   * @throws ConversationReplaced for a fresh read when the session has another conversation.
   */
  read({ scope = 'all', fresh = false }: LedgerRead = {}): Promise<LedgerState> {
    if (fresh) return this.#queue.run(() => this.#refresh(scope));
    const state = scope === 'tail' && this.#queue.isIdle ? this.#state : undefined;
    return state === undefined ? this.#queue.run(() => this.#load(scope)) : Promise.resolve(state);
  }

  /** The newest state, or the state at an earlier version, from the records alone. It is not kept. */
  readAt(version?: number): Promise<LedgerState> {
    return stateAt(this.#reader, version);
  }

  /**
   * Appends the steps that `decide` returns for the newest state, atomically; nothing when it returns none.
   *
   * Resolves when it is durable. When another writer came first, its records are read and `decide` is asked again. When the store's
   * response was lost, the same records are appended again if they are missing; so are those of an equal append that was given up.
   *
   * @param options.scope the part of the state that `decide` needs; with `tail` it only adds to the end. Default `all`.
   * @throws ConversationReplaced when the session has another conversation: nothing is appended then.
   */
  append(decide: LedgerDecision, { scope = 'all' }: Pick<LedgerRead, 'scope'> = {}): Promise<LedgerState> {
    const load = (): Promise<LedgerState> => this.#recovering(() => this.#load(scope));
    return this.#queue.run(() => this.#appendDecided(load, decide));
  }

  /** Appends a `clear` record, whether or not the earlier items can be read back. */
  clear(): Promise<LedgerState> {
    return this.#queue.run(() => {
      this.#unload();
      const load = (): Promise<LedgerState> => this.#recovering(() => this.readAt());
      return this.#appendDecided(load, () => [{ type: 'clear' }]);
    });
  }

  /** Forgets the session in the store. @returns false when it was no longer at that version: then it is still there. */
  delete(version: number): Promise<boolean> {
    return this.#queue.run(async () => {
      this.#unload();
      const isDeleted = await deleteIfUnchanged(this.#options.store, this.sessionId, version);
      if (isDeleted) forget(this.#known);
      return isDeleted;
    });
  }

  /** Frees the memory. The state is read again on demand. */
  release(): Promise<void> {
    return this.#queue.run(async () => {
      this.#unload();
      this.#kept.clear();
    });
  }

  #unload(): void {
    this.#state = undefined;
    this.#scope = 'all';
  }

  #attached(state: LedgerState): LedgerState {
    return requireAttached(state, this.sessionId, this.#options.conversationId);
  }

  async #appendDecided(load: Load, decide: LedgerDecision, isAgain = false): Promise<LedgerState> {
    const retry = this.#reader.retry();
    let commit = this.#commitIds.next();
    for (;;) {
      const found = await load();
      const state = isAgain ? found : this.#attached(found);
      this.justRead = undefined;
      const decided = decide(state);
      if (decided.length === 0) return state;
      const givenUp = takeUnresolved(this.#known, decided);
      if (givenUp !== undefined) {
        commit = givenUp.commit;
        if (holdsCommit(await this.#reader.read(givenUp.expected), commit)) {
          this.#unload();
          return load();
        }
      }
      if (this.#isUnseen && !(await this.#seePrevious(state))) continue;
      const position = this.#reader.damaged;
      const { rewind } = this.#known;
      const steps: readonly LedgerStep[] = [
        ...(position === undefined ? [] : [{ type: 'repair', position } as const]),
        ...(isUnrecorded(rewind) ? [{ type: 'rewound' } as const] : []),
        ...(isAgain ? [] : namingSteps(state, this.#options.conversationId)),
        ...decided,
      ];
      const stamp = { commit, time: (this.#options.now ?? clock.now)() };
      const records = stampSteps(steps, stamp, this.sessionId, state.version);
      if (await this.#appendRecords(state, records, retry)) {
        if (rewind !== undefined) rewind.isRecorded = true;
        return load();
      }
      this.#options.onConflict?.(state.version);
    }
  }

  /**
   * Appends the records; where they take items out of the history, the log is rewritten without these.
   *
   * @returns false when another writer came first: these records can no longer be applied, and the state includes its records.
   */
  async #appendRecords(state: LedgerState, records: readonly LedgerRecord[], retry: Retry): Promise<boolean> {
    const expected = state.version;
    const commit = records[0]?.commit ?? '';
    const planned = plannedWrite(state, records);
    const { checkpoint } = planned;
    const { store } = this.#options;
    const write = async (): Promise<void> => {
      if (planned.isRewrite) await store.rewrite(this.sessionId, planned.records, checkpoint, expected);
      else await store.append(this.sessionId, records, checkpoint, expected);
      if (planned.isRewrite) this.#kept.clear();
      this.#kept.note(state, records, checkpoint);
      this.#apply(state, records);
      if (planned.isRewrite) skipTo(state, checkpoint.version);
      this.#reader.repaired();
      if (this.#scope === 'tail') this.#shorten(checkpoint);
    };
    const wasApplied = async (error: unknown): Promise<boolean> => {
      let news: NewRecords;
      try {
        news = await this.#catchUp(state, retry);
      } catch (unread) {
        this.#unload();
        noteUnresolved(this.#known, records, { commit, expected });
        // A conflict is handled by reading the other writer's records: where these are damaged, that is the failure.
        throw isConflict(error) && isUnreadable(unread) ? unread : error;
      }
      if (!news.continues) this.#unload();
      return holdsCommit(news, commit);
    };
    for (;;) {
      const failure = await resolveOutcome(write, wasApplied);
      if (failure === undefined) return true;
      const { error } = failure;
      if (isPermanent(error)) throw error;
      const isMoved = this.#state !== state || state.version > expected;
      if (isMoved && isConflict(error)) return false;
      if (!(await retry.pause())) {
        if (!isMoved) noteUnresolved(this.#known, records, { commit, expected });
        throw isConflict(error) ? staysBehind(this.sessionId, error) : error;
      }
      if (isMoved) return false;
    }
  }

  /** Loads, and appends again the records that the store has lost and this ledger still has. */
  async #recovering(load: Load): Promise<LedgerState> {
    for (let losses = 0; ; losses += 1) {
      const state = await load();
      const { rewind } = this.#known;
      if (rewind === this.#recovered) return state;
      if (losses === MAX_LOSSES) throw keepsNothing(this.sessionId);
      const before = this.#recovered;
      this.#recovered = rewind;
      this.#unload();
      // It may have been erased by another process: nothing of it is written again.
      if (rewind === undefined || rewind.version === 0) this.#kept.clear();
      else
        await this.#recover(rewind).catch((error: unknown) => {
          this.#recovered = before;
          throw error;
        });
    }
  }

  async #recover(rewind: Rewind): Promise<void> {
    let log: LedgerPage = { records: [] };
    const load: Load = async () => {
      const state = await this.#loadAll();
      log = await this.#reader.read(0);
      return state;
    };
    await this.#appendDecided(load, (state) => this.#kept.stepsFor(log, rewind, state), true);
    this.#kept.recovered();
    rewind.isRecorded = true;
  }

  #load(scope: LedgerScope): Promise<LedgerState> {
    if (scope === 'tail') return this.#loadTail();
    return scope === 'seen' ? this.#loadSeen() : this.#loadAll();
  }

  async #refresh(scope: LedgerScope): Promise<LedgerState> {
    const state = this.#state;
    // A read of more replaces a part.
    const isUsed = state !== undefined && SCOPES.indexOf(this.#scope) >= SCOPES.indexOf(scope);
    try {
      if (isUsed && !(await this.#continues(state))) this.#unload();
      return this.#attached(await this.#recovering(() => this.#load(scope)));
    } finally {
      this.justRead = undefined;
    }
  }

  /** Whether the store still has the records of the state. Newer records are applied to it, unless it is a tail. */
  async #continues(state: LedgerState): Promise<boolean> {
    if (this.#scope === 'tail') return isCheckpointOf(await this.#reader.checkpoint(), state);
    return (await this.#catchUp(state)).continues;
  }

  async #loadAll(): Promise<LedgerState> {
    if (this.#state !== undefined && this.#scope === 'all') return this.#state;
    const page = await this.#reader.read(0);
    const state = stateBefore(page);
    applyRecords(state, page.records);
    if (isUnrecorded(this.#known.rewind)) markRewound(state);
    return this.#hold(state, 'all');
  }

  /** Loads the part that a model sees, if the checkpoint says where it begins and the conversation lacks nothing before it. */
  async #loadSeen(): Promise<LedgerState> {
    if (this.#state !== undefined && this.#scope !== 'tail') return this.#state;
    const checkpoint = await this.#reader.checkpoint();
    if (checkpoint?.seen?.begins === undefined || isUnrecorded(this.#known.rewind)) return this.#loadAll();
    const page = await this.#reader.read(checkpoint.seen.begins.at);
    const state = seenState(checkpoint, page, this.#isMirrored);
    return state === undefined ? this.#loadAll() : this.#hold(state, 'seen');
  }

  async #loadTail(): Promise<LedgerState> {
    if (this.#state !== undefined) return this.#state;
    const checkpoint = await this.#reader.checkpoint();
    const tail = checkpoint === undefined ? undefined : this.#tailFrom(checkpoint);
    return tail === undefined ? this.#loadAll() : this.#hold(tail, 'tail');
  }

  #hold(state: LedgerState, scope: LedgerScope): LedgerState {
    this.#state = state;
    this.#scope = scope;
    this.#isUnseen = scope === 'tail';
    return state;
  }

  /** @returns undefined if the conversation may lack items, because the tail does not know which. */
  #tailFrom(checkpoint: Checkpoint): LedgerState | undefined {
    const isPending = this.#isMirrored && checkpoint.resumePoint?.pending !== 0;
    return isPending ? undefined : tailState(checkpoint);
  }

  /** Frees the entries of a tail: they are in the store. */
  #shorten(checkpoint: Checkpoint): void {
    // The content of an item that the conversation skips may be in this process only.
    const isHeld = this.#state?.entries.every(
      ({ skipped, item }) => skipped === undefined || item !== undefined,
    );
    if (isHeld === true) this.#state = this.#tailFrom(checkpoint) ?? this.#state;
  }

  /** @returns false if the record before the tail is another one than expected: then all records were read. */
  async #seePrevious(state: LedgerState): Promise<boolean> {
    this.#isUnseen = false;
    const page = await this.#reader.read(state.version - 1);
    const isThere = page.records[0]?.commit === state.newest;
    if (isThere && this.#reader.damaged === undefined) return true;
    this.#unload();
    await this.#loadAll();
    return false;
  }

  /** Applies the newer records, if the store still has the state's own. */
  async #catchUp(state: LedgerState, retry?: Retry): Promise<NewRecords> {
    const news = await readNewRecords(this.#reader, state, retry);
    if (news.continues) this.#apply(state, news.records);
    return news;
  }

  #apply(state: LedgerState, records: readonly LedgerRecord[]): void {
    // Records that change entries before the tail cannot be applied: the next read loads the ledger.
    if (this.#scope !== 'all' && !fitsTail(state, records)) this.#unload();
    else applyRecords(state, records);
  }
}

/** How the state is read. */
export interface LedgerRead {
  readonly scope?: LedgerScope;
  readonly fresh?: boolean;
}

export interface LedgerOptions {
  readonly store: LedgerStore;
  readonly sessionId: string;
  /** Milliseconds since the epoch. Default: the clock. */
  readonly now?: () => number;
  /** How long a store that fails, or whose response was lost, is asked again, in milliseconds. Default 5 seconds. */
  readonly retry?: number;
  readonly conversationId?: AttachedConversation;
  /** Whether a conversation is kept up to date: then its pending items have to be known. Default true. */
  readonly isMirrored?: boolean;
  /** Whether the appends import items. Default false. */
  readonly imports?: boolean;
  /** Called if the newest record is damaged. Its content is lost; all other records are intact. */
  readonly onDamaged?: (position: number) => void;
  /** Called when the store has lost records of the session, with the version that is left; without it nothing is compared. */
  readonly onRewound?: (version: number) => void;
  /** Called after another writer's records were read in the middle of an append. */
  readonly onConflict?: (version: number) => void;
}

/** Decides the steps to append, from the newest state; asked again when another writer came first. */
export type LedgerDecision = (state: LedgerState) => readonly LedgerStep[];
