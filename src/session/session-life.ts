import type { Ledger } from '../ledger/ledger.ts';
import { lengthOf, type LedgerState } from '../ledger/ledger-state.ts';
import { SerialQueue } from '../ledger/serial-queue.ts';
import { SessionMoved } from '../ledger/session-moved.ts';
import { currentRun, type BoundRun } from '../model/current-chain.ts';
import type { Mode } from '../rollout/mode.ts';
import { resolveMode } from '../rollout/resolve-mode.ts';
import { Anchoring } from './anchoring.ts';
import { attach, type Attachment } from './attachment.ts';
import { clearAway } from './clear-away.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import { ResponseLog } from './response-log.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import type { SessionStats } from '../telemetry/session-stats.ts';
import { statsCollector } from '../telemetry/stats-collector.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { forecast } from './forecast.ts';
import { SessionHistory, type ServedHistory } from './session-history.ts';
import { TurnWatch, type TurnBeginning } from './turn-watch.ts';

/** A session that knows its ID, and everything it works with. */
export interface OpenSession {
  readonly attachment: Attachment;
  readonly history: SessionHistory;
}

/** From the first use, which attaches to a conversation, to the moment that ends it: one operation after the other. */
export class SessionLife {
  readonly responses: ResponseLog;
  readonly telemetry: Telemetry;
  readonly turn = new TurnWatch();
  readonly #stats = statsCollector();
  readonly #options: ResolvedOptions;
  readonly #queue = new SerialQueue();
  #conversationId: string | undefined;
  #opening: Promise<OpenSession> | undefined;
  #opened: OpenSession | undefined;
  #mode: Mode | undefined;

