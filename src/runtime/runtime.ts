import type { AgentInputItem } from '@openai/agents';
import { ConversationNotFoundError } from '../errors/session.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type LedgerState, pendingAt } from '../ledger/state.ts';
import { seenLength } from '../ledger/view.ts';
import { SerialQueue } from '../util/serial-queue.ts';
import { ConversationReplaced } from '../ledger/attached-conversation.ts';
import { currentRun, type BoundRun } from '../chaining/attribution.ts';
import { isMode, isStockMode, rulesOf, type Mode } from '../rollout/mode.ts';
import { resolveMode } from '../rollout/resolve.ts';
import { clock } from '../util/clock.ts';
import { toReplayInputOfAnyProvider, toReplayInput } from '../items/model-input.ts';
import { isReasoning, isReplayable, lostKey } from '../items/reasoning.ts';
import { callIdIn, INTERRUPTED_CALLS, type InterruptedCalls } from '../items/tool-calls.ts';
import { LazyHistory } from './lazy-history.ts';
import { Compactor } from './compaction/compactor.ts';
import { adoptBookmark } from './adopt-bookmark.ts';
import { openContext, type SessionContext, type SessionNames } from './open.ts';
import type { ResolvedOptions } from './options.ts';
import { PendingWork } from './pending-work.ts';
import { ResponseLog } from './response-log.ts';
import type { SessionStats } from '../telemetry/stats.ts';
import { statsCollector } from '../telemetry/stats-collector.ts';
import { Telemetry } from '../telemetry/span.ts';
import { forecast } from './forecast.ts';
import { SessionHistory, type OpenSession, type ServedHistory } from './read.ts';
import { TurnTracker, type TurnBeginning } from './turn.ts';

/** How an operation uses the session. */
export interface RunOptions {
  /** Whether the operation begins a turn. The mode is then decided anew. @default false */
  readonly begins?: boolean;
  /** Whether the operation writes items. A session without a conversation then gets one. @default false */
  readonly writes?: boolean;
}

/** The state of a session object. Its operations run one after the other. */
export class SessionRuntime {
  readonly responses: ResponseLog;
  readonly telemetry: Telemetry;
  readonly turn = new TurnTracker();
  /** The keys of items in the last read that cannot be sent to a model again. */
  unreplayable: ReadonlySet<string> = new Set();
  readonly compactor = new Compactor(this);
  /** Changes the history as a run needs it. @returns whether it has changed. */
  prepareHistory: (open: OpenSession, mode: Mode, state: LedgerState) => Promise<boolean> = async () => false;
  readonly #stats = statsCollector();
  readonly options: ResolvedOptions;
  readonly #queue = new SerialQueue();
  readonly #pending: PendingWork = new PendingWork(this);
  #names: SessionNames;
  #opening: Promise<OpenSession> | undefined;
  #opened: OpenSession | undefined;
  #mode: Mode | undefined;
  /** The conversation of the last attachment. */
  #attachedTo: string | undefined;
  /** The conversation that the last `conversation_changed` event or the first attachment named. */
  #announced: string | undefined;

