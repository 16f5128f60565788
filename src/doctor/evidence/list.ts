import type OpenAI from 'openai';
import { isMissing } from '../../conversation/api-error.ts';
import { readConversation, type ListedItem } from '../../conversation/items.ts';
import type { ItemConverter } from '../../items/item-converter.ts';
import type { LedgerState } from '../../ledger/state.ts';
import type { ItemIndex, ItemOccurrence } from './item-index.ts';

/** A conversation's list. */
export interface ReadList {
  readonly items: readonly ListedItem[];
  readonly occurrences: readonly ItemOccurrence[];
  /** Whether the conversation does not exist, or no longer. */
  readonly isGone: boolean;
}

/** The input of a list reader. */
export interface ListReaderOptions {
  readonly client: OpenAI;
  readonly conversationId: string;
  readonly converter: ItemConverter;
  readonly itemIndex: ItemIndex;
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
    const { client, conversationId, converter, itemIndex, signal, onProgress } = this.#options;
    try {
      const onPage = (done: number): void => onProgress({ stage: 'list', done });
      const raw = await readConversation(client, conversationId, { signal, onPage });
      const converted = await converter.toAgentItems(raw);
      const items = converted.map((item, index) => ({ id: raw[index]?.id ?? '', item }));
      return { items, occurrences: await itemIndex.add(raw), isGone: false };
    } catch (error) {
      if (isMissing(error)) return { items: [], occurrences: [], isGone: true };
      throw error;
    }
  }
}

/** Whether only the newest items are missing from a list: it may lag, so it is read again. */
export function mayLag(state: LedgerState, { items, isGone }: ReadList): boolean {
  const listed = new Set(items.map(({ id }) => id));
  const isListed = state.entries.flatMap(({ mirrorId }) =>
    mirrorId === undefined ? [] : [listed.has(mirrorId)],
  );
  const lost = isListed.filter((one) => !one).length;
  return lost > 0 && !isGone && isListed.slice(-lost).every((one) => !one);
}
