import type OpenAI from 'openai';
import { apiCodeOf, isAmbiguous, isTransient, statusOf } from '../history/api-error.ts';
import { believed } from '../history/believed.ts';
import { apiItems } from '../history/conversation-list.ts';
import type { HistoryReader } from '../history/history-reader.ts';
import type { ApiInputItem, ItemConverter } from '../history/item-converter.ts';
import { isObject } from '../ledger/json.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import { SerialQueue } from '../ledger/serial-queue.ts';
import { failureReason } from './failure-reason.ts';
import { retryDelay } from './retry-delay.ts';

/** The API takes at most 20 items in one call. */
const ITEMS_PER_CALL = 20;

/** What a mirror needs. */
export interface MirrorOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly ledger: Ledger;
  readonly reader: HistoryReader;
  readonly converter: ItemConverter;
  /** Compares the list with the ledger, so that what is already there is not written again. */
  readonly look: () => Promise<unknown>;
  readonly onFailure: (pending: number, reason: string) => void;
  readonly onSkipped: (kind: string, reason: string) => void;
}

/** An entry and the form in which the API takes it. */
interface Prepared {
  readonly entry: LedgerEntry;
  readonly item: ApiInputItem;
}

/** Keeps the conversation up to date with the ledger: writes what it lacks, removes what was taken out. */
export class Mirror {
  readonly #options: MirrorOptions;
  readonly #queue = new SerialQueue();
  /** A write was sent whose answer got lost: look before writing again. */
  #doubtful = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
  }

  /** Brings the conversation up to date as far as it can. Never rejects. @returns how many changes are still pending. */
  push(): Promise<number> {
    return this.#queue.run(async () => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await this.#once();
          break;
        } catch (error) {
          this.#doubtful ||= isAmbiguous(error);
          const delay =
            isTransient(error) && attempt < this.#options.client.maxRetries
              ? retryDelay(error, attempt)
              : undefined;
          if (delay === undefined) return this.#giveUp(error);
          await new Promise((resolve) => setTimeout(resolve, delay));
        }
      }
      this.#options.reader.unpin();
      return 0;
    });
  }

  /** Resolves when nothing is being written. */
  idle(): Promise<void> {
    return this.#queue.run(async () => undefined);
  }

  /** The items are safe in the ledger: a run that the model has answered does not fail for the mirror's sake. */
  async #giveUp(error: unknown): Promise<number> {
    const state = await this.#options.ledger.state().catch(() => undefined);
    const pending = state === undefined ? 1 : Math.max(1, pendingChanges(state));
    this.#options.onFailure(pending, failureReason(error));
    return pending;
  }

  async #once(): Promise<void> {
    await this.#remove();
    if ((await this.#options.ledger.state()).unmirrored.size === 0) return;
    if (this.#doubtful) {
      await this.#options.look();
      this.#doubtful = false;
    }
    const prepared = await this.#prepare();
    for (let from = 0; from < prepared.length; from += ITEMS_PER_CALL) {
      await this.#write(prepared.slice(from, from + ITEMS_PER_CALL));
    }
  }

  async #remove(): Promise<void> {
    const { client, conversationId, ledger } = this.#options;
    const state = await ledger.state();
    for (const [id, pending] of state.removed) {
      if (!pending) continue;
      await client.conversations.items
        .delete(id, { conversation_id: conversationId })
        .catch((error: unknown) => {
          if (statusOf(error) !== 404) throw error;
        });
      await ledger.commit(() => [{ type: 'mirror', added: [], removed: [id] }]);
    }
  }

  async #prepare(): Promise<Prepared[]> {
    const { ledger, reader, converter } = this.#options;
    const state = await ledger.state();
    const restored = await reader.restore(state, [...state.unmirrored.values()], []);
    const present = restored.flatMap(({ entry, item }) => (item === undefined ? [] : [{ entry, item }]));
    const forms = await converter.toApiItems(present.map(({ item }) => item));
    const prepared: Prepared[] = [];
    for (const [index, form] of forms.entries()) {
      const entry = present[index]?.entry;
      if (entry === undefined) continue;
      if ('item' in form) prepared.push({ entry, item: form.item });
      else await this.#skip(entry, form.unsupported);
    }
    return prepared;
  }

  async #write(chunk: readonly Prepared[]): Promise<void> {
    try {
      await this.#create(chunk);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const [only] = chunk;
      if (chunk.length > 1 || only === undefined) {
        // One item spoils the call for all: write them one by one and leave out the one.
        for (const one of chunk) await this.#write([one]);
      } else if (apiCodeOf(error) === 'item_already_in_conversation' && 'id' in only.item && only.item.id) {
        await this.#record([only], [only.item.id]);
      } else {
        await this.#skip(only.entry, failureReason(error));
      }
    }
  }

  async #create(chunk: readonly Prepared[]): Promise<void> {
    const { client, conversationId } = this.#options;
    const items = chunk.map(({ item }) => item);
    // No retry by the client: it would write again without looking whether the first try was applied.
    const answer: unknown = await believed('conversations.items.create', async () =>
      client.conversations.items.create(conversationId, { items }, { maxRetries: 0 }),
    );
    const created = apiItems('conversations.items.create', isObject(answer) ? answer['data'] : undefined);
    await this.#record(
      chunk,
      created.map(({ id }) => id),
    );
  }

  async #record(chunk: readonly Prepared[], ids: readonly string[]): Promise<void> {
    const added = chunk.flatMap(({ entry }, index) => {
      const id = ids[index];
      return id === undefined ? [] : [{ seq: entry.seq, id }];
    });
    await this.#options.ledger.commit(() => [{ type: 'mirror', added, removed: [] }]);
    // An answer with fewer items than were sent does not say which ones are there.
    if (added.length < chunk.length) this.#doubtful = true;
  }

  async #skip(entry: LedgerEntry, reason: string): Promise<void> {
    await this.#options.ledger.commit(() => [
      { type: 'mirror', added: [], removed: [], skipped: [{ seq: entry.seq, reason }] },
    ]);
    this.#options.onSkipped(entry.kind, reason);
  }
}

/** How many changes the conversation does not have yet. */
export function pendingChanges(state: LedgerState): number {
  let pending = state.unmirrored.size;
  for (const waiting of state.removed.values()) if (waiting) pending += 1;
  return pending;
}

/** The API looked at the item and will never take it; the conversation itself is there. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error);
  if (status === 400 || status === 422) return !isTransient(error);
  return status === 404 && error instanceof Error && error.message.includes('Item with id');
}
