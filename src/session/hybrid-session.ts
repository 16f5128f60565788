import type {
  AgentInputItem,
  OpenAIResponsesCompactionArgs,
  OpenAIResponsesCompactionAwareSession,
  OpenAIResponsesCompactionResult,
  SessionHistoryRewriteArgs,
  SessionHistoryRewriteAwareSession,
  SessionHistoryTransactionArgs,
  SessionHistoryTransactionAwareSession,
} from '@openai/agents';
import {
  CHAINING_PORT,
  RECORD_RUN,
  type ChainingPort,
  type ChainedSession,
  type RecordedSession,
  type RecordOptions,
  type RunRecorder,
} from '../chaining/port.ts';
import type { SessionStats } from '../telemetry/stats.ts';
import { appendItems, applyMutations, applyTransaction } from './append.ts';
import { endTurn } from './end-turn.ts';
import { eraseSession, type Erased } from './erase.ts';
import { flush, type FlushOptions } from './flush.ts';
import { heal } from '../heal/heal.ts';
import type { Healed, HealOptions, HealPlan } from '../heal/healed.ts';
import type { HistoryReport } from '../runtime/verify.ts';
import { resolveOptions, type HybridSessionOptions } from '../runtime/options.ts';
import { clearSession } from './clear.ts';
import { comparable } from '../items/same-item.ts';
import { planHeal } from '../heal/dry-run.ts';
import { popItem } from './pop.ts';
import { newestTurns, NOT_SHOWN, prepareHistory, readItems } from './read-items.ts';
import { SessionRuntime } from '../runtime/runtime.ts';
import { recordRun } from './run-recorder.ts';
import { findItems, readTranscript } from './turns/transcript.ts';
import type { TranscriptItem, TranscriptOptions, TranscriptPage } from './turns/transcript.ts';
import { forkSession, readBranches, type Branch, type ForkOptions } from './turns/fork.ts';
import { changeMetadata, readMetadata } from './metadata.ts';
import { readTurns, readUsage, type SessionUsage, type Turn, type TurnsOptions } from './turns/turns.ts';
import { undoTurns, type UndoOptions } from './turns/undo.ts';
import type { SessionMetadata } from '../ledger/record.ts';

/**
 * A session of the OpenAI Agents SDK that cannot lose a turn.
 *
 * A drop-in for `OpenAIConversationsSession`: it writes to the same conversation, but serves the history from its ledger. Calls
 * on one session take effect in call order.
 *
 * @example
 * ```ts
 * const session = new HybridSession({
 *   sessionId: 'user-42',
 *   ledger: sqliteLedger({ path: 'sessions.db' }),
 * });
 * await run(agent, 'Hello', { session });
 * ```
 */
