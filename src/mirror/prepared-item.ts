import type { ApiItem } from '../conversation/items.ts';
import type { HistoryReader } from '../history/reader.ts';
import { withId, withoutId, type ApiInputItem } from '../items/item-converter.ts';
import type { LedgerEntry } from '../ledger/state.ts';
import { isSameItem } from '../items/same-item.ts';

/** A pending entry, and the append that made it pending: after another append it has another position. */
export interface PendingItem {
  readonly entry: LedgerEntry;
  readonly commit: string;
}

/** A pending entry in the form of a request. */
export interface PreparedItem extends PendingItem {
  readonly item: ApiInputItem;
}

/** The item with the ID of the stored item that the API should link, or without an ID that belongs to another item. */
export function toRequestItem({ entry, item }: PreparedItem): ApiInputItem {
  if (entry.link !== undefined) return withId(item, entry.link);
  return entry.unlinked ? withoutId(item) : item;
}

/** The ID with which an item is sent. */
export function requestItemId(item: ApiInputItem): string | undefined {
  return 'id' in item && typeof item.id === 'string' && item.id !== '' ? item.id : undefined;
}

/** The indexes at which the API holds another item than the one that was sent with its ID. */
export async function findMislinked(
  reader: Pick<HistoryReader, 'toListedItems'>,
  chunk: readonly PreparedItem[],
  stored: readonly ApiItem[],
): Promise<number[]> {
  const compared = chunk.flatMap((one, index) => {
    const form = toRequestItem(one);
    const item = stored[index];
    return item === undefined || requestItemId(form) === undefined ? [] : [{ one, index, form, item }];
  });
  if (compared.length === 0) return [];
  const found = await reader.toListedItems(compared.map(({ item }) => item));
  // Reasoning has no digest and is compared by its text.
  const reasoning = compared.filter(({ one }) => one.entry.digest === null);
  const sent = await reader.toListedItems(
    reasoning.map(({ form, item: { id } }) => ({ ...form, id, type: form.type ?? 'message' })),
  );
  const sentBy = new Map(reasoning.map(({ index }, at) => [index, sent[at]?.item]));
  return compared.flatMap(({ one, index }, at) => {
    const item = found[at]?.item;
    const known = { digest: one.entry.digest, item: sentBy.get(index) };
    return item !== undefined && isSameItem(known, item) ? [] : [index];
  });
}
