import type { AgentInputItem } from '@openai/agents';
import { HistoryIncompleteError } from '../errors/session.ts';
import type { Finding } from '../history/compare-list.ts';
import type { ListedItem } from '../conversation/items.ts';
import { circuitBreakerOf } from '../conversation/circuit-breaker.ts';
import type { RestoredItem } from '../history/restore.ts';
import { clock, hasPassed } from '../util/clock.ts';
import { copyJson } from '../util/copy-json.ts';
import { type LedgerEntry, type LedgerState } from '../ledger/state.ts';
import { compactedItems, seenDigest, seenHistory, seenLength } from '../ledger/view.ts';
import { ConversationReplaced } from '../ledger/attached-conversation.ts';
import { replayInputBytes } from '../items/model-input.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import { toNotFoundError, failureReason } from '../conversation/api-error.ts';
import type { SessionContext, MirroredConversation } from './open.ts';
import { type HistoryReport, takeList, verifyHistory } from './verify.ts';
import { hasMismatchedId, withoutMismatchedId } from '../history/mismatched-id.ts';
import { type CheckedList, ListCheckSchedule } from '../mirror/list-check.ts';
import type { Span } from '../telemetry/span.ts';
import { readWhole, type WholeRead } from './read-whole.ts';
import { unreplayable } from '../history/unreplayable.ts';
import { countSources, missingItems } from '../history/verify.ts';

/** The result of a read. */
export interface ServedHistory {
  /** Undefined if the list was served. */
  readonly state: LedgerState | undefined;
  readonly items: AgentInputItem[];
  /** Undefined unless the whole history of the ledger was served. */
  readonly digest: string | undefined;
  /** Items that the list has lost; undefined if the list was not compared. */
  readonly lost: readonly Finding[] | undefined;
  /** The keys of items that cannot be sent to a model again; undefined if only part of the history was read. */
  readonly unreplayable: ReadonlySet<string> | undefined;
  /** The approximate size of the items in a request, in bytes. Only `shadow` counts it, to estimate costs. */
  readonly bytes: number;
}

/** The pause between two background comparisons of the list. */
const COMPARE_INTERVAL_MS = 60 * 60 * 1000;

/** The pause after a failed background comparison. */
const RETRY_INTERVAL_MS = 60 * 1000;

/** Reads a session's history as its mode requires, and emits events for losses. */
export class SessionHistory {
  readonly #context: SessionContext;
  readonly #due: ListCheckSchedule;
  /** IDs of served items under which the API holds other items. */
  readonly #idsOfOthers = new Set<string>();

  constructor(context: SessionContext) {
    this.#context = context;
    this.#due = new ListCheckSchedule(context.existed, () => context.conversation?.sync.rewinds ?? 0);
  }

