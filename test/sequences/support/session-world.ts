import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { textOf } from '../../../mocks/index.ts';
import type { SimulatorCore } from '../../../mocks/simulator.ts';
import {
  ConversationNotFoundError,
  type HybridSessionEvent,
  type HybridSessionOptions,
  type Mode,
} from '../../../src/index.ts';
import { simulated } from '../../support/simulated.ts';
import { AppProcess, turns, type Death } from './app-process.ts';
import type { Serving } from './call-effects.ts';
import { Conversations } from './conversations.ts';
import { ExpectedHistory } from './expected-history.ts';
import type { ArbitraryFault } from './fault-arbitrary.ts';
import { explainError } from './explain-error.ts';
import { DoubtfulList } from './list-doubts.ts';
import { storePlace, type StoreName, type StorePlace } from './stores.ts';
import { WatchedSession } from './watched-session.ts';

/** What is the same for all of a sequence. */
export interface Settings {
  readonly store: StoreName;
  readonly options: Pick<HybridSessionOptions, 'mirror' | 'keepContent' | 'checkList'>;
  readonly unlink: 'none' | 'id-replay' | 'every-turn';
  readonly inputItems: 'own' | 'inherited';
  /** Whether there is a second session on the same ledger and conversation, and where it lives. */
  readonly second: 'none' | 'same-process' | 'other-process';
  /** Turns of the event loop around each call to the outside. */
  readonly pauses: readonly number[];
}

/** Real milliseconds after which a step counts as one that hangs. */
const DEADLINE = 30_000;

/** A session under way. */
export interface Slot {
  readonly process: AppProcess;
  readonly session: WatchedSession;
}

/** What one session is to do. */
export interface Work {
  readonly which: number;
  readonly act: (slot: Slot) => Promise<unknown>;
  /** It clears the session. */
  readonly clears?: boolean;
}

/** The real thing: sessions on a simulated API, the faults that are set, and beside them what is to be expected. */
export class SessionWorld {
  readonly settings: Settings;
  readonly simulator: SimulatorCore;
  readonly expected: ExpectedHistory = new ExpectedHistory();
  readonly events: HybridSessionEvent[] = [];
  readonly conversations: Conversations = new Conversations();
  mode: Mode = 'chain';
  readonly #outsider: OpenAI;
  readonly #place: StorePlace;
  #slots: Slot[] = [];
  #lifts: (() => void)[] = [];
  #count = 0;
  /** A clear did not come to its end: the next use of the first session does that, and everybody follows it. */
  #isClearing = false;
  #isGone = false;
  /** Somebody clears the session while others work with it. */
  #isContended = false;
  /** Two sessions are at work. */
  #isShared = false;
  readonly #list: DoubtfulList;
  #hasForgotten = false;
  #hasLeftovers = false;

  private constructor(settings: Settings, place: StorePlace) {
    this.settings = settings;
    this.#place = place;
    const { unlink, inputItems } = settings;
    this.#list = new DoubtfulList(unlink !== 'none');
    this.simulator = simulated({ unlink, inputItems }).simulator;
    this.#outsider = this.#process().client;
    this.#slots = [this.#open(this.#process(), undefined)];
  }

  static async open(settings: Settings): Promise<SessionWorld> {
    return new SessionWorld(settings, await storePlace(settings.store));
  }

