import type { FaultDetails } from './fault.ts';
import { isAssistantMessage, type SimulatorItem } from '../wire/item.ts';

type Items = readonly SimulatorItem[];

/** Leaves out the item of the given ID, or else the newest assistant messages but the very last. */
export function droppedItems(items: Items, { id, count = 1 }: FaultDetails): Items {
  if (id !== undefined) return items.filter((item) => item.id !== id);
  const earlier = items.filter(isAssistantMessage).slice(0, -1);
  const dropped = new Set(earlier.slice(-count));
  return items.filter((item) => !dropped.has(item));
}

/** Lists the item of the given ID twice, or else the newest items. */
export function duplicatedItems(items: Items, { id, count = 1 }: FaultDetails): Items {
  const twice =
    id === undefined ? new Set(items.slice(-count)) : new Set(items.filter((item) => item.id === id));
  return items.flatMap((item) => (twice.has(item) ? [item, item] : [item]));
}

/** Swaps the newest two items. */
export function reorderedItems(items: Items): Items {
  const [first, second] = items.slice(-2);
  return first && second ? [...items.slice(0, -2), second, first] : items;
}

/** Does not show the newest items yet. */
export function laggingItems(items: Items, { count = 1 }: FaultDetails): Items {
  return items.slice(0, -count);
}
