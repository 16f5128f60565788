import type { ContextNode } from './records.ts';

/** The item IDs of a context, oldest first. */
export function contextIds(node: ContextNode | undefined): string[] {
  const parts: (readonly string[])[] = [];
  for (let at = node; at; at = at.parent) parts.push(at.ids);
  return parts.toReversed().flat();
}

/** Cuts a context off once it names more than `most` IDs, so that an endless chain does not grow without bound. */
export function trimContext(node: ContextNode, most: number): void {
  let count = 0;
  for (let at: ContextNode | undefined = node; at; at = at.parent) {
    count += at.ids.length;
    if (count >= most) at.parent = undefined;
  }
}
