import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { apiCodeOf, isTransient, statusOf } from '../history/api-error.ts';
import { acknowledged, believed } from '../history/believed.ts';
import { apiItems } from '../history/conversation-list.ts';
import type { ApiInputItem } from '../history/item-converter.ts';
import { isObject } from '../ledger/json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pendingChanges, type LedgerEntry, type LedgerState } from '../ledger/ledger-state.ts';
import { failureReason } from './failure-reason.ts';
import type { MirrorLease } from './mirror-lease.ts';

/** The API takes at most 20 items in one call. */
const ITEMS_PER_CALL = 20;

/** An entry that is to be written, and the append that made it so: another one since means that it belongs elsewhere. */
export interface DueItem {
  readonly entry: LedgerEntry;
  readonly commit: string;
}

/** An entry and the form in which the API takes it. */
export interface PreparedItem extends DueItem {
  readonly item: ApiInputItem;
}

/** What a writer needs. */
export interface ConversationWriterOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly lease: MirrorLease;
  /** A write failed. */
  readonly onFailed: (error: unknown) => void;
  /** The conversation can never hold this entry. */
  readonly onSkipped: (kind: string, reason: string) => void;
}

/** Writes to a conversation and records in the ledger what became of it. */
export class ConversationWriter {
  readonly #options: ConversationWriterOptions;

  constructor(options: ConversationWriterOptions) {
    this.#options = options;
  }

  /**
   * Appends items in pieces of 20; what the API refuses for good is left out.
   *
   * @returns false when they are no longer due as they were, or it is another process's turn: the rest was not written.
   */
  async append(prepared: readonly PreparedItem[]): Promise<boolean> {
    const { ledger, lease } = this.#options;
    for (let from = 0; from < prepared.length; from += ITEMS_PER_CALL) {
      // Long appends outlast the lease: without it another process writes the rest.
      if (!(await lease.take())) return false;
      const state = await ledger.tip();
      if (!prepared.slice(from).every((one) => isDue(state, one))) return false;
      await this.#write(prepared.slice(from, from + ITEMS_PER_CALL));
    }
    return true;
  }

  /** Takes those of the given IDs out that are no longer in the history. */
  async remove(ids: ReadonlySet<string>): Promise<void> {
    const { client, conversationId, ledger } = this.#options;
    const { removed } = await ledger.tip();
    const due = [...removed].filter(([id, pending]) => pending && ids.has(id));
    for (const [id] of due) {
      // No retry by the client: the mirror makes the tries.
      const request = acknowledged('conversations.items.delete', async () =>
        client.conversations.items.delete(id, { conversation_id: conversationId }, { maxRetries: 0 }),
      );
      await request.catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      });
      await ledger.commitTip(() => [{ type: 'mirror', added: [], removed: [id] }]);
    }
  }

  /** Leaves an entry out of the conversation for good. */
  async skip(entry: LedgerEntry, reason: string): Promise<void> {
    await this.#options.ledger.commitTip(() => [
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: entry.seq, reason }] },
    ]);
    this.#options.onSkipped(entry.kind, reason);
  }

  async #write(chunk: readonly PreparedItem[]): Promise<void> {
    try {
      await this.#create(chunk);
    } catch (error) {
      this.#options.onFailed(error);
      if (!isRefusal(error)) throw error;
      const [only] = chunk;
      if (chunk.length > 1 || only === undefined) {
        // One item spoils the call for all: write them one by one and leave out the one.
        for (const one of chunk) await this.#write([one]);
      } else if (apiCodeOf(error) === 'item_already_in_conversation' && 'id' in only.item && only.item.id) {
        await this.#record([only], [only.item.id]);
      } else {
        await this.skip(only.entry, failureReason(error));
      }
    }
  }

  async #create(chunk: readonly PreparedItem[]): Promise<void> {
    const { client, conversationId, lease } = this.#options;
    const timeout = Math.min(client.timeout, lease.requestTimeout);
    const operation = 'conversations.items.create';
    const items = chunk.map(({ item }) => item);
    // No retry by the client: it would write again without looking whether the first try was applied.
    const answer: unknown = await believed(operation, async () =>
      client.conversations.items.create(conversationId, { items }, { maxRetries: 0, timeout }),
    );
    const created = apiItems(operation, isObject(answer) ? answer['data'] : undefined);
    // An answer with fewer items than were sent does not say which ones are there.
    if (created.length !== chunk.length)
      throw new InvalidResponseError(operation, `it holds ${created.length} items for ${chunk.length}`);
    await this.#record(
      chunk,
      created.map(({ id }) => id),
    );
  }

  async #record(chunk: readonly PreparedItem[], ids: readonly string[]): Promise<void> {
    const written = chunk.flatMap((one, index) => {
      const id = ids[index];
      return id === undefined ? [] : [{ ...one, id }];
    });
    await this.#options.ledger.commitTip((state) => {
      const isHere = (one: DueItem): boolean => isDue(state, one) || !state.unmirrored.has(one.entry.seq);
      const added = written.filter((one) => isHere(one)).map(({ entry, id }) => ({ seq: entry.seq, id }));
      const surplus = written.filter((one) => !isHere(one)).map(({ id }) => id);
      const isLast = written.every((one) => isDue(state, one)) && pendingChanges(state) === added.length;
      return [
        {
          type: 'mirror',
          added,
          removed: [],
          ...(surplus.length === 0 ? {} : { surplus }),
          ...(isLast && this.#options.lease.isHeld(state) ? { released: true } : {}),
        },
      ];
    });
  }
}

function isDue(state: LedgerState, { entry, commit }: DueItem): boolean {
  return state.unmirrored.get(entry.seq)?.commit === commit;
}

/** The API looked at the item and will never take it; the conversation itself is there. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 400 || status === 413 || status === 422) return !isTransient(error);
  return status === 404 && error instanceof Error && error.message.includes('Item with id');
}
