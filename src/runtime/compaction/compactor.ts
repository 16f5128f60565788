import { RequestUsage, type AgentInputItem, type OpenAIResponsesCompactionResult } from '@openai/agents';
import { continuable } from '../../chaining/plan.ts';
import type { ReplacedHistory } from '../../chaining/port.ts';
import { failureReason } from '../../conversation/api-error.ts';
import { defaultClient } from '../../conversation/client.ts';
import type { Compaction } from '../../conversation/compact-context.ts';
import { CompactionError, type CompactionErrorReason } from '../../errors/compaction.ts';
import { EMPTY_DIGEST, extendDigests } from '../../items/digest.ts';
import { kindOf, roleOfKind, turnStarts } from '../../items/read-item.ts';
import { openCalls } from '../../items/tool-calls.ts';
import { ledgerItem } from '../../ledger/record.ts';
import { type LedgerEntry, type LedgerState, type View } from '../../ledger/state.ts';
import { compactedItems, seenHistory } from '../../ledger/view.ts';
import { ProcessLease } from '../../mirror/lease.ts';
import { rulesOf, type Mode } from '../../rollout/mode.ts';
import type { Telemetry } from '../../telemetry/span.ts';
import { clock } from '../../util/clock.ts';
import { Backoff } from '../../util/poll.ts';
import {
  requestCompaction,
  storedTokens,
  type PreparedHistory,
  type SeenItem,
} from './compaction-request.ts';
import type { ResolvedOptions } from '../options.ts';
import type { OpenSession } from '../read.ts';

/** The parts of a session that its compactor uses. */
interface CompactedSession {
  readonly sessionId: string | undefined;
  readonly options: ResolvedOptions;
  readonly telemetry: Telemetry;
  /** @returns undefined if the session has neither a name nor a conversation, such as after an erase. */
  runIfBegun<T>(operation: (open: OpenSession, mode: Mode) => Promise<T>): Promise<T | undefined>;
  /** @returns undefined for an item that a request must omit. */
  forNextModel(item: AgentInputItem, unreplayable: ReadonlySet<string>): AgentInputItem | undefined;
}

/** A compaction of the history; without its usage if another process has made it. */
interface Compacted {
  readonly usage?: Compaction['usage'];
}

/** The history to compact, and the right to compact it. */
interface Reserved {
  readonly prepared: PreparedHistory;
  readonly lease: ProcessLease;
}

/** Milliseconds after which another process may compact, if this one has crashed. */
const LEASE_MS = 120_000;

/** The pauses of a request that waits for the compaction of another process, in milliseconds. */
const LEASE_PAUSES = { first: 100, max: 2000 };

/** So many compactions after consecutive turns may make no progress; the next turn that is short enough begins anew. */
const MAX_FRUITLESS = 2;

/** Compacts the history that a model sees. The transcript keeps the items. */
export class Compactor {
  readonly #session: CompactedSession;
  #underWay: Promise<void> | undefined;
  /** The number of turns in a row after which the history was too long. */
  #fruitless = 0;

  constructor(session: CompactedSession) {
    this.#session = session;
  }

  /** Resolves when no compaction after a turn is under way. Never rejects. */
  async idle(): Promise<void> {
    await this.#underWay;
  }

