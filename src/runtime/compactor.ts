import { RequestUsage, type AgentInputItem, type OpenAIResponsesCompactionResult } from '@openai/agents';
import type OpenAI from 'openai';
import { continuable } from '../chaining/plan.ts';
import type { ReplacedHistory } from '../chaining/port.ts';
import { isTooLong } from '../chaining/input-refusal.ts';
import { failureReason, isTransient } from '../conversation/api-error.ts';
import { defaultClient } from '../conversation/client.ts';
import { compactContext, type Compaction } from '../conversation/compact-context.ts';
import { sendRequest } from '../conversation/request.ts';
import { CompactionError, type CompactionErrorReason } from '../errors/compaction.ts';
import type { HistoryReader } from '../history/reader.ts';
import { kindOf, roleOfKind, turnStarts } from '../items/read-item.ts';
import { openCalls } from '../items/tool-calls.ts';
import { ledgerItem } from '../ledger/record.ts';
import { type LedgerState, compactedItems, seenHistory, digestOf, lengthOf } from '../ledger/state.ts';
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
  /** @returns undefined if the session was erased meanwhile, or has not begun. */
  runIfBegun<T>(operation: (open: OpenSession, mode: Mode) => Promise<T>): Promise<T | undefined>;
  /** @returns undefined for an item that a request must omit. */
  forNextModel(item: AgentInputItem, unreplayable: ReadonlySet<string>): AgentInputItem | undefined;
}

/** An item that a model sees, and its entry; undefined for an item of an earlier compaction. */
interface SeenItem {
  readonly item: AgentInputItem;
  readonly seq: number | undefined;
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
  /** The digest of their context. */
  readonly digest: string;
  /** The number of items behind these that a model sees: a question without its answer. */
  readonly rest: number;
  /** The sequence number of the first entry behind the items. */
  readonly end: number;
  /** The number of compactions before this one. */
  readonly views: number;
}

/** So many compactions after consecutive turns may make no progress; the next turn that is short enough begins anew. */
const MAX_FRUITLESS = 2;

/** A recorded compaction. */
interface Compacted extends ReplacedHistory {
  readonly usage: Compaction['usage'];
}

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
    const compacted = await this.#compact();
    if (compacted === undefined) return undefined;
    const { input_tokens: input, output_tokens: output } = compacted.usage;
    return {
      usage: new RequestUsage({ inputTokens: input, outputTokens: output, totalTokens: input + output }),
    };
  }

  /**
   * Compacts because a request was too long.
   *
   * @returns undefined without the option `history.compaction`, or if the history was not compacted.
   * @throws CompactionError if the first turn alone is too long.
   */
  async forRequest(): Promise<ReplacedHistory | undefined> {
    if (this.#session.options.history.compaction === undefined) return undefined;
    return this.#compact().catch((error: unknown) => {
      const reason = CompactionError.isInstance(error) ? error.reason : undefined;
      if (reason === 'too_long') throw error;
      if (reason !== 'nothing_to_compact') this.#failed(error);
      return undefined;
    });
  }

  /**
   * Compacts after a turn whose response is long. A failure costs nothing: the session goes on with the longer history, and emits
   * a warning.
   *
   * @param tokens the tokens of the response and its request, if they are known.
   */
  afterTurn(responseId: string, tokens: number | undefined): void {
    const { options } = this.#session;
    const { isDue } = options.history.compaction ?? {};
    if (isDue === undefined || this.#underWay !== undefined) return;
    const compact = async (): Promise<void> => {
      // The run gets its response first.
      await clock.sleep(0);
      const seen = await this.#session.runIfBegun(async ({ ledger }, mode) =>
        rulesOf(mode).serves === 'history' ? seenHistory(await ledger.read()) : undefined,
      );
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

  /** The request runs beside the session's other calls, so that no turn waits for it. */
  async #compact(): Promise<Compacted | undefined> {
    const prepared = await this.#session.runIfBegun(async (open, mode) => this.#prepare(open, mode));
    if (prepared === undefined) throw new CompactionError('', 'nothing_to_compact');
    const { compaction, count } = await compactedBy(prepared);
    const { reader, items, digest, rest } = prepared;
    const replacement = (await reader.toListedItems(compaction.items)).map(({ item }) => item);
    const isRecorded = await this.#session.runIfBegun(async ({ sessionId, ledger }) => {
      let isSame = false;
      await ledger.append((state) => {
        isSame = isUnchanged(state, prepared);
        const from = items[count]?.seq ?? prepared.end;
        const kept = replacement.map((item) => ledgerItem(item, true));
        if (!isSame) return [];
        const { nextSeq } = state;
        const before = { length: lengthOf(state), digest: digestOf(state), nextSeq };
        return [{ type: 'view', from, items: kept, ...(from === nextSeq ? { before } : {}) }];
      });
      if (!isSame) return false;
      const { input_tokens: input, output_tokens: output } = compaction.usage;
      this.#session.telemetry.event({
        type: 'compacted',
        sessionId,
        items: { before: items.length + rest, after: replacement.length + items.length - count + rest },
        tokens: { before: input, after: output },
      });
      return true;
    });
    if (isRecorded !== true) return undefined;
    const shown = [...replacement, ...items.slice(count).map(({ item }) => item)];
    return { digest, items: shown, usage: compaction.usage };
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
    // A question without its answer stays: the model is to read it itself.
    const end = entries.findLastIndex(({ kind }) => roleOfKind(kind) !== 'input') + 1;
    const left = history.unreplayable(state, restored);
    const items = [
      ...compactedItems(state).map((item): SeenItem => ({ item, seq: undefined })),
      ...restored.slice(0, end).flatMap(({ entry, item }): SeenItem[] => {
        const shown = item && this.#session.forNextModel(item, left);
        return shown === undefined ? [] : [{ item: shown, seq: entry.seq }];
      }),
    ];
    if (end === 0) refuse('nothing_to_compact');
    if (openCalls(items.map(({ item }) => item)).size > 0) refuse('unanswered_tool_call');
    const newest = state.responses.at(-1);
    const digest = contextAt(end);
    const { responseTtl } = options;
    const facts = { now: clock.now(), responseTtl, isRefused: (id: string) => state.refused.has(id) };
    const parent = state.contexts.get(digest)?.find((one) => continuable(one, facts) === undefined);
    return {
      sessionId,
      reader,
      client: options.client ?? (await defaultClient()),
      model: options.history.compaction?.model ?? parent?.model ?? newest?.model,
      parentId: parent?.id,
      newestId: newest?.store === true ? newest.id : undefined,
      items,
      digest,
      rest: entries.length - end,
      end: entries[end]?.seq ?? state.nextSeq,
      views: state.views.length,
    };
  }
}

