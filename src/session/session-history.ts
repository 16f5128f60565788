import type { AgentInputItem } from '@openai/agents';
import { HistoryIncompleteError } from '../errors/history-incomplete-error.ts';
import { statusOf } from '../history/api-error.ts';
import type { Finding } from '../history/finding.ts';
import type { ListedItem } from '../history/listed-item.ts';
import type { RestoredItem } from '../history/restore.ts';
import { digestOf, pendingChanges, type LedgerEntry, type LedgerState } from '../ledger/ledger-state.ts';
import { SessionMoved } from '../ledger/session-moved.ts';
import { bytesForModel } from '../model/for-model.ts';
import type { Mode } from '../rollout/mode.ts';
import { asNotFound } from './as-not-found.ts';
import type { Attachment, Remote } from './attachment.ts';
import { failureReason } from './failure-reason.ts';
import type { HistoryReport } from './history-report.ts';
import type { ResolvedOptions } from './hybrid-session-options.ts';
import type { CheckedList } from './list-check.ts';
import { ListDue } from './list-due.ts';
import type { HybridSessionEvent } from '../telemetry/session-event.ts';
import type { Watch } from '../telemetry/telemetry.ts';
import { readWhole, type WholeRead } from './read-whole.ts';
import { countSources, isVerified, missingItems } from './verification.ts';

/** What was served; with the digest where it is the whole history as the ledger has it. */
export interface ServedHistory {
  readonly items: AgentInputItem[];
  readonly digest: string | undefined;
  /** What the list has lost; undefined where it was not compared. */
  readonly lost: readonly Finding[] | undefined;
  /** About what the items take in a request, in bytes; counted in `shadow` only, which is about what they cost. */
  readonly bytes: number;
}

/** Whether a mode serves the list as the stock session does. */
export function servesList(mode: Mode): boolean {
  return mode === 'off' || mode === 'shadow';
}

/** Reads a session's history the way its mode asks for, and tells what it noticed. */
export class SessionHistory {
  readonly #attachment: Attachment;
  readonly #options: ResolvedOptions;
  readonly #emit: (event: HybridSessionEvent) => void;
  readonly #due: ListDue;

  constructor(attachment: Attachment, options: ResolvedOptions, emit: (event: HybridSessionEvent) => void) {
    this.#attachment = attachment;
    this.#options = options;
    this.#emit = emit;
    this.#due = new ListDue(attachment.existed, options.checkList !== 'never');
  }

  /**
   * The history, oldest first; with a limit its newest items. Copies.
   *
   * @throws HistoryIncompleteError, unless `onIncomplete` is `'warn'`.
   */
  async read(mode: Mode, limit: number | undefined, watch: Watch): Promise<ServedHistory> {
    const { ledger, remote, sessionId } = this.#attachment;
    watch.note({ sessionId, mode });
    if (remote !== undefined && servesList(mode) && (await remote.mirror.push()) === 0) {
      const { items, lost } = await this.#readList(remote, mode, limit);
      watch.note({ served: 'list', items: items.length, lost: lost?.length });
      return { items, digest: undefined, lost, bytes: mode === 'shadow' ? bytesForModel(items) : 0 };
    }
    await ledger.refresh();
    const checked = await this.open(mode, true);
    const { state, restored } = await watch.part('restore', (part) =>
      this.#restore((newer) => newest(newer, limit), checked, part),
    );
    this.#tellRestored(checked, restored);
    this.#refuseIncomplete(state, restored);
    const items = structuredClone(restored.flatMap(({ item }) => (item === undefined ? [] : [item])));
    const lost = checked && lostIn(checked);
    watch.note({ served: 'ledger', items: items.length, lost: lost?.length });
    return {
      items,
      digest: items.length === state.entries.length ? digestOf(state) : undefined,
      lost,
      bytes: 0,
    };
  }