  /**
   * Returns copies of the history, oldest first; with a limit its newest items.
   *
   * @throws HistoryIncompleteError, unless `onIncomplete` is `'warn'`.
   */
  async read(mode: Mode, limit: number | undefined, span: Span): Promise<ServedHistory> {
    const { ledger, sessionId } = this.#context;
    span.setAttributes({ sessionId, mode });
    const listed = await this.listedConversation(mode);
    if (listed !== undefined) {
      const { items, lost } = await this.#readList(listed, mode, limit);
      span.setAttributes({ served: 'list', items: items.length, lost: lost?.length });
      const bytes = rulesOf(mode).compares ? replayInputBytes(items) : 0;
      return { state: undefined, items, digest: undefined, lost, bytes, unreplayable: new Set() };
    }
    const known = await ledger.read({ scope: 'seen', fresh: true });
    const checked = await this.open(mode, { state: known, isRead: true });
    const { state, restored } = await span.child('restore', (part) =>
      this.#restore((newer) => newestOf(seenHistory(newer).entries, limit), known, checked, part),
    );
    this.#tellRestored(checked, restored);
    this.#refuseIncomplete(state, restored);
    const compacted = newestOf(
      compactedItems(state),
      limit === undefined ? undefined : limit - restored.length,
    );
    const served = [...compacted, ...restored.flatMap((one) => this.#served(one))];
    const items = copyJson(served) as AgentInputItem[];
    const lost = checked && lostIn(checked);
    span.setAttributes({ served: 'ledger', items: items.length, lost: lost?.length });
    const length = seenLength(state);
    const isPart = compacted.length + restored.length < length;
    return {
      state,
      items,
      digest: items.length === length ? seenDigest(state) : undefined,
      lost,
      bytes: 0,
      unreplayable: isPart ? undefined : this.unreplayable(state, restored),
    };
  }

  /** The conversation, if this mode serves its list; undefined if the mode serves the ledger, or changes are still pending. */
  async listedConversation(mode: Mode): Promise<MirroredConversation | undefined> {
    const { conversation } = this.#context;
    if (conversation === undefined || rulesOf(mode).serves !== 'list') return undefined;
    return (await conversation.mirror.pushWithTimeout()) === 0 ? conversation : undefined;
  }

  /** Removes the ID of a served item if the API holds another item under it. */
  withOwnId(item: AgentInputItem): AgentInputItem {
    const id = 'id' in item ? item.id : undefined;
    const isOfOther = id !== undefined && this.#idsOfOthers.has(id);
    return (isOfOther ? withoutMismatchedId(item) : undefined) ?? item;
  }

  /** Omits reasoning that a model could only read by an ID of another item. */
  #served({ entry, item }: RestoredItem): AgentInputItem[] {
    if (item === undefined) return [];
    const id = 'id' in item ? item.id : undefined;
    if (!hasMismatchedId(entry)) {
      if (id !== undefined) this.#idsOfOthers.delete(id);
      return [item];
    }
    if (id !== undefined) this.#idsOfOthers.add(id);
    return withoutMismatchedId(item) === undefined ? [] : [item];
  }

  /** Reads entries back, and traces the sources of their content. */
  async #restore(
    choose: (state: LedgerState) => readonly LedgerEntry[],
    known: LedgerState,
    checked: CheckedList | undefined,
    span: Span,
  ): Promise<WholeRead> {
    const { sessionId, options } = this.#context;
    // The comparison may have appended to the ledger.
    const state = checked === undefined ? known : undefined;
    const whole = await this.#readWhole(choose, {
      list: checked?.list,
      state,
      mayLack: options.onIncomplete === 'warn',
    });
    const missing = missingItems(whole.state, whole.restored).length;
    span.setAttributes({ sessionId, reason: checked === undefined ? 'ledger' : 'checked', missing });
    span.setAttributes(countSources(whole.restored));
    return whole;
  }

  /** The keys of items that cannot be sent to a model again. */
  unreplayable(state: LedgerState, restored: readonly RestoredItem[]): ReadonlySet<string> {
    return unreplayable(state, restored, {
      now: clock.now(),
      responseTtl: this.#context.options.responseTtl,
    });
  }

  /** Reads the chosen entries of the newest state with their content. */
  async contents(choose: (state: LedgerState) => readonly LedgerEntry[]): Promise<WholeRead> {
    const whole = await this.#readWhole(choose);
    this.#refuseIncomplete(whole.state, whole.restored);
    return whole;
  }

  /**
   * Compares the list if the ledger does not know the session, and with `on-read` before every read.
   *
   * If the list cannot be read, the session continues from the ledger. A session that the ledger does not know fails.
   *
   * @param known the newest state, if the caller has it; `isRead` before a read of the history.
   * @throws ConversationNotFoundError, or the client's error, if neither the list nor the ledger can be served.
   */
  async open(
    mode: Mode,
    known: { readonly state?: LedgerState; readonly isRead?: boolean } = {},
  ): Promise<CheckedList | undefined> {
    const { conversation, ledger, sessionId } = this.#context;
    if (conversation === undefined) return undefined;
    const { isRead = false, state = await ledger.read({ scope: 'tail' }) } = known;
    const { version, conversation: named } = state;
    // The ledger has no items of a conversation that it does not name.
    const isUnknown = this.#due.isUnknown(named === undefined ? 0 : version);
    const isDue = isUnknown || this.#due.isRewound || (isRead && this.#context.options.compare === 'on-read');
    if (!isDue) return undefined;
    try {
      const breaker = circuitBreakerOf(conversation.client);
      if (!isUnknown && !breaker.allowsRequest()) throw breaker.error;
      // The comparison would attribute a write in flight to another client.
      await (isUnknown ? conversation.mirror.idle() : conversation.mirror.idleWithTimeout());
      const checked = await conversation.check.read();
      this.#due.markChecked();
      this.#tell(checked, mode);
      return checked;
    } catch (error) {
      if (error instanceof ConversationReplaced) throw error;
      if (isUnknown) throw toNotFoundError(error, conversation.conversationId);
      this.#context.telemetry.warningsOf(sessionId)({ code: 'list_failed', reason: failureReason(error) });
      return undefined;
    }
  }

  /** Compares the list in the background after a turn, at most once per interval. */
  turnEnded(mode: Mode): void {
    const { conversation } = this.#context;
    if (conversation === undefined || this.#context.options.compare !== 'auto') return;
    if (rulesOf(mode).serves === 'list') return;
    const { sync, client } = conversation;
    const isDue = hasPassed(sync.listComparedAt, COMPARE_INTERVAL_MS);
    if (!isDue || sync.backgroundCompare !== undefined || !circuitBreakerOf(client).allowsRequest()) return;
    const comparing = new AbortController();
    sync.backgroundCompare = comparing;
    void sync.queue.run(async () => {
      await clock.sleep(0);
      await this.#compareInBackground(conversation, mode, comparing.signal);
      sync.backgroundCompare = undefined;
    });
  }

  /** Runs in the mirror's queue, so that no write is in flight. */
  async #compareInBackground(
    { check, sync }: MirroredConversation,
    mode: Mode,
    signal: AbortSignal,
  ): Promise<void> {
    const { sessionId, ledger, reader } = this.#context;
    try {
      const checked = await check.read({ signal });
      this.#due.markChecked();
      this.#tell(checked, mode);
      const lost = new Set(lostIn(checked).map(({ id }) => id));
      if (lost.size === 0) return;
      const state = await ledger.read();
      const entries = state.entries.filter(({ mirrorId = '' }) => lost.has(mirrorId));
      this.#tellRestored(checked, await reader.restore(state, entries, checked.list));
    } catch (error) {
      sync.listComparedAt = clock.now() - COMPARE_INTERVAL_MS + RETRY_INTERVAL_MS;
      // The next operation compares the list of the new conversation.
      if (error instanceof ConversationReplaced || signal.aborted) return;
      this.#context.telemetry.warningsOf(sessionId)({ code: 'list_failed', reason: failureReason(error) });
    }
  }

  /** Compares the list with the ledger, reads every item back, and reports the losses. Writes nothing. */
  async verify(mode: Mode): Promise<HistoryReport> {
    const report = await verifyHistory(this.#context, mode);
    this.#tellLost(lostIn(report), mode);
    return report;
  }

  /** Compares the list with the ledger at once; undefined without a conversation. */
  async check(mode: Mode): Promise<(CheckedList & { readonly gone?: boolean }) | undefined> {
    const { conversation } = this.#context;
    if (conversation === undefined) return undefined;
    await conversation.mirror.idle();
    const checked = await takeList(this.#context.ledger, conversation);
    this.#due.markChecked();
    this.#tell(checked, mode);
    return checked;
  }

  #readWhole(
    choose: (state: LedgerState) => readonly LedgerEntry[],
    known: KnownToRead = {},
  ): Promise<WholeRead> {
    const { ledger, reader, conversation } = this.#context;
    const idle = async (): Promise<void> => conversation?.mirror.idle();
    const { list, state, mayLack = false } = known;
    return readWhole({ ledger, reader, idle, mayLack }, choose, list, {
      read: async (how) => (how?.fresh === true ? undefined : state) ?? ledger.read(how),
    });
  }

  async #readList(
    conversation: MirroredConversation,
    mode: Mode,
    limit: number | undefined,
  ): Promise<Pick<ServedHistory, 'items' | 'lost'>> {
    const { reader } = this.#context;
    const before = await conversation.check.ledgerBeforeList();
    const read = await conversation.stock.read(limit).catch((error: unknown) => {
      throw toNotFoundError(error, conversation.conversationId);
    });
    if (limit !== undefined) return { items: read.items, lost: undefined };
    const checked = await conversation.check.applyList(await reader.toListedItems(read.list), before);
    this.#due.markChecked();
    this.#tell(checked, mode);
    return { items: read.items, lost: lostIn(checked) };
  }

  #tell(checked: CheckedList, mode: Mode): void {
    this.#tellLost(lostIn(checked), mode);
  }

  /** Emits each loss once per process, for all objects of the session. */
  #tellLost(lost: readonly Finding[], mode: Mode): void {
    const { sessionId, conversation } = this.#context;
    const told = conversation?.sync.reportedLost ?? new Set();
    const ids = new Set(lost.map(({ id }) => id));
    for (const id of told) if (!ids.has(id)) told.delete(id);
    const findings = lost.filter(({ id }) => !told.has(id));
    if (!rulesOf(mode).reports || findings.length === 0) return;
    for (const { id } of findings) told.add(id);
    this.#context.telemetry.event({ type: 'lost', sessionId, mode, findings, total: lost.length });
  }

  #tellRestored(checked: CheckedList | undefined, restored: readonly RestoredItem[]): void {
    const lost = new Set(checked && lostIn(checked).map(({ id }) => id));
    const again = restored.filter(({ entry, item }) => item !== undefined && lost.has(entry.mirrorId ?? ''));
    if (again.length === 0) return;
    const sources = countSources(again);
    this.#context.telemetry.event({
      type: 'restored',
      sessionId: this.#context.sessionId,
      count: again.length,
      sources,
    });
  }

  #refuseIncomplete(state: LedgerState, restored: readonly RestoredItem[]): void {
    const missing = missingItems(state, restored);
    if (missing.length === 0) return;
    const { sessionId } = this.#context;
    this.#context.telemetry.event({ type: 'incomplete', sessionId, missing });
    // Models answer without earlier reasoning, so no digest covers it.
    const essential = missing.filter(({ kind }) => kind !== 'reasoning');
    if (essential.length > 0 && this.#context.options.onIncomplete === 'throw') {
      throw new HistoryIncompleteError(sessionId, essential);
    }
  }
}

function lostIn({ findings }: Pick<CheckedList, 'findings'>): readonly Finding[] {
  return findings.filter(({ type }) => type === 'lost');
}

function newestOf<T>(all: readonly T[], limit: number | undefined): readonly T[] {
  if (limit === undefined) return all;
  return limit <= 0 ? [] : all.slice(-limit);
}

/** Facts of an earlier read, which save requests. */
interface KnownToRead {
  readonly list?: readonly ListedItem[] | undefined;
  readonly state?: LedgerState | undefined;
  /** Whether content that the API does not return counts as missing, instead of failing the read. @default false */
  readonly mayLack?: boolean;
}

/** A session that is attached to its ledger and, if it has one, its conversation. */
export interface OpenSession extends SessionContext {
  readonly history: SessionHistory;
}