  /**
   * Compacts now.
   *
   * @returns undefined if the history changed meanwhile, so that the compaction no longer stands for it, or if another process
   * has compacted it meanwhile.
   * @throws CompactionError, or the client's error.
   */
  async compact(): Promise<OpenAIResponsesCompactionResult | undefined> {
    const { usage } = (await this.#compact({ waits: true })) ?? {};
    if (usage === undefined) return undefined;
    const { input_tokens: input, output_tokens: output } = usage;
    return {
      usage: new RequestUsage({ inputTokens: input, outputTokens: output, totalTokens: input + output }),
    };
  }

  /**
   * Compacts because a request was too long.
   *
   * @returns false without the option `history.compaction`, or if the history was not compacted.
   * @throws CompactionError if the first turn alone is too long.
   */
  async forRequest(): Promise<boolean> {
    if (this.#session.options.history.compaction === undefined) return false;
    try {
      return (await this.#compact({ waits: true })) !== undefined;
    } catch (error) {
      const reason = CompactionError.isInstance(error) ? error.reason : undefined;
      if (reason === 'too_long') throw error;
      this.#failed(error);
      return false;
    }
  }

  /**
   * Compacts after a turn whose response is long. A failure costs nothing: the session goes on with the longer history, and emits
   * a warning.
   *
   * @param tokens the tokens of the response and its request, if they are known.
   */
  afterTurn(responseId: string, tokens: number | undefined): void {
    const { options } = this.#session;
    const { isDue, readsHistory = false } = options.history.compaction ?? {};
    if (isDue === undefined || this.#underWay !== undefined) return;
    const compact = async (): Promise<void> => {
      // The run gets its response first.
      await clock.sleep(0);
      const seen = await this.#session.runIfBegun(async ({ ledger }, mode) => {
        if (rulesOf(mode).serves !== 'history') return undefined;
        return seenHistory(await ledger.read({ scope: readsHistory ? 'seen' : 'tail' }));
      });
      if (seen === undefined) return;
      const counted = tokens ?? (await storedTokens(options, responseId));
      const items = seen.before + seen.entries.length;
      const turns = turnStarts(seen.entries.map(({ kind }) => kind)).length;
      const isLong = await isDue({ tokens: counted, items, turns });
      this.#fruitless = isLong ? this.#fruitless + 1 : 0;
      if (isLong && this.#fruitless <= MAX_FRUITLESS) await this.#compact({ waits: false });
    };
    this.#underWay = compact()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#underWay = undefined));
  }

  #failed(error: unknown): void {
    const { sessionId = '', telemetry } = this.#session;
    const reason = CompactionError.isInstance(error) ? error.reason : failureReason(error);
    // Another process may have compacted the history.
    if (reason === 'nothing_to_compact') return;
    telemetry.warningsOf(sessionId)({ code: 'compaction_failed', reason });
  }

  /**
   * Shows a model the whole history again. Compactions stay in the transcript.
   *
   * @returns the history that the model was shown, also as the SDK's runner cuts it, each with the items in its place.
   */
  async uncompact(): Promise<readonly ReplacedHistory[]> {
    const replaced = await this.#session.runIfBegun(async ({ ledger, history }) => {
      await ledger.read({ fresh: true });
      const { state, restored } = await history.contents(({ entries }) =>
        entries.filter(({ kind }) => kind !== 'compaction'),
      );
      const unreplayable = history.unreplayable(state, restored);
      const items = restored.flatMap(
        ({ item }) => (item && this.#session.forNextModel(item, unreplayable)) ?? [],
      );
      let shown: readonly { readonly kind: string; readonly digest: string | null }[] = [];
      await ledger.append((newest) => {
        shown = [...(newest.views.at(-1)?.items ?? []), ...seenHistory(newest).entries];
        if (!shown.some(({ kind }) => kind === 'compaction')) return [];
        const left = newest.entries.flatMap(({ kind, seq }) => (kind === 'compaction' ? [] : [seq]));
        return [{ type: 'view', from: newest.nextSeq, left, items: [] }];
      });
      const at = shown.findLastIndex(({ kind }) => kind === 'compaction');
      if (at === -1) return [];
      return [shown, shown.slice(at)].map((part) => ({
        digest: extendDigests(EMPTY_DIGEST, part),
        items,
      }));
    });
    return replaced ?? [];
  }

  /**
   * The request runs beside the session's other calls, so that no turn waits for it.
   *
   * @param how.waits whether to wait if another process compacts.
   */
  async #compact(how: { readonly waits: boolean }): Promise<Compacted | undefined> {
    const reserved = await this.#reserve(how);
    if (reserved === undefined || !('prepared' in reserved)) return reserved;
    try {
      return await this.#compactReserved(reserved);
    } catch (error) {
      const { lease } = reserved;
      const release = ({ ledger }: OpenSession): Promise<unknown> =>
        ledger.append((state) => lease.releaseSteps(state));
      await this.#session.runIfBegun(release).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Takes the right to compact.
   *
   * @returns undefined if another process has it, and a compaction if that process has made one.
   */
  async #reserve({ waits }: { readonly waits: boolean }): Promise<Reserved | Compacted | undefined> {
    const deadline = clock.now() + 1.2 * LEASE_MS;
    const pauses = new Backoff({ ...LEASE_PAUSES, deadline });
    const writer = globalThis.crypto.randomUUID();
    let lease: ProcessLease | undefined;
    let first: { readonly view: View | undefined } | undefined;
    const reserve = async (open: OpenSession, mode: Mode): Promise<Reserved | Compacted | 'busy'> => {
      const { ledger } = open;
      const ours = (lease ??= new ProcessLease({ ledger, writer, milliseconds: LEASE_MS, of: 'compaction' }));
      const known = await ledger.read({ fresh: true });
      const view = known.views.at(-1);
      first ??= { view };
      if (view?.from !== first.view?.from) return {};
      if (ours.steps(known).length === 0) return 'busy';
      const prepared = await this.#prepare(open, mode);
      const state = await ledger.append((newest) => ours.steps(newest));
      return ours.isHeld(state) ? { prepared, lease: ours } : 'busy';
    };
    for (;;) {
      const reserved = await this.#session.runIfBegun(reserve);
      if (reserved === undefined) throw new CompactionError('', 'nothing_to_compact');
      if (reserved !== 'busy') return reserved;
      if (!waits || !(await pauses.pause())) return undefined;
    }
  }

  async #compactReserved({ prepared, lease }: Reserved): Promise<Compacted | undefined> {
    const { replacement, usage, count } = await requestCompaction(prepared);
    const { items, rest } = prepared;
    return this.#session.runIfBegun(async ({ sessionId, ledger }) => {
      // An erased session may have the same version again.
      await ledger.read({ fresh: true });
      let left: number[] | undefined;
      await ledger.append((state) => {
        left = leftBehind(state, prepared, items[count]?.index ?? prepared.seqs.length);
        const kept = replacement.map((item) => ledgerItem(item, true));
        if (left === undefined) return lease.releaseSteps(state);
        const shown = left.length === 0 ? {} : { left };
        return [{ type: 'view', from: state.nextSeq, items: kept, ...shown }];
      });
      if (left === undefined) return undefined;
      const { input_tokens: input, output_tokens: output } = usage;
      this.#session.telemetry.event({
        type: 'compacted',
        sessionId,
        items: { before: items.length + rest, after: replacement.length + items.length - count + rest },
        tokens: { before: input, after: output },
      });
      return { usage };
    });
  }

  async #prepare(open: OpenSession, mode: Mode): Promise<PreparedHistory> {
    const { sessionId, reader, history, options } = open;
    const refuse = (reason: CompactionErrorReason): never => {
      throw new CompactionError(sessionId, reason);
    };
    if (rulesOf(mode).serves !== 'history') refuse('mode');
    if (!options.keepContent) refuse('content_not_kept');
    const { state, restored } = await history.contents((newest) => seenHistory(newest).entries);
    const { entries, contextAt } = seenHistory(state);
    const left = history.unreplayable(state, restored);
    const all = restored.flatMap(({ item }, index): SeenItem[] => {
      const shown = item && this.#session.forNextModel(item, left);
      return shown === undefined ? [] : [{ item: shown, index }];
    });
    const end = endOfAnswers(entries, all);
    const items = [
      ...compactedItems(state).map((item): SeenItem => ({ item, index: undefined })),
      ...all.filter(({ index = end }) => index < end),
    ];
    if (end === 0) refuse(openCallsOf(all).size > 0 ? 'unanswered_tool_call' : 'nothing_to_compact');
    const newest = state.responses.at(-1);
    const { responseTtl } = options;
    const facts = { now: clock.now(), responseTtl, isRefused: (id: string) => state.refused.has(id) };
    const parent = state.contexts.get(contextAt(end))?.find((one) => continuable(one, facts) === undefined);
    return {
      sessionId,
      reader,
      client: options.client ?? (await defaultClient()),
      model: options.history.compaction?.model ?? parent?.model ?? newest?.model,
      parentId: parent?.id,
      newestId: newest?.store === true ? newest.id : undefined,
      items,
      seqs: entries.slice(0, end).map(({ seq }) => seq),
      contextAt,
      rest: entries.length - end,
    };
  }
}