  /** Reads entries back and tells from where they came. */
  async #restore(
    choose: (state: LedgerState) => readonly LedgerEntry[],
    checked: CheckedList | undefined,
    watch: Watch,
  ): Promise<WholeRead> {
    const whole = await this.#readWhole(choose, checked?.list);
    const { sessionId } = this.#attachment;
    const missing = missingItems(whole.state, whole.restored).length;
    watch.note({ sessionId, reason: checked === undefined ? 'ledger' : 'checked', missing });
    watch.note(countSources(whole.restored));
    return whole;
  }

  /** The entries that are wanted of the newest state, with their content, and that state. */
  async contents(choose: (state: LedgerState) => readonly LedgerEntry[]): Promise<WholeRead> {
    const whole = await this.#readWhole(choose, undefined);
    this.#refuseIncomplete(whole.state, whole.restored);
    return whole;
  }

  /**
   * Compares the list with the ledger when that is due.
   *
   * A list that cannot be read costs nothing as long as the ledger knows the session.
   *
   * @param isRead whether the history is about to be read, which is when `every-read` looks.
   * @throws ConversationNotFoundError, or the client's error, when there is nothing to serve.
   */
  async open(mode: Mode, isRead = false): Promise<CheckedList | undefined> {
    const { remote, ledger, sessionId } = this.#attachment;
    if (remote === undefined) return undefined;
    const { version } = await ledger.tip();
    const isDue = isRead && this.#options.checkList === 'every-read';
    if (!isDue && this.#due.reason(version, isRead) === undefined) return undefined;
    try {
      // What is being written now would be taken for somebody else's.
      await remote.mirror.idle();
      const checked = await remote.check.read();
      this.#due.checked();
      this.#tell(checked, mode);
      return checked;
    } catch (error) {
      if (error instanceof SessionMoved) throw error;
      if (this.#due.isUnknown(version)) throw asNotFound(error, remote.conversationId);
      this.#due.tried();
      this.#emit({ type: 'list_failed', sessionId, reason: failureReason(error) });
      return undefined;
    }
  }

  /** The history is not read now: the list is compared when it is, not before something is written. */
  postponeCheck(): void {
    this.#due.tried();
  }

  /** Reads the list, compares, restores, and says what it found. Writes nothing to the conversation. */
  async verify(mode: Mode): Promise<HistoryReport> {
    const { ledger, remote, sessionId } = this.#attachment;
    const checked = await this.check(mode);
    await ledger.refresh();
    const { state, restored } = await this.#readWhole(({ entries }) => entries, checked?.list);
    return {
      sessionId,
      conversationId: remote?.conversationId,
      mode,
      verified: state.unproven === 0 && isVerified(state, restored),
      unproven: state.unproven,
      length: state.entries.length,
      listed: checked?.gone === true ? undefined : checked?.list.length,
      findings: checked?.findings ?? [],
      sources: countSources(restored),
      missing: missingItems(state, restored),
      pending: remote === undefined ? 0 : pendingChanges(state),
      responseId: state.responses.at(-1)?.id,
    };
  }

  /** Compares the list with the ledger, whether that is due or not; undefined without a conversation. */
  async check(mode: Mode): Promise<(CheckedList & { readonly gone?: boolean }) | undefined> {
    const { remote } = this.#attachment;
    if (remote === undefined) return undefined;
    await remote.mirror.idle();
    const checked = await this.#checkNow(remote);
    this.#due.checked();
    this.#tell(checked, mode);
    return checked;
  }

  #readWhole(
    choose: (state: LedgerState) => readonly LedgerEntry[],
    list: readonly ListedItem[] | undefined,
  ): Promise<WholeRead> {
    const { ledger, reader, remote } = this.#attachment;
    const idle = async (): Promise<void> => remote?.mirror.idle();
    return readWhole({ ledger, reader, now: () => Date.now(), idle }, choose, list);
  }

  /** A conversation that is gone has lost everything; one that the ledger does not know was never there. */
  async #checkNow(remote: Remote): Promise<CheckedList & { readonly gone?: boolean }> {
    try {
      return await remote.check.read();
    } catch (error) {
      const isKnown = (await this.#attachment.ledger.state()).version > 0;
      if (statusOf(error) !== 404 || !isKnown) throw asNotFound(error, remote.conversationId);
      return { ...(await remote.check.take([], 0)), gone: true };
    }
  }

  async #readList(
    remote: Remote,
    mode: Mode,
    limit: number | undefined,
  ): Promise<Pick<ServedHistory, 'items' | 'lost'>> {
    const { ledger, reader } = this.#attachment;
    const { version } = await ledger.tip();
    const read = await remote.stock.read(limit).catch((error: unknown) => {
      throw asNotFound(error, remote.conversationId);
    });
    if (limit !== undefined) return { items: read.items, lost: undefined };
    const checked = await remote.check.take(await reader.listed(read.list), version);
    this.#due.checked();
    this.#tell(checked, mode);
    return { items: read.items, lost: lostIn(checked) };
  }

  #tell(checked: CheckedList, mode: Mode): void {
    const { sessionId } = this.#attachment;
    const lost = lostIn(checked);
    // Switched off, a session records and says nothing of what it could have done.
    if (lost.length > 0 && mode !== 'off') this.#emit({ type: 'lost', sessionId, mode, findings: lost });
    if (checked.adopted > 0) {
      this.#emit({ type: 'adopted', sessionId, count: checked.adopted, unproven: checked.unproven });
    }
  }

  #tellRestored(checked: CheckedList | undefined, restored: readonly RestoredItem[]): void {
    const lost = new Set(checked && lostIn(checked).map(({ id }) => id));
    const again = restored.filter(({ entry, item }) => item !== undefined && lost.has(entry.mirrorId ?? ''));
    if (again.length === 0) return;
    const sources = countSources(again);
    this.#emit({ type: 'restored', sessionId: this.#attachment.sessionId, count: again.length, sources });
  }

  #refuseIncomplete(state: LedgerState, restored: readonly RestoredItem[]): void {
    const missing = missingItems(state, restored);
    if (missing.length === 0) return;
    const { sessionId } = this.#attachment;
    this.#emit({ type: 'incomplete', sessionId, missing });
    // No digest covers reasoning: a model answers without it, and a new one would not have it either.
    const essential = missing.filter(({ kind }) => kind !== 'reasoning');
    if (essential.length > 0 && this.#options.onIncomplete === 'throw') {
      throw new HistoryIncompleteError(sessionId, essential);
    }
  }
}

function lostIn({ findings }: CheckedList): readonly Finding[] {
  return findings.filter(({ type }) => type === 'lost');
}

function newest(state: LedgerState, limit: number | undefined): readonly LedgerEntry[] {
  if (limit === undefined) return state.entries;
  return limit <= 0 ? [] : state.entries.slice(-limit);
}
