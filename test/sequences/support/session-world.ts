import { codeOf } from '../../flows/support/story.ts';
import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { textOf } from '../../../mocks/index.ts';
import type { SimulatorCore } from '../../../mocks/simulator.ts';
import { type HybridSessionEvent, type HybridSessionOptions, type Mode } from '../../../src/index.ts';
import { texts } from '../../support/conversation.ts';
import { simulated } from '../../support/simulated.ts';
import { turns } from '../../support/virtual-time.ts';
import { AppProcess, type Death } from './app-process.ts';
import type { Serving } from './call-effects.ts';
import { Conversations } from './conversations.ts';
import { ExpectedHistory } from './expected-history.ts';
import type { ArbitraryFault } from './fault-arbitrary.ts';
import { explainError } from './explain-error.ts';
import { DoubtfulList } from './list-doubts.ts';
import { storePlace, type StoreName, type StorePlace } from './stores.ts';
import { WatchedSession } from './watched-session.ts';

/** The settings of a whole sequence. */
export interface Settings {
  readonly store: StoreName;
  readonly options: Pick<HybridSessionOptions, 'mirror' | 'keepContent' | 'advanced'>;
  readonly unlink: 'none' | 'id-replay' | 'every-turn';
  readonly inputItems: 'own' | 'inherited';
  /** Whether there is a second session on the same ledger and conversation, and where it lives. */
  readonly second: 'none' | 'same-process' | 'other-process';
  /** Whether the session has a name of its own, or that of its first conversation. */
  readonly isNamed: boolean;
  /** Turns of the event loop around each call to the outside. */
  readonly pauses: readonly number[];
}

/** Real milliseconds after which a step counts as one that hangs. */
const DEADLINE_MS = 600_000;

/** A session under way. */
export interface Slot {
  readonly process: AppProcess;
  readonly session: WatchedSession;
}

/** The order for one session. */
export interface Work {
  readonly which: number;
  readonly act: (slot: Slot) => Promise<unknown>;
}

