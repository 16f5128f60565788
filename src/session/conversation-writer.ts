import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { apiCodeOf, isTransient, statusOf } from '../history/api-error.ts';
import { acknowledged, believed } from '../history/believed.ts';
import { apiItems, type ApiItem } from '../history/conversation-list.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import { withId, type ApiInputItem } from '../history/item-converter.ts';
import { kindOf } from '../ledger/canonical-form.ts';
import { itemDigest } from '../ledger/digest.ts';
import { isObject } from '../ledger/json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pendingChanges, type LedgerEntry, type LedgerState } from '../ledger/ledger-state.ts';
import { failureReason } from './failure-reason.ts';
import type { MirrorLease } from './mirror-lease.ts';

/** The API takes at most 20 items in one call. */
export const ITEMS_PER_CALL = 20;

/** After so many items in a row that the API would not link it is asked no more. */
const REFUSALS = 20;

/** An entry that is to be written, and the append that made it so: another one since means that it belongs elsewhere. */
export interface DueItem {
  readonly entry: LedgerEntry;
  readonly commit: string;
}

/** An entry and the form in which the API takes it. */
export interface PreparedItem extends DueItem {
  readonly item: ApiInputItem;
}

/** How a long write is watched and stopped. */
export interface Progress {
  /** Aborted: what is under way is finished, and no other piece is begun. */
  readonly signal?: AbortSignal | undefined;
  /** A piece was written. */
  readonly onPiece?: ((state: LedgerState) => void) | undefined;
}

/** What a writer needs. */
export interface ConversationWriterOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly lease: MirrorLease;
  /** A write failed. */
  readonly onFailed: (error: unknown, chunk: readonly DueItem[]) => void;
  /** A write was applied, and the ledger could not be told. */
  readonly onUnrecorded: (chunk: readonly DueItem[]) => void;
  /** The conversation can never hold this entry. */
  readonly onSkipped: (kind: string, reason: string) => void;
}

/** Writes to a conversation and records in the ledger what became of it. */
export class ConversationWriter {
  readonly #options: ConversationWriterOptions;
  /** How many items in a row the API would not link. */
  #refusals = 0;

  constructor(options: ConversationWriterOptions) {
    this.#options = options;
  }

  /**
   * Appends items in pieces of 20; what the API refuses for good is left out.
   *
   * @returns false when they are no longer due as they were, it is another process's turn, or it was told to stop: the
   * rest was not written.
   */
  async append(prepared: readonly PreparedItem[], { signal, onPiece }: Progress = {}): Promise<boolean> {
    const { ledger, lease } = this.#options;
    for (let from = 0; from < prepared.length; from += ITEMS_PER_CALL) {
      // Long appends outlast the lease: without it another process writes the rest.
      if (signal?.aborted === true || !(await lease.take())) return false;
      const state = await ledger.tip();
      if (!prepared.slice(from).every((one) => isDue(state, one))) return false;
      if (!(await this.#write(prepared.slice(from, from + ITEMS_PER_CALL)))) return false;
      onPiece?.(await ledger.state());
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

  /** @returns false when what was linked turned out to be something else: what follows has to be written again. */
  async #write(chunk: readonly PreparedItem[]): Promise<boolean> {
    let created: readonly ApiItem[];
    try {
      created = await this.#create(chunk);
    } catch (error) {
      this.#options.onFailed(error, chunk);
      if (!isRefusal(error)) throw error;
      return this.#refused(chunk, error);
    }
    try {
      return await this.#take(chunk, created);
    } catch (error) {
      this.#options.onUnrecorded(chunk);
      throw error;
    }
  }

  /** The API will never take all of this. */
  async #refused(chunk: readonly PreparedItem[], error: unknown): Promise<boolean> {
    const [only] = chunk;
    if (chunk.length > 1 || only === undefined) {
      // One item spoils the call for all: write them in halves until the one is left out.
      const half = Math.ceil(chunk.length / 2);
      return (await this.#write(chunk.slice(0, half))) && (await this.#write(chunk.slice(half)));
    }
    const id = idOf(formOf(only));
    if (apiCodeOf(error) === 'item_already_in_conversation' && id !== undefined) {
      await this.#record([only], [id]);
    } else if (only.entry.link !== undefined) {
      await this.#unlink(only.entry);
      return this.#write([only]);
    } else {
      await this.skip(only.entry, failureReason(error));
    }
    return true;
  }

  /** Has an entry written by its content; and all others too, where the API seems to know none of them. */
  async #unlink(entry: LedgerEntry): Promise<void> {
    this.#refusals += 1;
    const all = this.#refusals >= REFUSALS;
    await this.#options.ledger.commitTip(({ unmirrored }) => {
      const linked = [...unmirrored.values()].filter(({ link }) => link !== undefined);
      const unlinked = linked.filter(({ seq }) => all || seq === entry.seq).map(({ seq }) => seq);
      return [{ type: 'mirror', added: [], removed: [], unlinked }];
    });
    // Another object, if the ledger was read anew meanwhile.
    entry.link = undefined;
  }

