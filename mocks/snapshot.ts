import { sinceCompaction } from './model/summary.ts';
import type { SimulatorItem } from './wire/item.ts';
import type { JsonObject } from './wire/json.ts';
import type { World } from './world/world.ts';

/** A conversation in a snapshot. */
export interface ConversationSnapshot {
  readonly id: string;
  readonly tenant: string;
  readonly metadata: JsonObject;
  /** The listed items, oldest first. */
  readonly items: readonly SimulatorItem[];
  /** The appended items that are not listed yet. */
  readonly pending: readonly SimulatorItem[];
}

/** A stored response in a snapshot. */
export interface ResponseSnapshot {
  readonly id: string;
  readonly tenant: string;
  readonly model: string;
  readonly status: string;
  readonly previousResponseId: string | undefined;
  readonly conversationId: string | undefined;
  /** Its own input. */
  readonly input: readonly SimulatorItem[];
  readonly output: readonly SimulatorItem[];
  /** Everything the model was shown, oldest first: before its own compaction, if it made one. */
  readonly context: readonly SimulatorItem[];
}

/** Everything a simulator holds, each kind in the order in which it was made. */
export interface SimulatorSnapshot {
  readonly conversations: readonly ConversationSnapshot[];
  readonly responses: readonly ResponseSnapshot[];
  /** Every item there is, whether a list holds it or not. */
  readonly items: readonly SimulatorItem[];
}

/** Copies the world as plain data. */
export function snapshotWorld(world: World): SimulatorSnapshot {
  const accounts = world.accounts();
  return {
    conversations: accounts.flatMap((account) =>
      Array.from(account.conversations.values(), (conversation) => ({
        id: conversation.id,
        tenant: account.name,
        metadata: { ...conversation.metadata },
        items: account.itemsOf(conversation.ids),
        pending: account.itemsOf(conversation.pending.flatMap((append) => append.ids)),
      })),
    ),
    responses: accounts.flatMap((account) =>
      Array.from(account.responses.values(), (response) => ({
        id: response.id,
        tenant: account.name,
        model: response.model,
        status: String(response.body['status']),
        previousResponseId: response.parentId,
        conversationId: response.conversationId,
        input: account.itemsOf(response.ownInput),
        output: account.itemsOf(response.outputIds),
        context: sinceCompaction(account.itemsIn(response.context)),
      })),
    ),
    items: accounts.flatMap((account) => [...account.items.values()]),
  };
}
