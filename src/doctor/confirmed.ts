import type { ItemBook, Sighting } from './item-book.ts';
import type { ReadResponse } from './read-responses.ts';

/** What responses are compared with. */
export interface ConfirmOptions {
  readonly conversationId: string;
  readonly book: Pick<ItemBook, 'facts'>;
  /** What is known to belong to the conversation, in order: its list, or its ledger. */
  readonly base: readonly Sighting[];
}

/** Which responses count. */
export interface ConfirmWith extends ConfirmOptions {
  /** Responses that turned out to belong to the conversation. */
  readonly accepted: ReadonlySet<string>;
}

/**
 * The responses that are known to belong to the conversation, by their IDs. Pure.
 *
 * Those that were made in it; those whose output is in the base; and, from the newest to the oldest, those which one of
 * these continued or whose output one of these was given. An output is recognised by its ID, else by what a model reads of
 * it; one item then stands for one response, the newest that was made before, because the newest is what survives.
 *
 * @param responses in time order.
 */
export function confirmedResponses(
  responses: readonly ReadResponse[],
  { conversationId, book, base, accepted }: ConfirmWith,
): Set<string> {
  const confirmed = new Set(accepted);
  const makers = new Map<string, string>();
  const alike = new Map<number, number[]>();
  responses.forEach(({ id, output, conversationId: madeIn }, index) => {
    if (madeIn === conversationId) confirmed.add(id);
    for (const item of output) {
      makers.set(item.id, id);
      if (book.facts(item.key).role === 'output')
        alike.set(item.key, [...(alike.get(item.key) ?? []), index]);
    }
  });
  const confirm = (
    seen: readonly { readonly id: string | undefined; readonly key: number }[],
    end: number,
  ): void => {
    const counts = new Map<number, number>();
    for (const { id, key } of seen) {
      const maker = id === undefined ? undefined : makers.get(id);
      if (maker !== undefined) confirmed.add(maker);
      else if (alike.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of counts) {
      const before = (alike.get(key) ?? []).filter((index) => index < end);
      for (const index of before.slice(-count)) confirmed.add(responses[index]?.id ?? '');
    }
  };
  confirm(base, responses.length);
  // Nothing is left to compare with: whoever named responses says that they belong here, and the newest knows the most.
  const newest = responses.at(-1);
  if (confirmed.size === 0 && base.length === 0 && newest !== undefined) confirmed.add(newest.id);
  for (const [index, { id, parent, view }] of [...responses.entries()].toReversed()) {
    if (!confirmed.has(id)) continue;
    if (parent !== undefined) confirmed.add(parent);
    confirm(
      Array.from(view.keys, (key, at) => ({ id: view.ids[at], key })),
      index,
    );
  }
  return confirmed;
}
