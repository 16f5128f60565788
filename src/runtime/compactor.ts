import { RequestUsage, type AgentInputItem, type OpenAIResponsesCompactionResult } from '@openai/agents';
import type OpenAI from 'openai';
import { continuable } from '../chaining/plan.ts';
import { isTooLong } from '../chaining/input-refusal.ts';
import type { ReplacedHistory } from '../chaining/port.ts';
import { failureReason, isTransient } from '../conversation/api-error.ts';
import { defaultClient } from '../conversation/client.ts';
import { compactContext, type CompactedContext, type Compaction } from '../conversation/compact-context.ts';
import { sendRequest } from '../conversation/request.ts';
import { CompactionError, type CompactionErrorReason } from '../errors/compaction.ts';
import type { HistoryReader } from '../history/reader.ts';
import { EMPTY_DIGEST, extendDigests, itemDigest } from '../items/digest.ts';
import { kindOf, roleOfKind, turnStarts } from '../items/read-item.ts';
import { openCalls } from '../items/tool-calls.ts';
import { ledgerItem } from '../ledger/record.ts';
import {
  type LedgerEntry,
  type LedgerState,
  compactedItems,
  digestOf,
  lengthOf,
  seenHistory,
} from '../ledger/state.ts';
import { rulesOf, type Mode } from '../rollout/mode.ts';
import type { Telemetry } from '../telemetry/span.ts';
import { clock } from '../util/clock.ts';
import { isObject, type JsonObject } from '../util/json.ts';
import type { ResolvedOptions } from './options.ts';
import type { OpenSession } from './read.ts';

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

/** An item that a model sees, and the index of its entry; undefined for an item of an earlier compaction. */
interface SeenItem {
  readonly item: AgentInputItem;
  readonly index: number | undefined;
}

/** The history to compact, read before the request. */
interface Prepared {
  readonly sessionId: string;
  readonly reader: HistoryReader;
  readonly client: OpenAI;
  readonly model: string | undefined;
  /** The response whose context is this history, if the server can continue from it. */
  readonly parentId: string | undefined;
  /** The newest response, whose model the server knows. */
  readonly newestId: string | undefined;
  /** The items to compact, oldest first. */
  readonly items: readonly SeenItem[];
  /** The sequence numbers of the entries to compact, oldest first. A model is not sent all of them. */
  readonly seqs: readonly number[];
  /** The digest of the context with the first 0, 1, 2, ... of these entries. */
  readonly contextAt: (count: number) => string;
  /** The number of entries behind these that a model sees: a question without its answer. */
  readonly rest: number;
}

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
   * @returns undefined if the history changed meanwhile, so that the compaction no longer stands for it.
   * @throws CompactionError, or the client's error.
   */
  async compact(): Promise<OpenAIResponsesCompactionResult | undefined> {
    const usage = await this.#compact();
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
      return (await this.#compact()) !== undefined;
    } catch (error) {
      const reason = CompactionError.isInstance(error) ? error.reason : undefined;
      if (reason === 'too_long') throw error;
      if (reason !== 'nothing_to_compact') this.#failed(error);
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
      if (isLong && this.#fruitless <= MAX_FRUITLESS) await this.#compact();
    };
    this.#underWay = compact()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => (this.#underWay = undefined));
  }

  #failed(error: unknown): void {
    const { sessionId = '', telemetry } = this.#session;
    const reason = CompactionError.isInstance(error) ? error.reason : failureReason(error);
    telemetry.event({ type: 'warning', sessionId, code: 'compaction_failed', reason });
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

  /** The request runs beside the session's other calls, so that no turn waits for it. */
  async #compact(): Promise<Compaction['usage'] | undefined> {
    const prepared = await this.#session.runIfBegun(async (open, mode) => this.#prepare(open, mode));
    if (prepared === undefined) throw new CompactionError('', 'nothing_to_compact');
    const { replacement, usage, count } = await compactedBy(prepared);
    const { items, rest } = prepared;
    return this.#session.runIfBegun(async ({ sessionId, ledger }) => {
      // An erased session may have the same version again.
      await ledger.read({ fresh: true });
      let left: number[] | undefined;
      await ledger.append((state) => {
        left = leftBehind(state, prepared, items[count]?.index ?? prepared.seqs.length);
        const kept = replacement.map((item) => ledgerItem(item, true));
        if (left === undefined) return [];
        const { nextSeq } = state;
        const before = { length: lengthOf(state), digest: digestOf(state), nextSeq };
        return [{ type: 'view', from: nextSeq, items: kept, ...(left.length === 0 ? { before } : { left }) }];
      });
      if (left === undefined) return undefined;
      const { input_tokens: input, output_tokens: output } = usage;
      this.#session.telemetry.event({
        type: 'compacted',
        sessionId,
        items: { before: items.length + rest, after: replacement.length + items.length - count + rest },
        tokens: { before: input, after: output },
      });
      return usage;
    });
  }

  async #prepare(open: OpenSession, mode: Mode): Promise<Prepared> {
    const { sessionId, ledger, reader, history, options } = open;
    const refuse = (reason: CompactionErrorReason): never => {
      throw new CompactionError(sessionId, reason);
    };
    if (rulesOf(mode).serves !== 'history') refuse('mode');
    if (!options.keepContent) refuse('content_not_kept');
    await ledger.read({ fresh: true });
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

