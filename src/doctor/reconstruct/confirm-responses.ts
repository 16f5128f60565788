import type { ItemIndex, ItemOccurrence } from '../evidence/item-index.ts';
import type { ReadResponse } from '../evidence/responses.ts';

/** The input of a reconstruction. */
export interface ConfirmOptions {
  readonly conversationId: string;
  readonly itemIndex: Pick<ItemIndex, 'facts'>;
  /** The items that are known to belong to the conversation, in order: its list, or its ledger. */
  readonly base: readonly ItemOccurrence[];
}

/** The same, with the responses accepted so far. */
export interface ConfirmWith extends ConfirmOptions {
  /** IDs of accepted responses. */
  readonly accepted: ReadonlySet<string>;
}

/**
 * The IDs of the responses that are known to belong to the conversation. Pure.
 *
 * A response belongs if it was made in the conversation, if its output is in the base, or, from the newest to the oldest, if
 * a response that belongs continues it or has its output in its input. An output is recognised by its ID, else by its
 * content. By content, one item stands for one response: the newest before it, because the newest survives.
 *
 * @param responses in time order.
 */
export function confirmedResponses(
  responses: readonly ReadResponse[],
  { conversationId, itemIndex, base, accepted }: ConfirmWith,
): Set<string> {
  const confirmed = new Set(accepted);
  const producers = new Map<string, string>();
  const alike = new Map<number, number[]>();
  responses.forEach(({ id, output, conversationId: madeIn }, index) => {
    if (madeIn === conversationId) confirmed.add(id);
    for (const item of output) {
      producers.set(item.id, id);
      if (itemIndex.facts(item.key).role === 'output')
        alike.set(item.key, [...(alike.get(item.key) ?? []), index]);
    }
  });
  const confirm = (
    seen: readonly { readonly id: string | undefined; readonly key: number }[],
    end: number,
  ): void => {
    const counts = new Map<number, number>();
    for (const { id, key } of seen) {
      const producer = id === undefined ? undefined : producers.get(id);
      if (producer !== undefined) confirmed.add(producer);
      else if (alike.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of counts) {
      const before = (alike.get(key) ?? []).filter((index) => index < end);
      for (const index of before.slice(-count)) confirmed.add(responses[index]?.id ?? '');
    }
  };
  confirm(base, responses.length);
  // With nothing to compare, the caller's word counts, and the newest response has the longest input.
  const newest = responses.at(-1);
  if (confirmed.size === 0 && base.length === 0 && newest !== undefined) confirmed.add(newest.id);
  for (const [index, { id, parent, input }] of [...responses.entries()].toReversed()) {
    if (!confirmed.has(id)) continue;
    if (parent !== undefined) confirmed.add(parent);
    confirm(
      Array.from(input.keys, (key, at) => ({ id: input.ids[at], key })),
      index,
    );
  }
  return confirmed;
}
