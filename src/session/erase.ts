import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { statusOf } from '../history/api-error.ts';
import { acknowledged } from '../history/believed.ts';
import { LONGEST_CHAIN } from '../history/response-chain.ts';
import { isObject } from '../ledger/json.ts';
import { lengthOf } from '../ledger/ledger-state.ts';
import type { LedgerStore } from '../ledger/ledger-store.ts';
import type { Attachment } from './attachment.ts';
import { copiesOf } from './copies-of.ts';

/** What `erase()` removed. */
export interface Erased {
  readonly sessionId: string;
  /** How many items the ledger knew. */
  readonly items: number;
  /** The responses that were deleted; none without `remote`. */
  readonly responses: readonly string[];
  /** Whether a conversation was deleted. */
  readonly conversation: boolean;
}

/**
 * Removes a session from its ledger and, with `remote`, its responses and its conversation from the API; and with it
 * every conversation that it was moved from.
 *
 * The ledger goes last, and only as it was seen: as long as anything is left, it knows what. What another process appends
 * meanwhile is removed, too.
 */
export async function erase(
  { sessionId, ledger, remote }: Attachment,
  store: LedgerStore,
  deletesRemote: boolean,
): Promise<Erased> {
  const responses: string[] = [];
  let conversation = false;
  let items = 0;
  for (;;) {
    const state = await ledger.outline();
    const { version } = state;
    items = Math.max(items, lengthOf(state));
    const copies = await copiesOf(store, state);
    if (remote !== undefined && deletesRemote) {
      const { client } = remote;
      for (const id of await withParents(
        client,
        state.responses.map((response) => response.id),
      )) {
        if (await deleted('responses.delete', () => client.responses.delete(id))) responses.push(id);
      }
      for (const id of [...copies, remote.conversationId]) {
        const isDeleted = await deleted('conversations.delete', () => client.conversations.delete(id));
        conversation = isDeleted || conversation;
      }
    }
    for (const id of copies) await store.delete(id);
    if (await ledger.delete(version)) return { sessionId, items, responses, conversation };
  }
}

/** The responses and everything they were continued from, which the ledger may no longer know. */
async function withParents(client: OpenAI, ids: readonly string[]): Promise<Set<string>> {
  const found = new Set(ids);
  for (const id of found) {
    const response: unknown = await client.responses.retrieve(id).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
    // What is behind another response than the one asked for is nobody's to delete.
    const parent = isObject(response) && response['id'] === id ? response['previous_response_id'] : undefined;
    if (typeof parent === 'string') found.add(parent);
    if (found.size > ids.length + LONGEST_CHAIN)
      throw new InvalidResponseError('responses.retrieve', 'its chain does not end');
  }
  return found;
}

/** @returns false when it was gone already. */
async function deleted(operation: string, request: () => PromiseLike<unknown>): Promise<boolean> {
  try {
    await acknowledged(operation, async () => request());
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}