  close(): Promise<void> {
    for (const { process } of this.#slots) process.kill();
    return this.#place.close();
  }

  /** A number that nothing had before. */
  next(): number {
    return (this.#count += 1);
  }

  get isFaulty(): boolean {
    return this.#isContended || this.#lifts.length > 0 || this.conversations.isDeleted(this.sessionId);
  }

  /** Where the session is now. */
  get sessionId(): string | undefined {
    return this.conversations.newest(this.#slots[0]?.session.sessionId);
  }

  /** Somebody else takes an item out of the list, or deletes the conversation. */
  async takeAway(what: 'item' | 'conversation', amount: number): Promise<void> {
    const { sessionId } = this;
    const { conversations } = this.simulator.snapshot();
    const items = conversations.find(({ id }) => id === sessionId)?.items ?? [];
    const item = items[amount % Math.max(1, items.length)];
    // Metadata go with their conversation, and of one that nobody wrote to the ledger knows nothing.
    const isKnown = this.expected.possible.every(({ items: kept }) => kept.length > 0);
    if (sessionId === undefined || item === undefined || !isKnown) return;
    this.#list.takeAway();
    if (what === 'item') {
      this.conversations.damaged(sessionId);
      await this.#outsider.conversations.items
        .delete(item.id, { conversation_id: sessionId })
        .catch(() => undefined);
    } else if (this.settings.store !== 'conversation' && this.settings.unlink === 'none') {
      // Where a list forgets at every turn, a heal that is the first to write an answer ends one: it is not shown whole then.
      await this.#outsider.conversations.delete(sessionId).catch(() => undefined);
      this.#noteDeletion();
    }
  }

  #noteDeletion(): void {
    const { sessionId } = this;
    const { conversations } = this.simulator.snapshot();
    if (sessionId !== undefined && conversations.every(({ id }) => id !== sessionId))
      this.conversations.deleted(sessionId);
  }

  /** Whether somebody else took something away that nobody has written again since. */
  get isDamaged(): boolean {
    return this.conversations.isDamaged(this.sessionId);
  }

  fault({ operation, fault }: ArbitraryFault): void {
    this.#list.fault({ operation, fault });
    this.#lifts.push(this.simulator.fault(operation, fault));
  }

  lift(): void {
    for (const lift of this.#lifts) lift();
    this.#lifts = [];
  }

  /** Lets sessions work, all at once, and takes in what they said. */
  async act(...works: readonly Work[]): Promise<void> {
    const busy = works.map(({ which, act }) => ({ slot: this.#slot(which), act }));
    this.#isShared = new Set(busy.map(({ slot }) => slot)).size > 1;
    const done = Promise.all(
      busy.map(async ({ slot, act }) => {
        const ended = act(slot).catch((error: unknown) => this.#failed(error));
        await Promise.race([ended, slot.process.died]);
      }),
    );
    await inTime(done);
    await inTime(this.#quiet());
    this.#isShared = false;
    const slots = [...new Set(busy.map(({ slot }) => slot))];
    const calls = slots.map(({ session }) => session.takeCalls());
    this.expected.explain(calls);
    for (const { name, outcome } of calls[slots.findIndex((slot) => slot === this.#slots[0])] ?? []) {
      const isDone = outcome !== undefined && 'value' in outcome;
      if (isDone) this.#isClearing = false;
      else if (name === 'clearSession()') {
        this.#isClearing = true;
        this.#hasLeftovers ||= this.#isContended;
      }
    }
    if (this.#isClearing) this.#noteDeletion();
    if (this.#isGone && !(await this.#isKnown())) this.#beginAnew();
    this.#isGone = false;
    this.#slots = this.#slots.map((slot) => (slot.process.isAlive ? slot : this.#reborn(slot)));
  }

  /** Both at once, in sessions of their own; one after the other where there is but one. */
  together(one: Work, other: Work): Promise<void> {
    const second = this.#slot(1);
    const isAlone = second === this.#slot(0);
    if (one.clears !== true && other.clears === true) return this.together(other, one);
    if (one.clears === true) return this.#clearBeside(one, { ...other, which: isAlone ? 0 : 1 });
    if (isAlone) return this.act(one);
    return this.act({ ...one, which: 0 }, { ...other, which: 1 });
  }

  /** Whoever does something while somebody else clears the session may be left behind, and begins anew. */
  async #clearBeside(clear: Work, other: Work): Promise<void> {
    this.#isContended = true;
    await this.act({ ...clear, which: 0 }, other);
    this.#isContended = false;
    if (this.settings.options.mirror !== 'off') this.#slots = this.#slots.slice(0, 1);
  }

  /** The same for one session, which is killed on the way. */
  async killWithin(work: Work, death: Death): Promise<void> {
    const { process } = this.#slot(work.which);
    process.killAt(death);
    await this.act(work);
    process.killAt(undefined);
    if (process.isAlive) return;
    this.#forget();
  }

  /** A new session in the place of one that is left as it is, in the same process or in another. */
  restart(which: number, isKilled: boolean): void {
    const slot = this.#slot(which);
    if (isKilled) {
      slot.process.kill();
      this.#forget();
    }
    // A known limit: in the conversation's metadata is no room for what is not written yet, so that it goes with its session.
    if (this.settings.store === 'conversation') this.#forget();
    const { sessionId } = slot.session;
    const next = this.#open(isKilled ? this.#process() : slot.process, sessionId);
    this.#slots = this.#slots.map((one) => (one === slot ? next : one));
    this.#slots = this.#slots.map((one) => (one.process.isAlive ? one : this.#reborn(one)));
  }

  serving(): Serving {
    const isList = this.mode === 'off' || this.mode === 'shadow';
    if (!isList || this.settings.options.mirror === 'off') return 'ledger';
    const { doubts } = this.#list;
    // A list shows what leaves it beside what takes its place while somebody else is changing it.
    if (this.#isShared) return { lacks: 'nothing', reorders: false, ...doubts, repeats: true };
    return doubts ?? 'list';
  }

  /** A known limit: somebody else may have gone on before a clear that failed was tried again; the list keeps what was cleared. */
  get hasLeftovers(): boolean {
    return this.#hasLeftovers;
  }

  /** A process died, or was left, with something that nothing else held yet. */
  get hasForgotten(): boolean {
    return this.#hasForgotten;
  }

  #forget(): void {
    this.#hasForgotten = true;
    this.#list.forget();
  }

  get slots(): readonly Slot[] {
    return this.#slots.map((_, which) => this.#slot(which));
  }

  #process(): AppProcess {
    return new AppProcess(this.simulator.fetch, this.settings.pauses, (client) => this.#place.open(client));
  }

  #open(process: AppProcess, id: string | undefined): Slot {
    const { mirror } = this.settings.options;
    let lost = 0;
    const listen = (): (() => number | undefined) => {
      if (this.mode !== 'shadow') return () => undefined;
      const before = lost;
      // What the API has no form for was told when it was left out.
      return () => lost - before + this.events.filter(({ type }) => type === 'mirror_skipped').length;
    };
    const session = new WatchedSession(
      {
        ...this.settings.options,
        client: process.client,
        ledger: process.ledger,
        ...(mirror === 'off' ? { sessionId: 'session' } : { conversationId: id }),
        rollout: () => this.mode,
        onEvent: (event) => {
          this.events.push(event);
          this.conversations.note(event);
          if (event.type === 'lost') lost += event.findings.length;
        },
      },
      { serving: () => this.serving(), listen, endedBy: (items) => this.#endedBy(items) },
    );
    return { process, session };
  }

  #endedBy(items: readonly AgentInputItem[]): string | undefined {
    const { responses } = this.simulator.snapshot();
    const last = textOf(items.at(-1) ?? {});
    return responses.findLast(({ output }) => textOf(output.at(-1) ?? {}) === last)?.id;
  }

  /** The session of that number; a second one begins when the first one has an ID, and follows it to a new conversation. */
  #slot(which: number): Slot {
    const [first, second] = this.#slots;
    if (first === undefined) throw new Error('There is no session');
    if (which % 2 === 0 || this.settings.second === 'none' || this.#isClearing) return first;
    const { sessionId } = first.session;
    const isSame =
      this.conversations.newest(second?.session.sessionId) === this.conversations.newest(sessionId);
    if (second !== undefined && isSame) return second;
    if (sessionId === undefined) return first;
    const isHere = this.settings.second === 'same-process';
    const next = this.#open(isHere ? first.process : this.#process(), sessionId);
    this.#slots = [first, next];
    return next;
  }

  #reborn({ session }: Slot): Slot {
    return this.#open(this.#process(), session.sessionId);
  }

  /** Whether the ledger still knows the session: then it was somebody else who deleted its conversation. */
  async #isKnown(): Promise<boolean> {
    const { sessionId } = this;
    if (sessionId === undefined || !this.conversations.isDeleted(sessionId)) return false;
    return (await this.#place.open(this.#outsider).head(sessionId)) !== undefined;
  }

  /** A clear that was cut short had deleted everything, and nobody learned of the new conversation. */
  #beginAnew(): void {
    this.#isClearing = false;
    this.expected.narrow(
      ({ items }) => items.length === 0,
      () => 'The conversation is gone.',
    );
    this.#slots = [this.#open(this.#process(), undefined)];
  }

  #failed(error: unknown): void {
    if (this.#isClearing && error instanceof ConversationNotFoundError) this.#isGone = true;
    else explainError(error, this);
  }

  /** Waits until every call has ended that was begun, also those that a run makes after it has ended. */
  async #quiet(): Promise<void> {
    for (let still = 0; still < 10; still += 1) {
      await turns(1);
      if (this.#slots.some(({ process, session }) => process.isAlive && session.isBusy)) still = 0;
    }
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It hangs: nothing came of it in ${DEADLINE} ms`)), DEADLINE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
