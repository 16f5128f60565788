import type { LedgerState } from '../ledger/state.ts';
import type { Match } from '../conversation/items.ts';
import { itemDigest } from '../items/digest.ts';
import type { UnknownItem } from './duplicate-writes.ts';
import type { FoundWrite } from './unacknowledged-writes.ts';

/**
 * Finds the items that the list lacked when the history was adopted, and shows now: the conversation has them under IDs that the
 * ledger does not know. Pure.
 *
 * Between two known items, the list shows them in their order, before anything that another writer added: from the first other
 * item on, an equal one may be another writer's.
 *
 * @param strangers items that are no entry's, in the order of the list.
 * @param anchors known entries of the list, in the order of both.
 */
export function findRelisted(
  { entries }: LedgerState,
  strangers: readonly UnknownItem[],
  anchors: readonly Match[],
): (FoundWrite & { readonly index: number })[] {
  if (strangers.length === 0 || !entries.some(({ assumed }) => assumed)) return [];
  const found: (FoundWrite & { index: number })[] = [];
  const gaps = [...anchors, { position: Number.POSITIVE_INFINITY, index: entries.length }];
  let at = 0;
  let from = 0;
  for (const { position, index: end } of gaps) {
    let isOwn = true;
    for (; (strangers[at]?.position ?? Number.POSITIVE_INFINITY) < position; at += 1) {
      const listed = strangers[at]?.listed;
      if (listed === undefined || !isOwn) continue;
      const digest = itemDigest(listed.item);
      let index = digest === null ? end : from;
      while (index < end && !(entries[index]?.assumed === true && entries[index]?.digest === digest))
        index += 1;
      const entry = index < end ? entries[index] : undefined;
      isOwn = entry !== undefined;
      if (entry === undefined) continue;
      found.push({ seq: entry.seq, id: listed.id, index });
      from = index + 1;
    }
    from = end + 1;
  }
  return found;
}