/** The real side: sessions on a simulated API, the faults that are set, and beside them the expected history. */
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
  #conversationId: string | undefined;
  /** Every text that was ever in the history. */
  readonly #said = new Set<string>();
  /** Two sessions are at work. */
  #isShared = false;
  readonly #list: DoubtfulList;
  #hasForgotten = false;

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
    return this.#lifts.length > 0 || this.conversations.isDeleted(this.conversationId);
  }

  /** Under which name the ledger is kept. */
  get sessionId(): string | undefined {
    return this.#slots[0]?.session.sessionId;
  }

  /** The conversation that the history is mirrored to, if it is known. */
  get conversationId(): string | undefined {
    return this.#conversationId;
  }

  /** Asks the ledger where the history is mirrored to now. */
  async #noteConversation(): Promise<void> {
    const { sessionId } = this;
    if (sessionId === undefined) return;
    this.#conversationId = (await this.#place.open().checkpoint(sessionId))?.conversation;
  }

  /** Another client deletes an item from the list, or the conversation. */
  async takeAway(what: 'item' | 'conversation', amount: number): Promise<void> {
    const { conversationId } = this;
    const { conversations } = this.simulator.snapshot();
    const items = conversations.find(({ id }) => id === conversationId)?.items ?? [];
    const item = items[amount % Math.max(1, items.length)];
    // Metadata are deleted with their conversation, and the ledger has no record of an unwritten one.
    const isKnown = this.expected.possible.every(({ items: kept }) => kept.length > 0);
    if (conversationId === undefined || item === undefined || !isKnown) return;
    this.#list.takeAway();
    if (what === 'item') {
      this.conversations.damaged(conversationId);
      await this.#outsider.conversations.items
        .delete(item.id, { conversation_id: conversationId })
        .catch(() => undefined);
    } else if (this.settings.store !== 'bookmark' && this.settings.unlink === 'none') {
      // Where a list forgets at every turn, a heal that is the first to write an answer ends one: it is not shown whole then.
      await this.#outsider.conversations.delete(conversationId).catch(() => undefined);
      this.#noteDeletion();
    }
  }

  #noteDeletion(): void {
    const { conversationId } = this;
    const { conversations } = this.simulator.snapshot();
    if (conversationId !== undefined && conversations.every(({ id }) => id !== conversationId))
      this.conversations.deleted(conversationId);
  }

  /** Whether another client deleted an item that was not written again since. */
  get isDamaged(): boolean {
    return this.conversations.isDamaged(this.conversationId);
  }

  fault({ operation, fault }: ArbitraryFault): void {
    if (this.settings.store === 'bookmark') return;
    this.#list.fault({ operation, fault });
    this.#lifts.push(this.simulator.fault(operation, fault));
  }

  lift(): void {
    for (const lift of this.#lifts) lift();
    this.#lifts = [];
  }

  /** Lets sessions work, all at once, and applies their calls. */
  async act(...works: readonly Work[]): Promise<void> {
    const busy = works.map(({ which, act }) => ({ slot: this.#slot(which), act }));
    this.#isShared = new Set(busy.map(({ slot }) => slot)).size > 1;
    const done = Promise.all(
      busy.map(async ({ slot, act }) => {
        const ended = act(slot).catch((error: unknown) => explainError(error, this));
        await Promise.race([ended, slot.process.died]);
      }),
    );
    await inTime(done);
    await inTime(this.#quiet());
    this.#isShared = false;
    const slots = [...new Set(busy.map(({ slot }) => slot))];
    for (const { session } of slots) for (const text of texts(session.added)) this.#said.add(text);
    const calls = slots.map(({ session }) => session.takeCalls());
    this.expected.explain(calls);
    await this.#expectForgotten();
    await this.#noteConversation();
    this.#slots = this.#slots.map((slot) => (slot.process.isAlive ? slot : this.#reborn(slot)));
  }

  /** Both at once, in sessions of their own; one after the other where there is but one. */
  together(one: Work, other: Work): Promise<void> {
    const second = this.#slot(1);
    const isAlone = second === this.#slot(0);
    if (isAlone) return this.act(one);
    return this.act({ ...one, which: 0 }, { ...other, which: 1 });
  }

  /** The same for one session, which is killed on the way. */
  async killWithin(work: Work, death: Death): Promise<void> {
    const { process } = this.#slot(work.which);
    // The bookmark is written after the answer: a process that dies before that leaves a list without a proof.
    if (this.settings.store === 'bookmark') return this.act(work);
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
    // A known limit: the conversation's metadata have no room for pending items, so that they are lost with their
    // session.
    if (this.settings.store === 'bookmark') this.#forget();
    const next = this.#open(isKilled ? this.#process() : slot.process, this.#idOf(slot.session));
    this.#slots = this.#slots.map((one) => (one === slot ? next : one));
    this.#slots = this.#slots.map((one) => (one.process.isAlive ? one : this.#reborn(one)));
  }

  serving(): Serving {
    const isList = this.mode === 'off' || this.mode === 'shadow';
    if (!isList || this.settings.options.mirror === 'off') return 'ledger';
    const { doubts } = this.#list;
    // A list shows an old item beside its replacement while another session is changing it.
    if (this.#isShared) return { lacks: 'nothing', reorders: false, ...doubts, repeats: true };
    return doubts ?? 'list';
  }

  /** A clear deletes a conversation of which no ledger knows anything, and another session asks for it in the same moment. */
  get mayMeetClear(): boolean {
    return this.#isShared && this.expected.possible.every(({ items }) => items.length === 0);
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
    return new AppProcess(this.simulator.fetch, this.settings.pauses, () => this.#place.open());
  }

  #open(process: AppProcess, id: string | undefined): Slot {
    const { mirror } = this.settings.options;
    const listen = (): (() => number | undefined) => {
      if (this.mode !== 'shadow') return () => undefined;
      // An item that the API has no form for was reported when it was skipped.
      return () =>
        this.#toldLost(session.sessionId) +
        this.events.filter((event) => codeOf(event) === 'mirror_skipped').length;
    };
    const session = new WatchedSession(
      {
        ...this.settings.options,
        client: process.client,
        ledger: process.ledger,
        bookmark: this.settings.store === 'bookmark',
        ...(mirror === 'off' || this.settings.isNamed ? { sessionId: 'session' } : { conversationId: id }),
        rollout: () => this.mode,
        onEvent: (event) => {
          this.events.push(event);
        },
      },
      {
        serving: () => this.serving(),
        isKept: this.settings.store !== 'bookmark',
        listen,
        endedBy: (items) => this.#endedBy(items),
      },
    );
    return { process, session };
  }

  /** How many items a list lacks, by the last report: a report names only new losses. */
  #toldLost(sessionId: string | undefined): number {
    const last = this.events.findLast((event) => event.type === 'lost' && event.sessionId === sessionId);
    return last?.type === 'lost' ? last.total : 0;
  }

  #endedBy(items: readonly AgentInputItem[]): string | undefined {
    const { responses } = this.simulator.snapshot();
    const last = textOf(items.at(-1) ?? {});
    return responses.findLast(({ output }) => textOf(output.at(-1) ?? {}) === last)?.id;
  }

  /** The session of that number; a second one begins when the first one has a name. */
  #slot(which: number): Slot {
    const [first, second] = this.#slots;
    if (first === undefined) throw new Error('There is no session');
    if (which % 2 === 0 || this.settings.second === 'none') return first;
    if (second !== undefined) return second;
    const { sessionId } = first.session;
    if (sessionId === undefined) return first;
    const isHere = this.settings.second === 'same-process';
    // Each conversation that the session has or had leads to the session.
    const next = this.#open(isHere ? first.process : this.#process(), this.#conversationId ?? sessionId);
    this.#slots = [first, next];
    return next;
  }

  /** The name that the app keeps of a session; without a ledger no name leads to the next conversation. */
  #idOf({ conversationId, sessionId }: WatchedSession): string | undefined {
    return conversationId ?? (this.settings.store === 'bookmark' ? undefined : sessionId);
  }

  #reborn({ session }: Slot): Slot {
    return this.#open(this.#process(), this.#idOf(session));
  }

  /** The ledger of the session holds no removed item any longer. */
  async #expectForgotten(): Promise<void> {
    const { sessionId } = this;
    // Metadata hold no content, and asking for them would take a fault away from others.
    if (sessionId === undefined || this.settings.store === 'bookmark') return;
    const kept = new Set(this.expected.possible.flatMap(({ items }) => texts(items)));
    for (const text of kept) this.#said.add(text);
    const store = this.#place.open();
    const bytes = JSON.stringify([await store.checkpoint(sessionId), await store.read(sessionId)]);
    for (const text of this.#said)
      if (text !== '' && !kept.has(text) && bytes.includes(JSON.stringify(text)))
        throw new Error(`The ledger still holds '${text}', which was taken out of the history`);
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
    timer = setTimeout(
      () => reject(new Error(`It hangs: nothing came of it in ${DEADLINE_MS} ms`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