/** The tokens of a stored response and its request: without the model boundary the session does not see them. */
async function storedTokens({ client }: ResolvedOptions, responseId: string): Promise<number | undefined> {
  const { usage } = await retrieve(client ?? (await defaultClient()), responseId);
  const { input_tokens: input, output_tokens: output } = isObject(usage) ? usage : {};
  return typeof input === 'number' && typeof output === 'number' ? input + output : undefined;
}

/** Asks for the compaction, by the response where the server can continue from it, and else by the items. */
async function compactedBy(prepared: Prepared): Promise<{ compaction: Compaction; count: number }> {
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
  if (parentId !== undefined) {
    try {
      return { compaction: await compactContext(client, model, { previous_response_id: parentId }), count };
    } catch (error) {
      if (isTooLong(error)) shorten(error);
      else if (isTransient(error)) throw error;
    }
  }
  const forms = await reader.apiForms(items.map(({ item }) => item));
  for (;;) {
    const input = forms.slice(0, count).flatMap((form) => ('item' in form ? [form.item] : []));
    try {
      return { compaction: await compactContext(client, model, { input }), count };
    } catch (error) {
      if (!isTooLong(error)) throw error;
      shorten(error);
    }
  }
}

/** The end of a shorter beginning of whole turns, about half as long; undefined if there is none with a turn in it. */
function shorterEnd(items: readonly SeenItem[], end: number): number | undefined {
  const starts = turnStarts(items.map(({ item }) => kindOf(item)));
  // The first turn has to be in it: an earlier compaction alone would not get shorter.
  const ends = starts.filter((index) => items[index]?.seq !== undefined && index < end).slice(1);
  return ends.findLast((index) => index <= end / 2) ?? ends[0];
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

/** Whether a model still sees the items to compact, and nothing else before their end. */
function isUnchanged(state: LedgerState, { items, end, views }: Prepared): boolean {
  const before = new Set(seenHistory(state).entries.flatMap(({ seq }) => (seq < end ? [seq] : [])));
  return state.views.length === views && items.every(({ seq }) => seq === undefined || before.delete(seq));
}
