import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/session.ts';
import { statusOf } from '../conversation/api-error.ts';
import { sendRequest, sendDelete, type RequestOptions } from '../conversation/request.ts';
import { MAX_CHAIN_LENGTH } from '../conversation/response-reader.ts';
import { isObject } from '../util/json.ts';
import { deleteLedger } from '../ledger/loss/rewind.ts';
import { lengthOf } from '../ledger/state.ts';
import type { LedgerStore } from '../ledger/store.ts';
import { defaultClient } from '../conversation/client.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import type { SessionContext } from '../runtime/open.ts';
import type { SessionRuntime } from '../runtime/runtime.ts';
import { deleteBookmark } from '../conversation/delete-conversations.ts';

/**
 * The result of `erase()`.
 *
 * @example
 * ```ts
 * const { items, responses } = await session.erase({ remote: true });
 * ```
 */
export interface Erased {
  readonly sessionId: string;
  /** The number of items in the erased ledger. */
  readonly items: number;
  /** The IDs of the deleted responses; empty without `remote`. */
  readonly responses: readonly string[];
  /** Recorded IDs that are impossible at the API, so that no request deleted them. Absent if there are none. */
  readonly skipped?: readonly string[];
  /** The IDs of the deleted conversations; empty without `remote`. */
  readonly conversations: readonly string[];
}

/**
 * Erases and ends the session. The next use begins another session.
 *
 * @returns a result without items, with an empty `sessionId`, if the session had not begun.
 */
export async function eraseSession(runtime: SessionRuntime, isRemote: boolean): Promise<Erased> {
  const erased = await eraseIfAt(runtime, isRemote);
  return erased ?? { sessionId: '', items: 0, responses: [], conversations: [] };
}

/**
 * Erases and ends the session, if its ledger has the expected version.
 *
 * @param expected without it, any version, also one of an append meanwhile.
 * @returns undefined for another version, and for a session that had not begun: then nothing of the ledger was deleted.
 */
export function eraseIfAt(
  runtime: SessionRuntime,
  isRemote: boolean,
  expected?: number,
): Promise<Erased | undefined> {
  return runtime.runIfBegun(async (session) => {
    await session.conversation?.mirror.idle();
    const removed = await erase(session, isRemote, expected);
    if (removed === undefined) return undefined;
    const { sessionId } = runtime.options;
    runtime.end(isRemote ? { sessionId, conversationId: undefined } : undefined);
    return removed;
  });
}

/**
 * Deletes a session's ledger and, with `deletesRemote`, its responses and all of its conversations at the API.
 *
 * The ledger is deleted last, so that a retry still finds the rest. If another process appends meanwhile, the loop runs again
 * and erases those items too.
 */
async function erase(
  { sessionId, ledger, conversation, isMirrored, options }: SessionContext,
  deletesRemote: boolean,
  expected: number | undefined,
): Promise<Erased | undefined> {
  const { ledger: store } = options;
  // A session without a conversation may have cleared ones that could not be deleted.
  const client = isMirrored && deletesRemote ? (options.client ?? (await defaultClient())) : undefined;
  const responses: string[] = [];
  const skipped = new Set<string>();
  const deleted: string[] = [];
  let items = 0;
  for (;;) {
    const state = await ledger.readAt();
    const { version } = state;
    if (expected !== undefined && version !== expected) return undefined;
    items = Math.max(items, lengthOf(state));
    const conversations = [...state.former.keys(), state.conversation ?? conversation?.conversationId].filter(
      (id) => id !== undefined,
    );
    if (client !== undefined) {
      await conversation?.bookmark?.delete();
      for (const id of await withParents(
        client,
        state.responses.map((response) => response.id),
      )) {
        const outcome = await remove(client, 'responses.delete', id, (how) =>
          client.responses.delete(id, how),
        );
        if (outcome === 'removed') responses.push(id);
        if (outcome === 'impossible') skipped.add(id);
      }
      for (const id of new Set(conversations)) {
        if (options.bookmark) await deleteBookmark(client, id);
        const outcome = await remove(client, 'conversations.delete', id, (how) =>
          client.conversations.delete(id, how),
        );
        if (outcome === 'removed') deleted.push(id);
        if (outcome === 'impossible') skipped.add(id);
      }
    }
    const deleteAliases = async (): Promise<void> => {
      for (const id of conversations) await deleteAlias(store, id, sessionId);
    };
    // A session that stays keeps its aliases.
    if (expected === undefined) await deleteAliases();
    if (await ledger.delete(version)) {
      if (expected !== undefined) await deleteAliases();
      const found = { sessionId, items, responses, conversations: deleted };
      return skipped.size === 0 ? found : { ...found, skipped: [...skipped] };
    }
  }
}

async function deleteAlias(store: LedgerStore, conversationId: string, sessionId: string): Promise<void> {
  if (conversationId === sessionId) return;
  const checkpoint = await store.checkpoint(conversationId);
  if (checkpoint?.alias === sessionId) await deleteLedger(store, conversationId);
}

/** The responses and all of their ancestors, some of which the ledger may no longer have. */
async function withParents(client: OpenAI, ids: readonly string[]): Promise<Set<string>> {
  const found = new Set(ids);
  for (const id of found) {
    if (!isUrlSegment(id)) continue;
    const response: unknown = await sendRequest(client, 'responses.retrieve', (how) =>
      client.responses.retrieve(id, {}, how),
    ).catch((error: unknown) => {
      if (statusOf(error) !== 404 && !isForeign(error, id)) throw error;
    });
    // A server may return another response, whose ancestors belong to another session.
    const parent = isObject(response) && response['id'] === id ? response['previous_response_id'] : undefined;
    if (typeof parent === 'string') found.add(parent);
    if (found.size > ids.length + MAX_CHAIN_LENGTH)
      throw new InvalidResponseError('responses.retrieve', 'its chain does not end');
  }
  return found;
}

/** @returns `gone` if it did not exist, `impossible` if the API cannot have such an ID. */
async function remove(
  client: OpenAI,
  operation: string,
  id: string,
  request: (how: RequestOptions) => PromiseLike<unknown>,
): Promise<'removed' | 'gone' | 'impossible'> {
  if (!isUrlSegment(id)) return 'impossible';
  try {
    await sendDelete(client, operation, request);
    return 'removed';
  } catch (error) {
    if (statusOf(error) === 404) return 'gone';
    if (isForeign(error, id)) return 'impossible';
    throw error;
  }
}

/** Whether the API rejects an ID because another server issued it. */
function isForeign(error: unknown, id: string): boolean {
  return statusOf(error) === 400 && !/^(?:resp|conv)_/.test(id);
}
