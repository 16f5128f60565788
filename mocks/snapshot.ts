import { sinceCompaction } from './model/summary.ts';
import type { SimulatorItem } from './wire/item.ts';
import type { JsonObject } from './wire/json.ts';
import type { PendingAppend } from './world/records.ts';
import type { World } from './world/world.ts';

/** A conversation in a snapshot. */
export interface ConversationSnapshot {
  readonly id: string;
  readonly tenant: string;
  readonly createdAt: number;
  readonly metadata: JsonObject;
  /** The listed items, oldest first. */
  readonly items: readonly SimulatorItem[];
  /** The appended items that are not listed yet. */
  readonly pending: readonly SimulatorItem[];
  /** Which of these become visible together, and when. */
  readonly appends: readonly PendingAppend[];
}

/** A stored response in a snapshot. */
export interface ResponseSnapshot {
  readonly id: string;
  readonly tenant: string;
  readonly createdAt: number;
  readonly model: string;
  readonly status: string;
  readonly previousResponseId: string | undefined;
  readonly conversationId: string | undefined;
  /** Its own input. */
  readonly input: readonly SimulatorItem[];
  readonly output: readonly SimulatorItem[];
  /** Everything the model was shown, oldest first: before its own compaction, if it made one. */
  readonly context: readonly SimulatorItem[];
  /** The response as the API shows it. */
  readonly body: JsonObject;
  /** Whether its events can be told again. */
  readonly isReplayable: boolean;
}

/** An account of a snapshot, without its key. */
export interface AccountSnapshot {
  readonly tenant: string;
  /** Every item that it owns. */
  readonly itemIds: readonly string[];
}

/** Everything a simulator holds, each kind in the order in which it was made. */
export interface SimulatorSnapshot {
  readonly conversations: readonly ConversationSnapshot[];
  readonly responses: readonly ResponseSnapshot[];
  /** Every item there is, whether a list holds it or not. */
  readonly items: readonly SimulatorItem[];
  readonly accounts: readonly AccountSnapshot[];
}

/** Copies the world as plain data. */
export function snapshotWorld(world: World): SimulatorSnapshot {
  const accounts = world.accounts();
  return {
    conversations: accounts.flatMap((account) =>
      Array.from(account.conversations.values(), (conversation) => ({
        id: conversation.id,
        tenant: account.name,
        createdAt: conversation.createdAt,
        metadata: { ...conversation.metadata },
        items: account.itemsOf(conversation.ids),
        pending: account.itemsOf(conversation.pending.flatMap((append) => append.ids)),
        appends: conversation.pending.map((append) => ({ ...append, ids: [...append.ids] })),
      })),
    ),
    responses: accounts.flatMap((account) =>
      Array.from(account.responses.values(), (response) => ({
        id: response.id,
        tenant: account.name,
        createdAt: response.createdAt,
        model: response.model,
        status: String(response.body['status']),
        previousResponseId: response.parentId,
        conversationId: response.conversationId,
        input: account.itemsOf(response.ownInput),
        output: account.itemsOf(response.outputIds),
        context: sinceCompaction(account.itemsIn(response.context)),
        body: { ...response.body },
        isReplayable: response.isReplayable,
      })),
    ),
    items: accounts.flatMap((account) => [...account.items.values()]),
    accounts: accounts.map((account) => ({ tenant: account.name, itemIds: [...account.items.keys()] })),
  };
}
