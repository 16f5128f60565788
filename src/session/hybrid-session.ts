import type {
  AgentInputItem,
  OpenAIResponsesCompactionArgs,
  OpenAIResponsesCompactionAwareSession,
  SessionHistoryRewriteArgs,
  SessionHistoryRewriteAwareSession,
  SessionHistoryTransactionArgs,
  SessionHistoryTransactionAwareSession,
} from '@openai/agents';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import { MirrorIncompleteError } from '../errors/mirror-incomplete-error.ts';
import { parseAgentItems } from '../ledger/agent-item.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { SerialQueue } from '../ledger/serial-queue.ts';
import { CHAIN, type Chain, type ChainedSession } from '../model/chain.ts';
import { forModel } from '../model/for-model.ts';
import { noteServed } from '../model/served-histories.ts';
import { resolveMode, type Mode } from '../rollout/mode.ts';
import { attach, deleteConversation, type Attachment, type Remote } from './attachment.ts';
import { appendSteps, mutationSteps, removalSteps, transactionSteps } from './history-changes.ts';
import type { HistoryReport } from './history-report.ts';
import { resolveOptions, type HybridSessionOptions, type ResolvedOptions } from './hybrid-session-options.ts';
import { comparable } from './comparable.ts';
import { parseTransaction } from './parse-transaction.ts';
import { ResponseLog } from './response-log.ts';
import type { HybridSessionEvent } from './session-event.ts';
import { servesList, SessionHistory } from './session-history.ts';

interface Open {
  readonly attachment: Attachment;
  readonly history: SessionHistory;
}

/**
 * A session of the OpenAI Agents SDK that cannot lose a turn.
 *
 * A drop-in for `OpenAIConversationsSession`: it keeps the same conversation up to date, but serves what its ledger says
 * the conversation should contain. Calls on one session take effect in the order in which they were made.
 */
