import type OpenAI from 'openai';
import { statusOf } from '../history/api-error.ts';
import { readConversation } from '../history/conversation-list.ts';
import type { ItemConverter } from '../history/item-converter.ts';
import type { ListedItem } from '../history/listed-item.ts';
import type { LedgerState } from '../ledger/ledger-state.ts';
import type { ItemBook, Sighting } from './item-book.ts';

/** A conversation's list. */
export interface ReadList {
  readonly items: readonly ListedItem[];
  readonly sightings: readonly Sighting[];
  /** Whether there is no such conversation, or no longer. */
  readonly isGone: boolean;
}

/** What reading a list needs. */
export interface ListReaderOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly converter: ItemConverter;
  readonly book: ItemBook;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: { readonly stage: 'list'; readonly done: number }) => void;
}

/** Reads the list of one conversation. */
export class ListReader {
  readonly #options: ListReaderOptions;

  constructor(options: ListReaderOptions) {
    this.#options = options;
  }

  async read(): Promise<ReadList> {
    const { client, conversationId, converter, book, signal, onProgress } = this.#options;
    try {
      const onPage = (done: number): void => onProgress({ stage: 'list', done });
      const raw = await readConversation(client, conversationId, { signal, onPage });
      const converted = await converter.toAgentItems(raw);
      const items = converted.map((item, index) => ({ id: raw[index]?.id ?? '', item }));
      return { items, sightings: await book.note(raw), isGone: false };
    } catch (error) {
      if (statusOf(error) === 404) return { items: [], sightings: [], isGone: true };
      throw error;
    }
  }
}

/** Whether only the newest items are missing from a list: it may lag behind, and is to be asked again. */
export function mayLag(state: LedgerState, { items, isGone }: ReadList): boolean {
  const listed = new Set(items.map(({ id }) => id));
  const isListed = state.entries.flatMap(({ mirrorId }) =>
    mirrorId === undefined ? [] : [listed.has(mirrorId)],
  );
  const lost = isListed.filter((one) => !one).length;
  return lost > 0 && !isGone && isListed.slice(-lost).every((one) => !one);
}
