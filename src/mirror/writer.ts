import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/session.ts';
import { apiCodeOf, isTransient, statusOf, failureReason } from '../conversation/api-error.ts';
import { sendRequest, sendDelete } from '../conversation/request.ts';
import { apiItems, INCLUDE, type ApiItem } from '../conversation/items.ts';
import type { HistoryReader } from '../history/reader.ts';
import { isObject } from '../util/json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { pendingChanges, type LedgerEntry, type LedgerState } from '../ledger/state.ts';
import { isUrlSegment } from '../util/url-segment.ts';
import type { ProcessLease } from './lease.ts';
import {
  findMislinked,
  toRequestItem,
  requestItemId,
  type PendingItem,
  type PreparedItem,
} from './prepared-item.ts';
import type { SharedSyncState } from './shared-sync-state.ts';
import type { Warn } from '../telemetry/span.ts';

/** The limit of the API. */
export const ITEMS_PER_CALL = 20;

/** The number of consecutive items that the API does not link before the writer sends all items without IDs. */
const MAX_LINK_REFUSALS = 20;

function entriesOf(chunk: readonly PendingItem[]): LedgerEntry[] {
  return chunk.map(({ entry }) => entry);
}

/** The options of a long write. */
export interface WriteProgress {
  /** Stops the write after the current request. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch. */
  readonly onBatch?: ((state: LedgerState) => void) | undefined;
}

/** The options of a writer. */
export interface ConversationWriterOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly lease: ProcessLease;
  readonly sync: Pick<SharedSyncState, 'writeFailed' | 'writeUnrecorded'>;
  /** Reports entries that the conversation can never hold, and other items than the sent ones that the API linked. */
  readonly warn: Warn;
}

/** Writes to a conversation, and records the results in the ledger. */
export class ConversationWriter {
  readonly #options: ConversationWriterOptions;
  /** The number of consecutive items that the API did not link. */
  #linkRefusals = 0;

  constructor(options: ConversationWriterOptions) {
    this.#options = options;
  }