  async #create(chunk: readonly PreparedItem[]): Promise<readonly ApiItem[]> {
    const { client, conversationId, lease } = this.#options;
    const timeout = Math.min(client.timeout, lease.requestTimeout);
    const operation = 'conversations.items.create';
    const items = chunk.map((one) => formOf(one));
    // No retry by the client: it would write again without looking whether the first try was applied.
    const answer: unknown = await believed(operation, async () =>
      client.conversations.items.create(conversationId, { items }, { maxRetries: 0, timeout }),
    );
    const created = apiItems(operation, isObject(answer) ? answer['data'] : undefined);
    // An answer with fewer items than were sent does not say which ones are there.
    if (created.length !== chunk.length)
      throw new InvalidResponseError(operation, `it holds ${created.length} items for ${chunk.length}`);
    return created;
  }

  /** Records what was written. */
  async #take(chunk: readonly PreparedItem[], created: readonly ApiItem[]): Promise<boolean> {
    const ids = created.map(({ id }) => id);
    const wrong = await this.#mistaken(chunk, created);
    const [first = chunk.length] = wrong;
    if (chunk.some(({ entry }, index) => index < first && entry.link === ids[index])) this.#refusals = 0;
    await this.#record(chunk.slice(0, first), ids, {
      surplus: ids.slice(first),
      unlinked: wrong.flatMap((index) => chunk[index]?.entry.seq ?? []),
    });
    return wrong.length === 0;
  }

  /** Where the API linked another item than the ledger knows under that ID. */
  async #mistaken(chunk: readonly PreparedItem[], created: readonly ApiItem[]): Promise<number[]> {
    if (chunk.every(({ entry }) => entry.link === undefined)) return [];
    const listed = await this.#options.reader.listed(created);
    return chunk.flatMap(({ entry }, index) => {
      const item = listed[index]?.item;
      if (entry.link === undefined || item === undefined) return [];
      const isSame = itemDigest(item) === entry.digest && kindOf(item) === entry.kind;
      return isSame ? [] : [index];
    });
  }

  async #record(
    chunk: readonly PreparedItem[],
    ids: readonly string[],
    { surplus: others = [], unlinked = [] }: { surplus?: readonly string[]; unlinked?: number[] } = {},
  ): Promise<void> {
    const written = chunk.flatMap((one, index) => {
      const id = ids[index];
      return id === undefined ? [] : [{ ...one, id }];
    });
    await this.#options.ledger.commitTip((state) => {
      const isHere = (one: DueItem): boolean => isDue(state, one) || !state.unmirrored.has(one.entry.seq);
      const added = written.filter((one) => isHere(one)).map(({ entry, id }) => ({ seq: entry.seq, id }));
      const surplus = [...written.filter((one) => !isHere(one)).map(({ id }) => id), ...others];
      const isLast = written.every((one) => isDue(state, one)) && pendingChanges(state) === added.length;
      return [
        {
          type: 'mirror',
          added,
          removed: [],
          ...(surplus.length === 0 ? {} : { surplus }),
          ...(unlinked.length === 0 ? {} : { unlinked }),
          ...(isLast && this.#options.lease.isHeld(state) ? { released: true } : {}),
        },
      ];
    });
  }
}

/** With the ID by which the conversation is asked to link what the API has stored already. */
export function formOf({ entry, item }: PreparedItem): ApiInputItem {
  return entry.link === undefined ? item : withId(item, entry.link);
}

/** The ID under which an item is sent, if it is. */
export function idOf(item: ApiInputItem): string | undefined {
  return 'id' in item && typeof item.id === 'string' && item.id !== '' ? item.id : undefined;
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
