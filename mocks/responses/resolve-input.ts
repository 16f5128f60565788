import { errors } from '../wire/error-catalogue.ts';
import { frozenItem, type SimulatorItem } from '../wire/item.ts';
import { itemFields } from '../wire/item-fields.ts';
import type { ParsedItem } from '../wire/parse-item.ts';
import type { Account } from '../world/account.ts';
import { madeAt } from '../world/id-source.ts';
import type { World } from '../world/world.ts';

/** The items of a request as the server takes them. */
export interface ResolvedInput {
  /** Every item in order: the stored one where an ID was sent, a new one with a new ID elsewhere. */
  readonly items: readonly SimulatorItem[];
  /** Those that were sent by their ID. */
  readonly replayed: readonly SimulatorItem[];
}

/**
 * Looks up items that were sent by ID and gives every other item an ID of its own. A known ID stands for the stored
 * item; the content beside it is ignored.
 * @param mint makes an ID for a prefix.
 * @throws ApiError 404 for an ID that is not stored, unless it is a reasoning item with its encrypted content.
 */
export function resolveInput(
  world: World,
  account: Account,
  parsed: readonly ParsedItem[],
  param: string,
  mint: (prefix: string) => string,
): ResolvedInput {
  const replayed: SimulatorItem[] = [];
  const items = parsed.map((item) => {
    if (item.id === undefined) return newItem(item, mint(newPrefix(item.type)));
    const stored = account.items.get(item.id);
    const { profile } = world.settings;
    const isForgotten =
      stored?.type === 'reasoning' && param === 'input' && ageOf(stored, world) >= profile.reasoningTtl;
    if (stored && !isForgotten) {
      replayed.push(stored);
      return stored;
    }
    if (typeof item.fields['encrypted_content'] === 'string') return newItem(item, item.id);
    // Reasoning is nothing but its ID; a message or a call that was never stored still brings its content to a model.
    const isOnlyId = item.isReference || item.type === 'reasoning' || param === 'items';
    if (isForgotten) throw errors.itemNotFound(item.id, param);
    if (isOnlyId && !profile.stores) throw errors.itemNotRetained(item.id, param);
    if (isOnlyId) throw errors.itemNotStored(item.id, param);
    return newItem(item, mint(newPrefix(item.type)));
  });
  return { items, replayed };
}

/** The prefix of a new ID; outputs of function calls get one that tells them from the calls. */
function newPrefix(type: string): string {
  return type === 'function_call_output' ? 'fco' : (itemFields[type]?.prefix ?? 'item');
}

/** How long ago a stored item was made, in milliseconds. */
function ageOf({ id }: SimulatorItem, { clock }: World): number {
  return clock.now() - madeAt(id);
}

function newItem(item: ParsedItem, id: string): SimulatorItem {
  return frozenItem({ id, type: item.type, ...item.fields });
}