export class HybridSession
  implements
    OpenAIResponsesCompactionAwareSession,
    SessionHistoryRewriteAwareSession,
    SessionHistoryTransactionAwareSession,
    ChainedSession,
    RecordedSession
{
  readonly #runtime: SessionRuntime;
  readonly #given: HybridSessionOptions;

  /** @throws InvalidOptionsError for unknown options, wrong types and impossible combinations. */
  constructor(options: HybridSessionOptions = {}) {
    this.#given = options;
    const runtime = new SessionRuntime(resolveOptions(options));
    runtime.prepareHistory = (...args) => prepareHistory(runtime, ...args);
    this.#runtime = runtime;
  }

  /** Lets the model boundary find responses to continue from. */
  get [CHAINING_PORT](): ChainingPort {
    return this.#runtime.responses;
  }

  /** Begins to record a run as it goes. */
  [RECORD_RUN](options: RecordOptions): RunRecorder {
    return recordRun(this.#runtime, options);
  }

  /**
   * The session's name, which never changes. A session without a name gets the ID of its first conversation; until then it is
   * undefined.
   */
  get sessionId(): string | undefined {
    return this.#runtime.sessionId;
  }

  /**
   * The ID of the conversation that mirrors the history; undefined until the first use finds or creates it. `heal()` and
   * `clearSession()` change it.
   */
  get conversationId(): string | undefined {
    return this.#runtime.conversationId;
  }

  /**
   * Returns the session's name: the option `sessionId`, or else the ID of the first conversation, which this call creates.
   *
   * @throws ConversationsUnavailableError if a conversation is needed and the server has none.
   */
  getSessionId(): Promise<string> {
    return this.#runtime.run(async ({ sessionId }) => sessionId, { writes: this.#runtime.isStock });
  }

  /**
   * Returns a copy of the history that a model sees, oldest item first: all items, or those from the newest compaction on.
   *
   * @param limit the number of newest items to return; without it all. A limit of 0 makes no request, except in `off` and
   * `shadow`, which make those of the stock session.
   * @throws HistoryIncompleteError if no source has an item, unless `onIncomplete` is `'warn'`.
   * @throws ConversationNotFoundError if the given conversation does not exist and the ledger does not know it.
   * @example
   * const lastTen = await session.getItems(10);
   */
  async getItems(limit?: number): Promise<AgentInputItem[]> {
    return readItems(this.#runtime, limit);
  }

  /**
   * Returns a copy of the newest turns that a model sees, oldest item first. Unlike `getItems(limit)` it returns whole turns: no
   * result without its call, and nothing behind a compaction without it.
   *
   * @param turns the number of turns.
   * @throws HistoryIncompleteError if no source has an item, unless `onIncomplete` is `'warn'`.
   * @example
   * const lastThree = await session.getTurnItems(3);
   */
  async getTurnItems(turns: number): Promise<AgentInputItem[]> {
    return newestTurns(await this.getItems(), turns);
  }

  /**
   * Returns a page of everything that was said, oldest item first, with the items that a compaction stands for.
   *
   * @throws HistoryIncompleteError if no source has an item, unless `onIncomplete` is `'warn'`.
   * @throws InvalidOptionsError for a negative or fractional number.
   * @example
   * const { items, next } = await session.transcript({ from: 0, limit: 50 });
   */
  async transcript(options: TranscriptOptions = {}): Promise<TranscriptPage> {
    return readTranscript(this.#runtime, options);
  }

  /**
   * Finds items of the transcript by their text, newest first. Upper and lower case are the same.
   *
   * @example
   * const [item] = await session.find('invoice', { limit: 1 });
   */
  find(text: string, options: { readonly limit?: number } = {}): Promise<TranscriptItem[]> {
    return findItems(this.#runtime, text, options);
  }

  /**
   * Returns turns with their items, responses, usage and state, newest first.
   *
   * @throws InvalidOptionsError for an invalid limit, or a turn that the session does not have.
   * @example
   * const [newest] = await session.turns({ limit: 1 });
   */
  turns(options: TurnsOptions = {}): Promise<Turn[]> {
    return readTurns(this.#runtime, options);
  }

  /** Sums the tokens of all responses by model, and the calls by tool. */
  usage(): Promise<SessionUsage> {
    return readUsage(this.#runtime);
  }

  /** The name of the agent that answered last; undefined if a `HybridRunner` ran no turn of the history. */
  async lastAgent(): Promise<string | undefined> {
    const [turn] = await this.turns({ limit: 1 });
    return turn?.responses.findLast(({ agent }) => agent !== undefined)?.agent;
  }

  /**
   * Takes back the newest turns, all at once, and returns them, oldest first. The next request continues from the response before.
   *
   * @throws InvalidOptionsError for an invalid number, or a turn that the session does not have.
   * @example
   * const [turn] = await session.undo();
   */
  undo(options: UndoOptions = {}): Promise<Turn[]> {
    return undoTurns(this.#runtime, options);
  }

  /**
   * Begins another session with the history up to a turn. Both go on independently, each with its own conversation.
   *
   * @throws InvalidOptionsError for a turn that the session does not have, or a name that a session has.
   * @example
   * const other = await session.fork({ sessionId: 'user-42-b' });
   */
  async fork(options: ForkOptions = {}): Promise<HybridSession> {
    const { ledger } = this.#runtime.options;
    const sessionId = await this.#runtime.run((...open) => forkSession(this.#runtime, ...open, options));
    return new HybridSession({ ...this.#given, ledger, sessionId, conversationId: undefined });
  }

  /** Returns the sessions that began as forks of this one and still exist, oldest first. */
  branches(): Promise<Branch[]> {
    return readBranches(this.#runtime);
  }

  /** Returns the values that the app has stored with the session, such as a title or an owner, without reading the history. */
  metadata(): Promise<SessionMetadata> {
    return readMetadata(this.#runtime);
  }

  /**
   * Changes some of the app's values, at most 8 KiB of JSON in all; null removes one.
   *
   * @throws InvalidOptionsError for a value that is not JSON, or too many bytes.
   * @example
   * await session.setMetadata({ title: 'Invoices', owner: 'user-42' });
   */
  setMetadata(changes: SessionMetadata): Promise<SessionMetadata> {
    return changeMetadata(this.#runtime, changes);
  }

  /**
   * Appends items to the ledger first, then to the conversation, in batches of 20.
   *
   * If the conversation cannot be written, the items stay pending and the call succeeds. An empty list makes no request.
   *
   * @throws InvalidItemError before any write.
   * @example
   * await session.addItems([{ role: 'user', content: 'Hello' }]);
   */
  async addItems(items: AgentInputItem[]): Promise<void> {
    await appendItems(this.#runtime, items);
  }

  /**
   * Removes the newest item and returns it.
   *
   * @returns undefined if the history is empty. No conversation is created then, except in `off` and `shadow`, like the stock
   * session.
   * @throws HistoryIncompleteError if no source has the item's content, unless `onIncomplete` is `'warn'`.
   */
  popItem(): Promise<AgentInputItem | undefined> {
    return popItem(this.#runtime);
  }

  /**
   * Removes all items from the ledger, and deletes the conversation, like the stock session. The session keeps its name; the
   * next write creates another conversation. A turn that another process appends at the same time is either cleared or kept
   * whole. If the conversation cannot be deleted now, a `warning` event with code `mirror_failed` is emitted, and a later use
   * deletes it.
   *
   * @throws ConversationNotFoundError if neither the API nor the ledger knows the conversation.
   */
  async clearSession(): Promise<void> {
    await clearSession(this.#runtime);
  }

  /**
   * Converts a stored item to model input for the runner: by content, without its ID in the conversation. Reasoning that
   * cannot be sent to a model again is omitted.
   */
  prepareHistoryItemForModelInput(item: AgentInputItem): AgentInputItem {
    return this.#runtime.forModelInput(item) ?? NOT_SHOWN;
  }

  /** Normalizes items for the runner's comparison of stored and expected items: fields that the API changes are removed. */
  prepareHistoryItemsForPersistenceComparison(items: AgentInputItem[]): AgentInputItem[] {
    return items.map((item) => comparable(item));
  }

  /** True, because the API rejects reasoning without its ID. */
  preserveReasoningItemIdsForPersistence(): boolean {
    return true;
  }

  /** Appends the compaction and the items after it. A model sees these; the transcript keeps the earlier items. */
  replaceHistoryWithCompaction(items: AgentInputItem[]): Promise<void> {
    return this.addItems(items);
  }

  /**
   * Replaces function calls in the history. The SDK calls this when a call was changed before its approval.
   *
   * @throws InvalidItemError before any write.
   */
  async applyHistoryMutations(args: SessionHistoryRewriteArgs): Promise<void> {
    await applyMutations(this.#runtime, args);
  }

  /**
   * Applies a change atomically, and only once for each `operationId`.
   *
   * @throws HistoryTransactionError if the transaction is invalid or its precondition fails. The history is then unchanged.
   * @throws InvalidItemError before any write.
   */
  async applyHistoryTransaction(args: SessionHistoryTransactionArgs): Promise<void> {
    await applyTransaction(this.#runtime, args);
  }

  /**
   * Records the response that ended a turn. The runner calls this after each turn.
   *
   * With `force`, compacts the history now: a model sees the API's compaction in place of the earlier items, which stay in the
   * transcript.
   *
   * @returns the usage of the compaction; null without `force`, or if the history changed meanwhile.
   * @throws CompactionError with `force`, if the history cannot be compacted. It stays as it was.
   * @example
   * await session.runCompaction({ force: true });
   */
  async runCompaction(args?: OpenAIResponsesCompactionArgs): Promise<OpenAIResponsesCompactionResult | null> {
    const isForced = args?.force === true;
    if (!isForced || args.responseId !== undefined) await endTurn(this.#runtime, args);
    return isForced ? ((await this.#runtime.compactor.compact()) ?? null) : null;
  }

  /**
   * Returns counts and rates of this session object so far, as plain JSON without content and IDs.
   */
  stats(): SessionStats {
    return this.#runtime.stats();
  }

  /**
   * Compares the conversation's list with the ledger, reads every item back, and reports whether the history is proven
   * complete. Changes neither of them. For a session without a name, the first use creates a conversation.
   *
   * @throws ConversationNotFoundError if the given conversation does not exist and the ledger does not know it.
   * @example
   * const { verified, findings } = await session.verify();
   */
  verify(): Promise<HistoryReport> {
    return this.#runtime.run(async ({ history }, mode) => history.verify(mode), { begins: true });
  }

  /**
   * Writes all pending changes to the conversation. With a timeout, the rest is written later.
   *
   * @returns the number of changes that are still pending; 0 without a timeout.
   * @throws MirrorIncompleteError if changes are still pending, unless a timeout was given. They stay in the ledger.
   * @throws LedgerUnreadableError if the ledger cannot be read.
   */
  flush(options: FlushOptions = {}): Promise<number> {
    return flush(this.#runtime, options);
  }

  /**
   * Writes the whole history to a new conversation, and verifies its list by digest. Items that the API has stored are linked
   * by ID; all others are written by content. The session keeps its name, and every process uses the new conversation. The old
   * conversation stays unchanged, unless `previous` is `'delete'`.
   *
   * If a heal was interrupted, the next call of any process continues it. A healed conversation that still lists the whole
   * history is kept.
   *
   * @throws HealError if the new conversation cannot be written or verified. The session keeps the old one.
   * @throws HistoryIncompleteError if no source has an item.
   * @example
   * ```ts
   * const plan = await session.heal({ dryRun: true });
   * const healed = await session.heal();
   * ```
   */
  heal(options: HealOptions & { readonly dryRun: true }): Promise<HealPlan>;
  heal(options?: HealOptions & { readonly dryRun?: false | undefined }): Promise<Healed>;
  heal(options?: HealOptions): Promise<Healed | HealPlan>;
  async heal(options: HealOptions = {}): Promise<Healed | HealPlan> {
    if (options.dryRun === true)
      return this.#runtime.aside((names) => planHeal(this.#runtime.options, names));
    return heal(this.#runtime, options);
  }

  /**
   * Deletes the session's ledger; with `remote`, also its responses and all of its conversations at the API. The next use
   * begins another session.
   *
   * @param options `remote` is false by default.
   * @returns the deleted IDs and counts. They are empty, with an empty `sessionId`, if the session had not begun.
   */
  async erase({ remote: isRemote = false }: { readonly remote?: boolean } = {}): Promise<Erased> {
    return eraseSession(this.#runtime, isRemote);
  }

  /**
   * Calls `flush()` at the end of an `await using` block.
   *
   * @throws MirrorIncompleteError if changes are still pending.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
  }
}