  constructor(options: ResolvedOptions) {
    this.options = options;
    const { sessionId, conversationId } = options;
    this.#names = { sessionId, conversationId };
    this.telemetry = new Telemetry([this.#stats, ...options.observers]);
    this.responses = new ResponseLog(this, new LazyHistory(this, options));
  }

  /** Undefined until a session without a name has its first conversation. */
  get sessionId(): string | undefined {
    return this.#names.sessionId;
  }

  /** Whether every call makes the requests of the stock session, even if the call changes nothing. */
  get isStock(): boolean {
    return isStockMode(this.options.rollout);
  }

  /** The conversation that mirrors the history; undefined while it is unknown. */
  get conversationId(): string | undefined {
    return this.#opened?.conversation?.conversationId ?? this.#attachedTo ?? this.#names.conversationId;
  }

  /** Undefined until the first operation attaches to the session, and after `end()` or `reattach()`. */
  get opened(): OpenSession | undefined {
    return this.#opened;
  }

  /**
   * Runs an operation after all earlier calls.
   *
   * If the session has another conversation by now, the operation runs again there. It detects this before its first change.
   */
  run<T>(
    operation: (open: OpenSession, mode: Mode) => Promise<T>,
    { begins = false, writes = false }: RunOptions = {},
  ): Promise<T> {
    return this.#tracked(() => this.#inMode(operation, begins, writes));
  }

  /** Releases the history in memory after all earlier calls. The next use reads it again. */
  unload(): Promise<void> {
    return this.#queue.run(async () => this.#opened?.ledger.release());
  }

  /** Like `run()`, but returns undefined if the session has neither a name nor a conversation yet. */
  runIfBegun<T>(
    operation: (open: OpenSession, mode: Mode) => Promise<T>,
    { begins = false, writes = false }: RunOptions = {},
  ): Promise<T | undefined> {
    return this.#tracked(async () => (this.#isBegun ? this.#inMode(operation, begins, writes) : undefined));
  }

  /** Like `runIfBegun()`, for an operation that ignores the mode. */
  maintainIfBegun<T>(
    operation: (open: OpenSession) => Promise<T>,
    { writes = false }: RunOptions = {},
  ): Promise<T | undefined> {
    return this.#tracked(async () => (this.#isBegun ? this.follow(operation, writes) : undefined));
  }

  /**
   * Runs an operation, or a part of one, in the session's conversation; again in the next one if it was replaced, or if the session
   * was erased.
   */
  async follow<T>(operation: (open: OpenSession) => Promise<T>, writes = false): Promise<T> {
    for (let isErased = false; ;) {
      const { conversation, isMirrored } = this.#opened ?? {};
      // A session without a conversation gets one when the first item is written.
      if (writes && conversation === undefined && isMirrored !== false) this.reattach();
      const open = this.#opened ?? (await this.#open(writes));
      try {
        return await operation(open);
      } catch (error) {
        if (error instanceof ConversationReplaced) this.reattach();
        else if (!isErased && (await this.#wasErased(open, error))) {
          isErased = true;
          this.end({ sessionId: open.sessionId, conversationId: undefined });
        } else throw error;
      } finally {
        open.ledger.justRead = undefined;
      }
    }
  }

  /** Whether another process has erased a session that the app knows by its name alone, together with its conversation. */
  async #wasErased({ ledger }: OpenSession, error: unknown): Promise<boolean> {
    const { sessionId, conversationId } = this.options;
    const isNamed = sessionId !== undefined && conversationId === undefined;
    return isNamed && ConversationNotFoundError.isInstance(error) && (await ledger.readAt()).version === 0;
  }

  /** Runs an operation after all earlier calls, without attaching to the session. */
  aside<T>(operation: (names: SessionNames) => Promise<T>): Promise<T> {
    return this.#tracked(() => operation(this.#names));
  }

  /** Lets `closeAll()` wait for work in the background. */
  track<T>(work: Promise<T>): Promise<T> {
    return this.#pending.track(work);
  }

  /** Lets `closeAll()` end work of which the state in memory does not tell. */
  remember({ shared }: OpenSession): void {
    this.#pending.remember(shared);
  }

  #tracked<T>(operation: () => Promise<T>): Promise<T> {
    return this.track(this.#queue.run(operation));
  }

  /** The number of changes that the API lacks, by the state in memory; undefined without one. */
  get outstanding(): number | undefined {
    const { ledger, isMirrored } = this.#opened ?? {};
    if (isMirrored === false) return 0;
    return ledger?.loaded && pendingAt(ledger.loaded);
  }

  /** @param served the history that the turn has read; undefined for a resumed run, which reads none. */
  async beginning(
    mode: Mode,
    { ledger }: Pick<SessionContext, 'ledger'>,
    served?: ServedHistory,
  ): Promise<Omit<TurnBeginning, 'isPart'>> {
    const { lost, bytes = 0, items = [], state = await ledger.read({ scope: 'tail' }) } = served ?? {};
    const { responseTtl } = this.options;
    const isWhole = lost === undefined || lost.length === 0;
    return {
      mode,
      isRead: served !== undefined,
      lost,
      bytes,
      isRun: this.#run !== undefined,
      served: items.length,
      length: seenLength(state),
      forecast: forecast(state, { now: clock.now(), responseTtl, isWhole }),
    };
  }

  /** Begins the turn of a resumed run, which reads no history: at its first request or its first items. */
  async turnGoesOn(mode: Mode, context: Pick<SessionContext, 'ledger'>): Promise<void> {
    if (this.turn.isUnderWay) return;
    this.turn.began({ ...(await this.beginning(mode, context)), isPart: false });
  }

  turnEnded(sessionId: string, responseId: string | undefined, { responses }: LedgerState): void {
    const turn = this.turn.ended(responseId, responses);
    if (turn === undefined) return;
    this.telemetry.event({ type: 'turn', sessionId, ...turn });
    this.#opened?.history.turnEnded(turn.mode);
  }

  stats(): SessionStats {
    return this.#stats.stats();
  }

  /** Forgets the session's state. The next use attaches anew, under these names. */
  end(names: SessionNames = this.#names): void {
    this.responses.clear();
    this.#pending.forget();
    this.reattach();
    this.#attachedTo = undefined;
    this.#names = names;
  }

  /** Makes the next use attach to the conversation that the ledger then names. */
  reattach(): void {
    this.#opening = undefined;
    this.#opened = undefined;
  }

  /** Records the new conversation, and emits `conversation_changed` if there was another one. */
  changedTo(conversationId: string, sessionId: string): void {
    const before = this.#announced;
    this.#attachedTo = conversationId;
    this.#announced = conversationId;
    if (before === undefined || before === conversationId) return;
    this.telemetry.event({ type: 'conversation_changed', sessionId, conversationId });
  }

  get #isBegun(): boolean {
    const { sessionId, conversationId } = this.#names;
    return this.#opening !== undefined || sessionId !== undefined || conversationId !== undefined;
  }

  #inMode<T>(
    operation: (open: OpenSession, mode: Mode) => Promise<T>,
    begins: boolean,
    writes: boolean,
  ): Promise<T> {
    return this.follow(async (open) => {
      if (begins || this.#mode === undefined) this.#mode = await this.#decide(open);
      try {
        return await operation(open, this.#mode);
      } finally {
        this.options.loaded.used(this, open.ledger.bytes);
      }
    }, writes);
  }

  async #decide({ sessionId, ledger }: OpenSession): Promise<Mode> {
    const { rollout } = this.options;
    if (isMode(rollout)) return rollout;
    const { responses } = await ledger.read({ scope: 'tail' });
    const target = { sessionId, model: this.#run?.model ?? responses.at(-1)?.model };
    const { mode, problem, code } = await resolveMode(rollout, target);
    // The app's function may have taken its time.
    ledger.justRead = undefined;
    if (problem !== undefined)
      this.telemetry.warningsOf(sessionId)({ code: 'rollout_failed', mode, reason: problem, cause: code });
    return mode;
  }

  /** Converts a served item to model input; undefined if the request must omit the item. */
  forModelInput(item: AgentInputItem): AgentInputItem | undefined {
    const isListed = this.#mode !== undefined && rulesOf(this.#mode).serves === 'list';
    const stock = isListed ? this.#opened?.conversation?.stock : undefined;
    return stock === undefined ? this.forNextModel(item) : stock.prepareForModel(item);
  }

  /**
   * Converts a served item to input for the next model; undefined if the request must omit the item.
   *
   * The model boundary adapts items to each provider. Without it the next model is unknown, so the strictest rules apply.
   */
  forNextModel(served: AgentInputItem, unreplayable = this.unreplayable): AgentInputItem | undefined {
    const item = this.#opened?.history.withOwnId(served) ?? served;
    if ([lostKey(item), callIdIn(item)].some((key) => key !== undefined && unreplayable.has(key)))
      return undefined;
    if (this.#run?.isBoundaryInUse === true) return toReplayInputOfAnyProvider(item);
    return isReasoning(item) && !isReplayable(item) ? undefined : toReplayInput(item);
  }

  /**
   * The answer to calls that an earlier run has left open; undefined in a run that goes on from a state, because it may answer them
   * itself.
   */
  get interruptedCalls(): InterruptedCalls | undefined {
    const run = this.#run;
    return run === undefined ? INTERRUPTED_CALLS : run.interruptedCalls;
  }

  /** The `HybridRunner` run that uses this session in the current async context. */
  get #run(): BoundRun | undefined {
    const run = currentRun();
    return run?.port === this.responses ? run : undefined;
  }

  /** The session at a request to the model, and the mode in which the turn's history was read. */
  async atRequest(): Promise<{ sessionId: string; ledger: Ledger; mode: Mode }> {
    const open = this.#opened ?? (await this.#open());
    const { sessionId, ledger } = open;
    ledger.justRead = undefined;
    const mode = this.#mode ?? (await this.#decide(open));
    await this.turnGoesOn(mode, open);
    return { sessionId, ledger, mode };
  }

  async #open(writes = false): Promise<OpenSession> {
    const opening = (this.#opening ??= this.#attach(writes));
    try {
      const opened = await opening;
      // This runtime may have ended meanwhile.
      if (this.#opening === opening) this.#opened = opened;
      return opened;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  async #attach(writes: boolean): Promise<OpenSession> {
    const context = await openContext(this, this.#names, writes);
    const { sessionId, conversation } = context;
    const conversationId = conversation?.conversationId;
    if (conversationId !== undefined) this.changedTo(conversationId, sessionId);
    const { ledger, reader, existed, checkpoint } = context;
    ledger.justRead = checkpoint;
    if (
      conversation?.bookmark !== undefined &&
      existed &&
      (await ledger.read({ scope: 'tail' })).version === 0
    ) {
      const onIgnored = (reason: string): void =>
        this.telemetry.warningsOf(sessionId)({ code: 'bookmark_ignored', reason });
      const { keepContent } = this.options;
      await adoptBookmark({ ...conversation, ledger, reader, keepContent, onIgnored });
    }
    this.#names = { sessionId, conversationId };
    return { ...context, history: new SessionHistory(context) };
  }
}