  /**
   * Appends items in batches of 20; skips items that the API refuses permanently.
   *
   * @returns false if the items changed, another process holds the lease, or the signal was aborted; the remaining items were
   * not written.
   */
  async append(
    known: LedgerState,
    prepared: readonly PreparedItem[],
    { signal, onBatch }: WriteProgress = {},
  ): Promise<boolean> {
    const { ledger, lease } = this.#options;
    let state = known;
    for (let from = 0; from < prepared.length; from += ITEMS_PER_CALL) {
      // A long write outlasts the lease; without it, another process writes the rest.
      const held = signal?.aborted === true ? undefined : await lease.take(state);
      if (held === undefined || !prepared.slice(from).every((one) => isDue(held, one))) return false;
      if (!(await this.#write(prepared.slice(from, from + ITEMS_PER_CALL)))) return false;
      onBatch?.(await ledger.read());
      state = held;
    }
    return true;
  }

  /** Removes the items of these IDs that are no longer in the history. */
  async remove({ removed }: LedgerState, ids: ReadonlySet<string>): Promise<void> {
    const { client, conversationId, ledger } = this.#options;
    const due = [...removed].filter(([id, pending]) => pending && ids.has(id));
    for (const [id] of due) {
      // The mirror retries, not the client. The API cannot hold an ID that is no part of a URL.
      const request = isUrlSegment(id)
        ? sendDelete(
            client,
            'conversations.items.delete',
            (how) => client.conversations.items.delete(id, { conversation_id: conversationId }, how),
            { maxRetries: 0 },
          )
        : Promise.resolve();
      await request.catch((error: unknown) => {
        if (statusOf(error) !== 404) throw error;
      });
      await ledger.append(() => [{ type: 'mirror', added: [], removed: [id] }], { scope: 'tail' });
    }
  }

  /** Leaves an entry out of the conversation permanently. */
  async skip(entry: LedgerEntry, reason: string): Promise<void> {
    await this.#options.ledger.append(
      () => [{ type: 'mirror', added: [], removed: [], skipped: [{ seq: entry.seq, reason }] }],
      { scope: 'tail' },
    );
    this.#options.warn({ code: 'mirror_skipped', itemKind: entry.kind, reason });
  }

  /** @returns false when the API linked another item: the following items have to be written again. */
  async #write(chunk: readonly PreparedItem[]): Promise<boolean> {
    let created: readonly ApiItem[];
    try {
      created = await this.#create(chunk);
    } catch (error) {
      this.#options.sync.writeFailed(error, entriesOf(chunk));
      if (!isRefusal(error)) throw error;
      return this.#refused(chunk, error);
    }
    let foreign: readonly string[];
    try {
      foreign = await this.#take(chunk, created);
    } catch (error) {
      this.#options.sync.writeUnrecorded(entriesOf(chunk));
      throw error;
    }
    if (foreign.length === 0) return true;
    this.#options.warn({ code: 'foreign_item', ids: foreign });
    // If this fails, the ledger still holds their removal.
    await this.remove(await this.#options.ledger.read({ scope: 'tail' }), new Set(foreign));
    return false;
  }

  /** Handles a batch that the API refuses permanently. */
  async #refused(chunk: readonly PreparedItem[], error: unknown): Promise<boolean> {
    const { ledger } = this.#options;
    const [only] = chunk;
    if (chunk.length > 1 || only === undefined) {
      // One item fails the whole batch: write the halves separately until it is found.
      const half = Math.ceil(chunk.length / 2);
      return (await this.#write(chunk.slice(0, half))) && (await this.#write(chunk.slice(half)));
    }
    const id = requestItemId(toRequestItem(only));
    if (apiCodeOf(error) === 'item_already_in_conversation' && id !== undefined) {
      if ((await findMislinked(this.#options.reader, [only], [await this.#stored(only, id)])).length === 0) {
        await this.#record([only], [id]);
        return true;
      }
      const isOwn = (await ledger.read({ scope: 'tail' })).possibleDuplicates.has(only.entry.seq);
      await this.#unlink([only.entry], isOwn ? [id] : []);
      this.#options.warn({ code: 'foreign_item', ids: [id] });
    } else if (only.entry.link === undefined) {
      await this.skip(only.entry, failureReason(error));
      return true;
    } else {
      this.#linkRefusals += 1;
      // The API probably stores none of them.
      const all = this.#linkRefusals >= MAX_LINK_REFUSALS;
      const { unmirrored } = await ledger.read({ scope: 'tail' });
      const linked = [...unmirrored.values()].filter(({ link }) => link !== undefined);
      await this.#unlink(all ? [only.entry, ...linked] : [only.entry]);
    }
    return this.#write([only]);
  }

  /** Records that entries are written without an ID, and that the other items under these IDs have to be removed. */
  async #unlink(entries: readonly LedgerEntry[], surplus: string[] = []): Promise<void> {
    const unlinked = [...new Set(entries.map(({ seq }) => seq))];
    await this.#options.ledger.append(
      () => [
        { type: 'mirror', added: [], removed: [], unlinked, ...(surplus.length === 0 ? {} : { surplus }) },
      ],
      { scope: 'tail' },
    );
    for (const entry of entries) {
      // The ledger may have been read again, with new objects.
      entry.link = undefined;
      entry.unlinked = true;
    }
  }

  /** The item that the conversation holds under the ID of a pending item. */
  async #stored(one: PreparedItem, id: string): Promise<ApiItem> {
    const { client, conversationId } = this.#options;
    const operation = 'conversations.items.retrieve';
    try {
      const answer: unknown = await sendRequest(client, operation, (how) =>
        client.conversations.items.retrieve(
          id,
          { conversation_id: conversationId, include: [...INCLUDE] },
          how,
        ),
      );
      const [item] = apiItems(operation, [answer]);
      if (item !== undefined) return item;
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
    // The API may show the item later; until then its owner is unknown.
    const unseen = new InvalidResponseError(
      operation,
      'it does not show an item that the conversation holds',
    );
    this.#options.sync.writeFailed(unseen, [one.entry]);
    throw unseen;
  }

  async #create(chunk: readonly PreparedItem[]): Promise<readonly ApiItem[]> {
    const { client, conversationId, lease } = this.#options;
    const operation = 'conversations.items.create';
    const items = chunk.map((one) => toRequestItem(one));
    // The returned items are compared.
    const include = items.every((item) => requestItemId(item) === undefined) ? {} : { include: [...INCLUDE] };
    // The client must not retry: it would not check first whether the write was applied.
    const answer: unknown = await sendRequest(
      client,
      operation,
      (how) => client.conversations.items.create(conversationId, { items, ...include }, how),
      { maxRetries: 0, deadline: Math.min(client.timeout, lease.requestTimeout) },
    );
    const created = apiItems(operation, isObject(answer) ? answer['data'] : undefined);
    // An answer with fewer items does not tell which ones were written.
    if (created.length !== chunk.length)
      throw new InvalidResponseError(operation, `it holds ${created.length} items for ${chunk.length}`);
    return created;
  }

  /** Records the written items. @returns the IDs under which the API linked other items. */
  async #take(chunk: readonly PreparedItem[], created: readonly ApiItem[]): Promise<string[]> {
    const ids = created.map(({ id }) => id);
    const wrong = await findMislinked(this.#options.reader, chunk, created);
    const [first = chunk.length] = wrong;
    if (chunk.some(({ entry }, index) => index < first && entry.link === ids[index])) this.#linkRefusals = 0;
    await this.#record(chunk.slice(0, first), ids, {
      surplus: ids.slice(first),
      unlinked: wrong.flatMap((index) => chunk[index]?.entry.seq ?? []),
    });
    return wrong.flatMap((index) => ids[index] ?? []);
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
    await this.#options.ledger.append(
      (state) => {
        const isHere = (one: PendingItem): boolean =>
          isDue(state, one) || !state.unmirrored.has(one.entry.seq);
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
      },
      { scope: 'tail' },
    );
  }
}

function isDue(state: LedgerState, { entry, commit }: PendingItem): boolean {
  return state.unmirrored.get(entry.seq)?.commit === commit;
}

/** Whether the API refuses the item permanently, while the conversation exists. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 400 || status === 413 || status === 422) return !isTransient(error);
  return status === 404 && error instanceof Error && error.message.includes('Item with id');
}