export class HybridSession
  implements
    OpenAIResponsesCompactionAwareSession,
    SessionHistoryRewriteAwareSession,
    SessionHistoryTransactionAwareSession,
    ChainedSession
{
  readonly #options: ResolvedOptions;
  readonly #queue = new SerialQueue();
  readonly #responses: ResponseLog;
  #conversationId: string | undefined;
  #opened: Promise<Open> | undefined;
  #current: Open | undefined;
  #mode: Mode | undefined;

  /** @throws InvalidOptionsError for unknown options, wrong types and impossible pairs. */
  constructor(options: HybridSessionOptions = {}) {
    this.#options = resolveOptions(options);
    this.#conversationId = this.#options.conversationId;
    this.#responses = new ResponseLog({
      client: this.#options.client,
      responseTtl: this.#options.responseTtl,
      current: () => this.#atRequest(),
      emit: (event) => this.#emit(event),
    });
  }

  /** For the model boundary: what it may continue from. */
  get [CHAIN](): Chain {
    return this.#responses;
  }

  /** The session's ID as far as it is known: undefined until the conversation is created. */
  get sessionId(): string | undefined {
    return this.#options.sessionId ?? this.#conversationId;
  }

  /** The session's ID: the conversation's, created now if there is none, or `sessionId` with `mirror: 'off'`. */
  getSessionId(): Promise<string> {
    return this.#run(async ({ attachment }) => attachment.sessionId);
  }

  /**
   * The history, oldest first; with a limit its newest items. What is returned is a copy.
   *
   * @throws HistoryIncompleteError when items cannot be found anywhere, unless `onIncomplete` is `'warn'`.
   * @throws ConversationNotFoundError when the given conversation does not exist and the ledger does not know it.
   */
  getItems(limit?: number): Promise<AgentInputItem[]> {
    return this.#run(async ({ history }, mode) => {
      const { items, digest } = await history.read(mode, limit);
      if (digest !== undefined) noteServed(this.#responses, digest);
      return items;
    });
  }

  /**
   * Appends items: to the ledger first, then to the conversation, in pieces of 20.
   *
   * A conversation that cannot be written leaves the items pending and does not fail the call.
   *
   * @throws InvalidItemError before anything is stored.
   */
  addItems(items: AgentInputItem[]): Promise<void> {
    return this.#run(async (open, mode) => {
      const parsed = parseAgentItems(items);
      if (parsed.length === 0) return;
      await this.#store(open, parsed);
      await open.history.open(mode);
      await open.attachment.ledger.commit(() => appendSteps(parsed, this.#options.keepContent));
      await this.#mirror(open);
    });
  }

  /** Removes the newest item and returns it; undefined when there is none. */
  popItem(): Promise<AgentInputItem | undefined> {
    return this.#run(async (open, mode) => {
      const { remote } = open.attachment;
      if (remote !== undefined && servesList(mode) && (await remote.mirror.push()) === 0) {
        return this.#popListed(open, remote);
      }
      await open.history.open(mode);
      const popped = await this.#popRecorded(open);
      await this.#mirror(open);
      return popped;
    });
  }

  /**
   * Removes all items. The conversation is deleted, as the stock session does, and the next use begins a new one with a
   * new ID; with `mirror: 'off'` the ID stays.
   */
  clearSession(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#opened === undefined && this.sessionId === undefined) return;
      const { attachment } = await this.#open();
      await attachment.remote?.mirror.idle();
      await attachment.ledger.commit(() => [{ type: 'clear' }]);
      this.#responses.clear();
      if (attachment.remote === undefined) return;
      // From here on the ledger knows what to do, even if this process does not live to do it.
      this.#opened = undefined;
      this.#current = undefined;
      await deleteConversation(attachment.remote.client, attachment.remote.conversationId);
      await attachment.ledger.delete();
      this.#conversationId = undefined;
    });
  }

  /** How the runner shows a stored item to the model: by content, without the ID it has in the conversation. */
  prepareHistoryItemForModelInput(item: AgentInputItem): AgentInputItem {
    const stock = this.#current?.attachment.remote?.stock;
    if (stock !== undefined && this.#mode !== undefined && servesList(this.#mode))
      return stock.prepareForModel(item);
    return forModel(item);
  }

  /** How the runner compares stored items with the ones it expects: one for one, without what the API changes. */
  prepareHistoryItemsForPersistenceComparison(items: AgentInputItem[]): AgentInputItem[] {
    return items.map((item) => comparable(item));
  }

  /** Reasoning is stored with its ID: the API takes it in no other way. */
  preserveReasoningItemIdsForPersistence(): boolean {
    return true;
  }

  /** Appends the compaction and what follows it; what came before stays in the history and is not sent again. */
  replaceHistoryWithCompaction(items: AgentInputItem[]): Promise<void> {
    return this.addItems(items);
  }

  /** Replaces function calls in the history, as the SDK does when a call was changed before it was approved. */
  applyHistoryMutations({ mutations }: SessionHistoryRewriteArgs): Promise<void> {
    return this.#run(async (open, mode) => {
      if (mutations.length === 0) return;
      const parsed = mutations.map((mutation) => ({
        ...mutation,
        replacement: structuredClone(mutation.replacement),
      }));
      await this.#store(
        open,
        parsed.map(({ replacement }) => replacement),
      );
      await open.history.open(mode);
      const contents = await open.history.contents(await open.attachment.ledger.refresh());
      const items = new Map(contents.map(({ entry, item }) => [entry.seq, item]));
      await open.attachment.ledger.commit((state) =>
        mutationSteps(
          state,
          (entry) => entry.item ?? items.get(entry.seq),
          parsed,
          this.#options.keepContent,
        ),
      );
      await this.#mirror(open);
    });
  }

  /**
   * Applies a change atomically and once, however often it is asked for with the same `operationId`.
   *
   * @throws HistoryTransactionError or InvalidItemError; the history is then unchanged.
   */
  applyHistoryTransaction(args: SessionHistoryTransactionArgs): Promise<void> {
    return this.#run(async (open, mode) => {
      const { operation, transaction } = parseTransaction(args);
      await this.#store(
        open,
        transaction.type === 'append_items' ? transaction.items : transaction.replacement,
      );
      await open.history.open(mode);
      await open.attachment.ledger.refresh();
      await open.attachment.ledger.commit((state) =>
        transactionSteps(state, operation, transaction, this.#options.keepContent),
      );
      await this.#mirror(open);
    });
  }

  /**
   * Where the runner tells a session which response a turn ended with. The ID is recorded; nothing is compacted.
   *
   * @returns null
   */
  runCompaction(args?: OpenAIResponsesCompactionArgs): Promise<null> {
    return this.#run(async ({ attachment }) => {
      const id = args?.responseId;
      if (id === undefined || id === '') return null;
      await attachment.ledger.commit((state) => this.#responses.steps(state, id, args?.store));
      return null;
    });
  }

  /** Reads the list, compares it with the ledger and tells whether the history is proven complete. */
  verify(): Promise<HistoryReport> {
    return this.#run(async ({ history }, mode) => history.verify(mode));
  }

  /**
   * Brings the conversation up to date.
   *
   * @throws MirrorIncompleteError when changes are still pending afterwards; nothing is lost.
   */
  flush(): Promise<void> {
    return this.#queue.run(async () => {
      if (this.#opened === undefined && this.sessionId === undefined) return;
      const { attachment } = await this.#open();
      const pending = (await attachment.remote?.mirror.push()) ?? 0;
      if (pending > 0) throw new MirrorIncompleteError(attachment.sessionId, pending);
    });
  }

  /** The same as `flush()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }

  /** Runs an operation after all that were asked for before, in the mode of this moment. */
  #run<T>(operation: (open: Open, mode: Mode) => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      const open = await this.#open();
      this.#mode = await resolveMode(this.#options.rollout, { sessionId: open.attachment.sessionId });
      return operation(open, this.#mode);
    });
  }

  /** What a request of this turn goes by: the mode in which the history was read. */
  async #atRequest(): Promise<{ sessionId: string; ledger: Ledger; mode: Mode }> {
    const { attachment } = await this.#open();
    const { sessionId, ledger } = attachment;
    return {
      sessionId,
      ledger,
      mode: this.#mode ?? (await resolveMode(this.#options.rollout, { sessionId })),
    };
  }

  async #open(): Promise<Open> {
    this.#opened ??= this.#attach();
    try {
      this.#current = await this.#opened;
      return this.#current;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  async #attach(): Promise<Open> {
    const emit = (event: HybridSessionEvent): void => this.#emit(event);
    const attachment = await attach(this.#options, this.#conversationId, emit);
    this.#conversationId = attachment.remote?.conversationId;
    return { attachment, history: new SessionHistory(attachment, this.#options, emit) };
  }

  #emit(event: HybridSessionEvent): void {
    try {
      this.#options.onEvent(event);
    } catch {
      // Watching never costs a turn.
    }
  }

  /** Makes sure that content which the ledger does not hold is not lost on its way to the conversation. */
  async #store({ attachment }: Open, items: readonly AgentInputItem[]): Promise<void> {
    if (this.#options.keepContent) return;
    const forms = await attachment.reader.apiForms(items);
    const index = forms.findIndex((form, at) => 'unsupported' in form && items[at]?.type !== 'reasoning');
    if (index !== -1) {
      throw new InvalidItemError(
        index,
        'a conversation cannot hold it, and with keepContent: false nothing else would',
      );
    }
    attachment.reader.pin(items);
  }

  async #mirror({ attachment }: Open): Promise<void> {
    const pushed = attachment.remote?.mirror.push();
    if (this.#options.mirror === 'await') await pushed;
  }

  async #popListed(open: Open, remote: Remote): Promise<AgentInputItem | undefined> {
    const popped = await remote.stock.pop();
    const id = popped !== undefined && 'id' in popped ? popped.id : undefined;
    if (id !== undefined) await open.attachment.ledger.commit((state) => removalSteps(state, id));
    return popped;
  }

  async #popRecorded(open: Open): Promise<AgentInputItem | undefined> {
    const { ledger } = open.attachment;
    for (;;) {
      const state = await ledger.refresh();
      const last = state.entries.at(-1);
      if (last === undefined) return undefined;
      const [restored] = await open.history.contents(state, [last]);
      let popped = false;
      // Another writer may have appended meanwhile: then the newest item is another one.
      await ledger.commit((newest) => {
        popped = newest.entries.at(-1)?.seq === last.seq;
        return popped ? [{ type: 'pop' }] : [];
      });
      if (popped) return structuredClone(restored?.item);
    }
  }
}