  constructor(options: ResolvedOptions) {
    this.#options = options;
    this.#conversationId = options.conversationId;
    this.telemetry = new Telemetry([this.#stats, ...options.observers]);
    this.responses = new ResponseLog({
      client: options.client,
      responseTtl: options.responseTtl,
      history: new Anchoring(this, options),
      current: () => this.#atRequest(),
      emit: (event) => this.telemetry.event(event),
      watch: () => this.telemetry.begin('plan'),
      planned: (planned) => this.turn.planned(planned),
    });
  }

  /** As far as it is known: undefined until the conversation is created. */
  get sessionId(): string | undefined {
    return this.#options.sessionId ?? this.#conversationId;
  }

  /** What was opened last, and the mode of the turn under way. */
  get current(): { readonly open: OpenSession | undefined; readonly mode: Mode | undefined } {
    return { open: this.#opened, mode: this.#mode };
  }

  /**
   * Runs an operation after all that were asked for before.
   *
   * An operation that finds the session moved, which it does before it has changed anything, is run again where it moved to.
   *
   * @param begins whether it begins a turn: then the mode is asked for anew.
   */
  run<T>(operation: (open: OpenSession, mode: Mode) => Promise<T>, begins = false): Promise<T> {
    return this.#queue.run(() =>
      this.#following(async (open) => {
        if (begins || this.#mode === undefined) this.#mode = await this.#decide(open);
        try {
          return await operation(open, this.#mode);
        } finally {
          this.#options.loaded.used(this, open.attachment.ledger.bytes);
        }
      }),
    );
  }

  /** Lets go of the history in memory when nobody works with it: it is read again when it is needed. */
  unload(): Promise<void> {
    return this.#queue.run(async () => this.#opened?.attachment.ledger.release());
  }

  /** The same for an operation that begins nothing: undefined when there is nothing yet. */
  runIfBegun<T>(operation: (open: OpenSession) => Promise<T>): Promise<T | undefined> {
    return this.#queue.run(async () => {
      if (this.#opening === undefined && this.sessionId === undefined) return undefined;
      return this.#following((open) => operation(open));
    });
  }

  /** Runs, in the same order, what has nothing to do with what was opened; with the conversation's ID if there is one. */
  aside<T>(operation: (conversationId: string | undefined) => Promise<T>): Promise<T> {
    return this.#queue.run(() => operation(this.#conversationId));
  }

  /** What is known of a turn now that its history was read. */
  async beginning(mode: Mode, { lost, bytes, items }: ServedHistory): Promise<Omit<TurnBeginning, 'isPart'>> {
    const state = await (await this.#open()).attachment.ledger.tip();
    const { responseTtl } = this.#options;
    const isWhole = lost === undefined || lost.length === 0;
    return {
      mode,
      lost,
      bytes,
      isRun: this.#run !== undefined,
      served: items.length,
      length: lengthOf(state),
      forecast: forecast(state, { now: Date.now(), responseTtl, isWhole }),
    };
  }

  turnEnded(sessionId: string, responseId: string | undefined, { responses }: LedgerState): void {
    const turn = this.turn.ended(responseId, responses);
    if (turn !== undefined) this.telemetry.event({ type: 'turn', sessionId, ...turn });
  }

  stats(): SessionStats {
    return this.#stats.stats();
  }

  /** Ends this life; the next use begins another one, with a new conversation unless this one is still there. */
  end(conversation: 'kept' | 'gone'): void {
    this.responses.clear();
    this.#opening = undefined;
    this.#opened = undefined;
    if (conversation === 'gone') this.#conversationId = undefined;
  }

  /** The session goes on in another conversation. */
  moved(conversationId: string): void {
    const sessionId = this.#conversationId ?? '';
    this.#conversationId = conversationId;
    this.#opening = undefined;
    this.#opened = undefined;
    this.telemetry.event({ type: 'moved', sessionId, conversationId });
  }

  async #following<T>(operation: (open: OpenSession) => Promise<T>): Promise<T> {
    for (;;) {
      const open = this.#opened ?? (await this.#open());
      try {
        return await operation(open);
      } catch (error) {
        if (!(error instanceof SessionMoved)) throw error;
        this.moved(error.to);
      }
    }
  }

  async #decide({ attachment }: OpenSession): Promise<Mode> {
    const { sessionId, ledger } = attachment;
    const { responses } = await ledger.tip();
    const context = { sessionId, model: this.#run?.model ?? responses.at(-1)?.model };
    const { mode, problem, code } = await resolveMode(this.#options.rollout, context);
    if (problem !== undefined)
      this.telemetry.event({ type: 'rollout_failed', sessionId, mode, reason: problem, code });
    return mode;
  }

  /** The run of our runner in which the session is used right now. */
  get #run(): BoundRun | undefined {
    const run = currentRun();
    return run?.chain === this.responses ? run : undefined;
  }

  /** What a request of this turn goes by: the mode in which the history was read. */
  async #atRequest(): Promise<{ sessionId: string; ledger: Ledger; mode: Mode }> {
    const open = this.#opened ?? (await this.#open());
    const { sessionId, ledger } = open.attachment;
    return { sessionId, ledger, mode: this.#mode ?? (await this.#decide(open)) };
  }

  async #open(): Promise<OpenSession> {
    const opening = (this.#opening ??= this.#attach());
    try {
      const opened = await opening;
      // This life may have ended meanwhile.
      if (this.#opening === opening) this.#opened = opened;
      return opened;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  async #attach(): Promise<OpenSession> {
    const emit = (event: HybridSessionEvent): void => this.telemetry.event(event);
    let attachment = await attach(this.#options, this.#conversationId, emit);
    const { ledger, remote } = attachment;
    if (remote !== undefined && (await ledger.tip()).cleared) {
      // A clear that was cut short: finish it, and begin anew as it would have.
      const after = await clearAway({ ...attachment, remote }, this.#options, emit, true);
      attachment = await attach(this.#options, after, emit);
    }
    this.#conversationId = attachment.remote?.conversationId;
    return { attachment, history: new SessionHistory(attachment, this.#options, emit) };
  }
}
