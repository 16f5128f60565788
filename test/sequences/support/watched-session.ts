import type {
  AgentInputItem,
  OpenAIResponsesCompactionArgs,
  OpenAIResponsesCompactionResult,
  SessionHistoryRewriteArgs,
  SessionHistoryTransactionArgs,
} from '@openai/agents';
import {
  HybridSession,
  type Healed,
  type HealOptions,
  type HealPlan,
  type HistoryReport,
  type HybridSessionOptions,
  type Turn,
  type UndoOptions,
} from '../../../src/index.ts';
import * as effects from './call-effects.ts';
import type { Call } from './expected-history.ts';

/** The expectations that a session is compared with while it is called. */
export interface Surroundings {
  /** Whether this session now serves the list as the stock session does, and whether that can be trusted. */
  readonly serving: () => effects.Serving;
  /** Begins to count how many items the session says that its list lacks; undefined in a mode that says nothing. */
  readonly listen: () => () => number | undefined;
  /** Whether the ledger outlives its process. */
  readonly isKept: boolean;
  /** The response whose output these items end with. */
  readonly endedBy: (items: readonly AgentInputItem[]) => string | undefined;
}

/** A session that notes every call, of a test or of the SDK's runner, and the effect of each on the history. */
export class WatchedSession extends HybridSession {
  readonly #surroundings: Surroundings;
  #calls: Call[] = [];
  #added: AgentInputItem[] = [];

  constructor(options: HybridSessionOptions, surroundings: Surroundings) {
    super(options);
    this.#surroundings = surroundings;
  }

  /** Whether calls are under way. */
  get isBusy(): boolean {
    return this.#calls.some(({ outcome }) => outcome === undefined);
  }

  /** The items that any process added since the calls were taken. */
  get added(): readonly AgentInputItem[] {
    return this.#added;
  }

  /** The calls since the last time, in the order in which they were made. */
  takeCalls(): readonly Call[] {
    const calls = this.#calls;
    this.#calls = [];
    this.#added = [];
    return calls;
  }

  override getItems(limit?: number): Promise<AgentInputItem[]> {
    const { serving, listen } = this.#surroundings;
    const told = listen();
    let count: number | undefined;
    const effect = effects.read(limit, serving(), () => count);
    return this.#watch(`getItems(${limit ?? ''})`, effect, async () => {
      const items = await super.getItems(limit);
      count = told();
      return items;
    });
  }

  override addItems(items: AgentInputItem[]): Promise<void> {
    this.#added.push(...structuredClone(items));
    return this.#watch(
      `addItems(${items.length})`,
      effects.append(items, this.#surroundings.endedBy(items)),
      () => super.addItems(items),
    );
  }

  override popItem(): Promise<AgentInputItem | undefined> {
    return this.#watch('popItem()', effects.pop(this.#surroundings.serving()), () => super.popItem());
  }

  override undo(options: UndoOptions = {}): Promise<Turn[]> {
    return this.#watch(`undo(${options.turns ?? ''})`, effects.undo(options), () => super.undo(options));
  }

  /** The items of a fork, which is erased again. */
  forkedItems(): Promise<AgentInputItem[]> {
    return this.#watch('fork()', effects.fork, async () => {
      const other = await super.fork();
      const { items } = await other.transcript({ limit: 1000 });
      await other.erase();
      return items.map(({ item }) => item);
    });
  }

  override clearSession(): Promise<void> {
    return this.#watch('clearSession()', effects.clear, () => super.clearSession());
  }

  override applyHistoryMutations(args: SessionHistoryRewriteArgs): Promise<void> {
    return this.#watch('applyHistoryMutations()', effects.mutate(args), () =>
      super.applyHistoryMutations(args),
    );
  }

  override applyHistoryTransaction(args: SessionHistoryTransactionArgs): Promise<void> {
    const name = `applyHistoryTransaction(${args.operationId})`;
    return this.#watch(name, effects.transact(args), () => super.applyHistoryTransaction(args));
  }

  override runCompaction(
    args?: OpenAIResponsesCompactionArgs,
  ): Promise<OpenAIResponsesCompactionResult | null> {
    const name = `runCompaction(${args?.responseId ?? ''})`;
    return this.#watch(name, effects.respond(args?.responseId), () => super.runCompaction(args));
  }

  override heal(options: HealOptions & { readonly dryRun: true }): Promise<HealPlan>;
  override heal(options?: HealOptions & { readonly dryRun?: false | undefined }): Promise<Healed>;
  override heal(options?: HealOptions): Promise<Healed | HealPlan>;
  override heal(options: HealOptions = {}): Promise<Healed | HealPlan> {
    return this.#watch('heal()', effects.heal, () => super.heal(options));
  }

  override verify(): Promise<HistoryReport> {
    return this.#watch('verify()', effects.verify(this.#surroundings.isKept), () => super.verify());
  }

  async #watch<T>(name: string, after: Call['after'], call: () => Promise<T>): Promise<T> {
    const noted: Call = { name, outcome: undefined, after };
    this.#calls.push(noted);
    try {
      const value = await call();
      noted.outcome = { value: structuredClone(value) };
      return value;
    } catch (error) {
      noted.outcome = { error };
      throw error;
    }
  }
}
