import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { isTooLong, tokenLimit } from '../../chaining/input-refusal.ts';
import { failureReason, isTransient } from '../../conversation/api-error.ts';
import { defaultClient } from '../../conversation/client.ts';
import {
  compactContext,
  countTokens,
  type CompactedContext,
  type Compaction,
} from '../../conversation/compact-context.ts';
import { sendRequest } from '../../conversation/request.ts';
import { CompactionError } from '../../errors/compaction.ts';
import type { HistoryReader } from '../../history/reader.ts';
import { itemDigest } from '../../items/digest.ts';
import { kindOf, turnStarts } from '../../items/read-item.ts';
import { isObject, type JsonObject } from '../../util/json.ts';
import type { ResolvedOptions } from '../options.ts';

/** An item that a model sees, and the index of its entry; undefined for an item of an earlier compaction. */
export interface SeenItem {
  readonly item: AgentInputItem;
  readonly index: number | undefined;
}

/** The history to compact, read before the request. */
export interface PreparedHistory {
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

/** The tokens of a stored response and its request: without the model boundary the session does not see them. */
export async function storedTokens(
  { client }: ResolvedOptions,
  responseId: string,
): Promise<number | undefined> {
  const { usage } = await retrieve(client ?? (await defaultClient()), responseId);
  const { input_tokens: input, output_tokens: output } = isObject(usage) ? usage : {};
  return typeof input === 'number' && typeof output === 'number' ? input + output : undefined;
}

/** A compaction of the items at the beginning. */
export interface CompactedItems extends Pick<Compaction, 'usage'> {
  /** The items in their place. */
  readonly replacement: readonly AgentInputItem[];
  /** The number of compacted items. */
  readonly count: number;
}

/** Asks for the compaction, by the response where the server can continue from it, and else by the items. */
export async function requestCompaction(prepared: PreparedHistory): Promise<CompactedItems> {
  const { client, parentId, items, reader, sessionId } = prepared;
  const model = prepared.model ?? (await modelOf(prepared));
  if (model === undefined) throw new CompactionError(sessionId, 'no_model');
  let count = items.length;
  const shorten = async (error: unknown, context: CompactedContext): Promise<void> => {
    const shorter = shorterEnd(items, count);
    if (shorter === undefined) {
      const tokens = await countTokens(client, model, context);
      const cause = new Error(failureReason(error));
      throw new CompactionError(sessionId, 'too_long', { tokens, limit: tokenLimit(error), cause });
    }
    count = shorter;
  };
  const ask = async (context: CompactedContext): Promise<CompactedItems> => {
    const answer = await compactContext(client, model, context);
    const replacement = (await reader.toListedItems(answer.items)).map(({ item }) => item);
    return { replacement, usage: answer.usage, count };
  };
  if (parentId !== undefined) {
    const context = { previous_response_id: parentId };
    try {
      const compacted = await ask(context);
      if (holdsQuestion(items, compacted)) return compacted;
    } catch (error) {
      if (isTooLong(error)) await shorten(error, context);
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
      await shorten(error, { input });
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

/** The end of a shorter beginning of whole turns, about half as long; undefined if there is none with a turn in it. */
function shorterEnd(items: readonly SeenItem[], end: number): number | undefined {
  const starts = turnStarts(items.map(({ item }) => kindOf(item)));
  // The first turn has to be in it: an earlier compaction alone would not get shorter.
  const ends = starts.filter((at) => items[at]?.index !== undefined && at < end).slice(1);
  return ends.findLast((at) => at <= end / 2) ?? ends[0];
}

/** The model of the newest response: without the model boundary the ledger does not know it. */
async function modelOf({ client, newestId }: PreparedHistory): Promise<string | undefined> {
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
