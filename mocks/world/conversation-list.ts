import type { Account } from './account.ts';
import type { ConversationRecord } from './records.ts';

/** How long an append stays invisible in the list: milliseconds of the simulator's clock, or a number of reads. */
export type Lag = number | { readonly reads: number };

/** Every ID in a conversation, appended ones that are not listed yet included. */
export function allIds(conversation: ConversationRecord): string[] {
  return [...conversation.ids, ...conversation.pending.flatMap((append) => append.ids)];
}

/** Appends items as one: a reader sees all of them or none. */
export function appendItems(
  account: Account,
  conversation: ConversationRecord,
  ids: readonly string[],
  lag: Lag,
  now: number,
): void {
  if (ids.length === 0) return;
  account.noteListed(conversation, ids);
  const byReads = typeof lag === 'object';
  const append = { ids, visibleAt: byReads ? now : now + lag, readsLeft: byReads ? lag.reads : 0 };
  conversation.pending.push(append);
  settle(conversation, now);
}

/** The IDs a client may see now; a list read counts against appends that lag by reads. */
export function visibleIds(conversation: ConversationRecord, now: number, isListRead: boolean): string[] {
  settle(conversation, now);
  const seen = conversation.ids;
  if (isListRead) for (const append of conversation.pending) append.readsLeft -= 1;
  return seen;
}

/** Appends become visible in their order, never one before an earlier one. */
function settle(conversation: ConversationRecord, now: number): void {
  let [first] = conversation.pending;
  while (first && first.visibleAt <= now && first.readsLeft <= 0) {
    conversation.ids.push(...first.ids);
    conversation.pending.shift();
    [first] = conversation.pending;
  }
}
