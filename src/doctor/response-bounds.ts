import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';

/**
 * The response that each entry of a ledger belongs to: the first one that ends behind it. Pure.
 *
 * Where the model boundary saw a response's context, its length says where it ends; else how far the session had come
 * when it was recorded.
 */
export function responseBounds(
  state: LedgerState,
): (entry: LedgerEntry, index: number) => string | undefined {
  const owners: (string | undefined)[] = [];
  for (const { id, context, nextSeq } of state.responses) {
    const isSeen = context !== undefined && state.entries[context.length - 1]?.context === context.digest;
    const end = isSeen ? context.length : endBefore(state, nextSeq);
    while (owners.length < end) owners.push(id);
  }
  return (_, index) => owners[index];
}

function endBefore({ entries }: LedgerState, nextSeq: number): number {
  return entries.findLastIndex(({ seq }) => seq < nextSeq) + 1;
}
