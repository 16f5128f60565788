import type {
  AgentInputItem,
  OpenAIResponsesCompactionArgs,
  OpenAIResponsesCompactionAwareSession,
  SessionHistoryRewriteArgs,
  SessionHistoryRewriteAwareSession,
  SessionHistoryTransactionArgs,
  SessionHistoryTransactionAwareSession,
} from '@openai/agents';
import { MirrorIncompleteError } from '../errors/mirror-incomplete-error.ts';
import { parseAgentItems } from '../ledger/agent-item.ts';
import { CHAIN, type Chain, type ChainedSession } from '../model/chain.ts';
import { forModel } from '../model/for-model.ts';
import type { SessionStats } from '../telemetry/session-stats.ts';
import { updateMirror } from './change-history.ts';
import { appendItems, applyMutations, applyTransaction } from './changes.ts';
import { erase, type Erased } from './erase.ts';
import { healSession } from './heal-session.ts';
import type { Healed, HealOptions, HealPlan } from './healed.ts';
import type { HistoryReport } from './history-report.ts';
import { resolveOptions, type HybridSessionOptions, type ResolvedOptions } from './hybrid-session-options.ts';
import { clearSession } from './clear-session.ts';
import { comparable } from './comparable.ts';
import { parseMutations } from './parse-mutations.ts';
import { parseTransaction } from './parse-transaction.ts';
import { planHeal } from './plan-heal.ts';
import { popListed, popRecorded } from './pop.ts';
import { readItems } from './read-items.ts';
import { servesList } from './session-history.ts';
import { SessionLife } from './session-life.ts';

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
  readonly #life: SessionLife;

  /** @throws InvalidOptionsError for unknown options, wrong types and impossible pairs. */
  constructor(options: HybridSessionOptions = {}) {
    this.#options = resolveOptions(options);
    this.#life = new SessionLife(this.#options);
  }

  /** For the model boundary: what it may continue from. */
  get [CHAIN](): Chain {
    return this.#life.responses;
  }

  /** The session's ID as far as it is known: undefined until the conversation is created. */
  get sessionId(): string | undefined {
    return this.#life.sessionId;
  }

  /** The session's ID: the conversation's, created now if there is none, or `sessionId` with `mirror: 'off'`. */
  getSessionId(): Promise<string> {
    return this.#life.run(async ({ attachment }) => attachment.sessionId);
  }

  /**
   * The history, oldest first; with a limit its newest items. What is returned is a copy.
   *
   * @throws HistoryIncompleteError when items cannot be found anywhere, unless `onIncomplete` is `'warn'`.
   * @throws ConversationNotFoundError when the given conversation does not exist and the ledger does not know it.
   */
  getItems(limit?: number): Promise<AgentInputItem[]> {
    return readItems(this.#life, limit);
  }

  /**
   * Appends items: to the ledger first, then to the conversation, in pieces of 20.
   *
   * A conversation that cannot be written leaves the items pending and does not fail the call.
   *
   * @throws InvalidItemError before anything is stored.
   */
  async addItems(items: AgentInputItem[]): Promise<void> {
    // Now, not in turn: what becomes of the caller's array afterwards is the caller's business.
    await appendItems(this.#life, this.#options, parseAgentItems(items));
  }

  /** Removes the newest item and returns it; undefined when there is none. */
  popItem(): Promise<AgentInputItem | undefined> {
    return this.#life.run(async ({ attachment, history }, mode) => {
      const { ledger, remote } = attachment;
      const isListed = remote !== undefined && servesList(mode) && (await remote.mirror.push()) === 0;
      if (!isListed) await history.open(mode);
      const popped = isListed
        ? await popListed(ledger, remote, history, mode)
        : await popRecorded(ledger, history);
      await updateMirror(attachment, this.#options);
      return popped;
    }, true);
  }

  /**
   * Removes all items. The conversation is deleted, as the stock session does, and the next use begins a new one with a
   * new ID; with `mirror: 'off'` the ID stays. What another process says meanwhile stays, and goes on under the new ID.
   *
   * @throws ConversationNotFoundError when neither the API nor the ledger knows the conversation, or the client's error:
   * the session is then cleared all the same, and the next use deletes what is left. What was said meanwhile and could not be
   * moved is in the ledger; `heal()` moves it.
   */
  async clearSession(): Promise<void> {
    await clearSession(this.#life, this.#options);
  }

  /** How the runner shows a stored item to the model: by content, without the ID it has in the conversation. */
  prepareHistoryItemForModelInput(item: AgentInputItem): AgentInputItem {
    const { open, mode } = this.#life.current;
    const stock = mode !== undefined && servesList(mode) ? open?.attachment.remote?.stock : undefined;
    if (stock !== undefined) return stock.prepareForModel(item);
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
  async applyHistoryMutations(args: SessionHistoryRewriteArgs): Promise<void> {
    await applyMutations(this.#life, this.#options, parseMutations(args));
  }

  /**
   * Applies a change atomically and once, however often it is asked for with the same `operationId`.
   *
   * @throws HistoryTransactionError or InvalidItemError; the history is then unchanged.
   */
  async applyHistoryTransaction(args: SessionHistoryTransactionArgs): Promise<void> {
    await applyTransaction(this.#life, this.#options, parseTransaction(args));
  }

  /**
   * Where the runner tells a session which response a turn ended with. The ID is recorded; nothing is compacted.
   *
   * @returns null
   */
  runCompaction(args?: OpenAIResponsesCompactionArgs): Promise<null> {
    return this.#life.run(async ({ attachment, history }, mode) => {
      const { ledger, sessionId } = attachment;
      const given: unknown = args?.responseId;
      // A server may answer without an ID, or with one that is none.
      const id = typeof given === 'string' && given !== '' ? given : undefined;
      if (id === undefined) {
        this.#life.turnEnded(sessionId, id, await ledger.tip());
        return null;
      }
      await history.open(mode);
      const state = await ledger.commitTip((newest) =>
        this.#life.responses.steps(newest, id, args?.store !== false, this.#life.turn.seen),
      );
      this.#life.turnEnded(sessionId, id, state);
      return null;
    });
  }

  /** What this session object has seen so far, in counts and rates: plain JSON, no content, no IDs. */
  stats(): SessionStats {
    return this.#life.stats();
  }

  /** Reads the list, compares it with the ledger and tells whether the history is proven complete. */
  verify(): Promise<HistoryReport> {
    return this.#life.run(async ({ history }, mode) => history.verify(mode), true);
  }

  /**
   * Brings the conversation up to date.
   *
   * @throws MirrorIncompleteError when changes are still pending afterwards; nothing is lost.
   */
  async flush(): Promise<void> {
    await this.#life.runIfBegun(async ({ attachment: { sessionId, remote } }) => {
      const pending = (await remote?.mirror.push({ untilFree: true })) ?? 0;
      if (pending > 0) throw new MirrorIncompleteError(sessionId, pending);
    });
  }

  /**
   * Writes the whole history to a fresh conversation, each item by its ID where the API has it stored and by its content
   * otherwise, checks by digest that the list shows it, and goes on there; so does every session that is or will be
   * attached to the old one. That stays at the API as it is.
   *
   * A heal that ended early is taken up where it stopped, by this call or another process's. A history that came from a
   * heal and is still listed whole is not written again.
   *
   * @throws HealError or HistoryIncompleteError: nothing is lost then, and the session goes on where it is.
   */
  heal(options: HealOptions & { readonly dryRun: true }): Promise<HealPlan>;
  heal(options?: HealOptions & { readonly dryRun?: false | undefined }): Promise<Healed>;
  heal(options?: HealOptions): Promise<Healed | HealPlan>;
  async heal(options: HealOptions = {}): Promise<Healed | HealPlan> {
    if (options.dryRun === true) return this.#life.aside((id) => planHeal(this.#options, id));
    return healSession(this.#life, this.#options, options);
  }

  /**
   * Removes every trace of the session from its ledger; with `remote`, its responses and its conversation from the API
   * too. The next use begins anew, with a new conversation where the old one was deleted.
   *
   * @returns what was removed.
   */
  erase({ remote = false }: { readonly remote?: boolean } = {}): Promise<Erased> {
    return this.#life.run(async ({ attachment }) => {
      await attachment.remote?.mirror.idle();
      const erased = await erase(attachment, this.#options.ledger, remote);
      this.#life.end(remote ? 'gone' : 'kept');
      return erased;
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.flush();
  }
}
