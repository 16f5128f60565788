import type { ItemOccurrence } from './item-index.ts';
import type { TimelineNode } from '../reconstruct/reconstructed-timeline.ts';

/** An item that is known to belong to the conversation. */
export interface BaseItem extends ItemOccurrence {
  /** Whether a ledger recorded it at its time: then no item is missing between two proven neighbours. */
  readonly isProven?: boolean;
}

/**
 * Removes the items that contradict the ledger. Pure.
 *
 * An item outside the base is kept only beside an item that was read from a list. Proven items keep their order.
 */
export function withinProof(
  nodes: readonly TimelineNode[],
  base: readonly BaseItem[],
  isRefuted: (node: TimelineNode) => boolean,
): TimelineNode[] {
  const behind = new Map<number, TimelineNode[]>();
  const known = new Map<number, TimelineNode>();
  let last = -1;
  for (const node of nodes) {
    if (node.base !== undefined) {
      last = node.base;
      known.set(last, node);
    } else if (!isRefuted(node)) behind.set(last, [...(behind.get(last) ?? []), node]);
  }
  const isProven = (position: number | undefined): boolean =>
    position !== undefined && base[position]?.isProven === true;
  const proven = [...known.keys()].filter((position) => isProven(position));
  const isInOrder = proven.every((position, at) => at === 0 || position > (proven[at - 1] ?? 0));
  const order = isInOrder ? [...known.keys()] : [...known.keys()].toSorted((a, b) => a - b);
  return [-1, ...order].flatMap((position, at) => {
    const node = known.get(position);
    const next = order[at];
    const isClosed =
      (isProven(position) && (next === undefined || isProven(next))) || (position === -1 && isProven(next));
    return [...(node === undefined ? [] : [node]), ...(isClosed ? [] : (behind.get(position) ?? []))];
  });
}