function openCallsOf(items: readonly SeenItem[]): Set<string> {
  return openCalls(items.map(({ item }) => item));
}

/**
 * The number of entries up to the newest answer before which every call has its result. A question without its answer stays: the
 * model is to read it itself.
 */
function endOfAnswers(entries: readonly LedgerEntry[], items: readonly SeenItem[]): number {
  for (let end = entries.length; ;) {
    const answer =
      items.findLast(({ item, index = end }) => index < end && roleOfKind(kindOf(item)) !== 'input')?.index ??
      -1;
    const before = items.filter(({ index = end }) => index <= answer);
    const open = openCallsOf(before);
    if (open.size === 0) return answer + 1;
    const call = before.find((one) => [...openCallsOf([one])].some((id) => open.has(id)));
    end = call?.index ?? 0;
  }
}

/**
 * The sequence numbers of the entries that a model sees besides the compacted ones.
 *
 * @param count the number of compacted entries.
 * @returns undefined if the history no longer has these, or has another compaction before them.
 */
function leftBehind(
  state: LedgerState,
  { seqs, contextAt }: PreparedHistory,
  count: number,
): number[] | undefined {
  const compacted = new Set(seqs.slice(0, count));
  const { entries, contextAt: contextNow } = seenHistory(state);
  const found = entries.filter(({ seq }) => compacted.has(seq));
  const context = extendDigests(contextNow(0), found);
  // An erased session counts its entries from the beginning again.
  if (found.length < count || context !== contextAt(count)) return undefined;
  return entries.flatMap(({ seq }) => (compacted.has(seq) ? [] : [seq]));
}