/** The tokens of a stored response and its request: without the model boundary the session does not see them. */
async function storedTokens({ client }: ResolvedOptions, responseId: string): Promise<number | undefined> {
  const { usage } = await retrieve(client ?? (await defaultClient()), responseId);
  const { input_tokens: input, output_tokens: output } = isObject(usage) ? usage : {};
  return typeof input === 'number' && typeof output === 'number' ? input + output : undefined;
}

/** A compaction of the items at the beginning. */
interface CompactedItems extends Pick<Compaction, 'usage'> {
  /** The items in their place. */
  readonly replacement: readonly AgentInputItem[];
  /** The number of compacted items. */
  readonly count: number;
}

/** Asks for the compaction, by the response where the server can continue from it, and else by the items. */
async function compactedBy(prepared: Prepared): Promise<CompactedItems> {
  const { client, parentId, items, reader, sessionId } = prepared;
  const model = prepared.model ?? (await modelOf(prepared));
  if (model === undefined) throw new CompactionError(sessionId, 'no_model');
  let count = items.length;
  const shorten = (error: unknown): void => {
    const shorter = shorterEnd(items, count);
    if (shorter === undefined)
      throw new CompactionError(sessionId, 'too_long', { cause: new Error(failureReason(error)) });
    count = shorter;
  };
  const ask = async (context: CompactedContext): Promise<CompactedItems> => {
    const answer = await compactContext(client, model, context);
    const replacement = (await reader.toListedItems(answer.items)).map(({ item }) => item);
    return { replacement, usage: answer.usage, count };
  };
  if (parentId !== undefined) {
    try {
      const compacted = await ask({ previous_response_id: parentId });
      if (holdsQuestion(items, compacted)) return compacted;
    } catch (error) {
      if (isTooLong(error)) shorten(error);
      else if (isTransient(error)) throw error;
    }
  }
  const forms = await reader.apiForms(items.map(({ item }) => item));
  for (;;) {
    const input = forms.slice(0, count).flatMap((form) => ('item' in form ? [form.item] : []));
    try {
      return await ask({ input });
    } catch (error) {
      if (!isTooLong(error)) throw error;
      shorten(error);
    }
  }
}

/**
 * Whether an answer keeps the newest message of the user, as the API does. A server that ignores the parent has compacted nothing,
 * and its answer must not stand for the history.
 */
function holdsQuestion(items: readonly SeenItem[], { replacement }: CompactedItems): boolean {
  const question = items.findLast(({ item }) => kindOf(item) === 'message:user');
  if (question === undefined) return false;
  const digest = itemDigest(question.item);
  return replacement.some((item) => itemDigest(item) === digest);
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

/** The end of a shorter beginning of whole turns, about half as long; undefined if there is none with a turn in it. */
function shorterEnd(items: readonly SeenItem[], end: number): number | undefined {
  const starts = turnStarts(items.map(({ item }) => kindOf(item)));
  // The first turn has to be in it: an earlier compaction alone would not get shorter.
  const ends = starts.filter((at) => items[at]?.index !== undefined && at < end).slice(1);
  return ends.findLast((at) => at <= end / 2) ?? ends[0];
}

/** The model of the newest response: without the model boundary the ledger does not know it. */
async function modelOf({ client, newestId }: Prepared): Promise<string | undefined> {
  if (newestId === undefined) return undefined;
  const { model } = await retrieve(client, newestId);
  return typeof model === 'string' ? model : undefined;
}

async function retrieve(client: OpenAI, id: string): Promise<JsonObject> {
  const response: unknown = await sendRequest(client, 'responses.retrieve', (how) =>
    client.responses.retrieve(id, {}, how),
  );
  return isObject(response) ? response : {};
}

/**
 * The sequence numbers of the entries that a model sees besides the compacted ones.
 *
 * @param count the number of compacted entries.
 * @returns undefined if the history no longer has these, or has another compaction before them.
 */
function leftBehind(state: LedgerState, { seqs, contextAt }: Prepared, count: number): number[] | undefined {
  const compacted = new Set(seqs.slice(0, count));
  const { entries, contextAt: contextNow } = seenHistory(state);
  const found = entries.filter(({ seq }) => compacted.has(seq));
  const context = extendDigests(contextNow(0), found);
  // An erased session counts its entries from the beginning again.
  if (found.length < count || context !== contextAt(count)) return undefined;
  return entries.flatMap(({ seq }) => (compacted.has(seq) ? [] : [seq]));
}
