import { hashOf } from './model/hash.ts';
import type { ConversationSnapshot, ResponseSnapshot, SimulatorSnapshot } from './snapshot.ts';
import type { SimulatorItem } from './wire/item.ts';
import { isJsonObject } from './wire/json.ts';
import type { Account } from './world/account.ts';
import { threadOf } from './world/id-source.ts';
import type { World } from './world/world.ts';

/**
 * Puts a snapshot in the place of everything that a world holds. The snapshot may have been JSON in between.
 * @throws TypeError for a value that is no snapshot, or a response that was not finished; nothing has changed then.
 */
export function restoreWorld(world: World, given: SimulatorSnapshot): void {
  checkSnapshot(given);
  const snapshot = structuredClone(given);
  const items = new Map(snapshot.items.map((item) => [item.id, item]));
  const accounts = new Map(
    snapshot.accounts.map(({ tenant, itemIds }) => {
      const account = world.newAccount(tenant);
      for (const id of itemIds) account.addItem(itemOf(items, id));
      return [tenant, account];
    }),
  );
  for (const conversation of snapshot.conversations)
    addConversation(accountOf(accounts, conversation.tenant), conversation);
  for (const response of snapshot.responses) addResponse(accountOf(accounts, response.tenant), response);
  world.replaceAccounts([...accounts.values()]);
  goOn(world, snapshot);
}

/** Time goes on from the newest object. IDs go on with others than those given out before, the same after each restoring. */
function goOn({ clock, ids }: World, { items, conversations, responses }: SimulatorSnapshot): void {
  const objects = [...conversations, ...responses];
  if (objects.length > 0) clock.set(Math.max(...objects.map(({ createdAt }) => createdAt)));
  else clock.reset();
  const [number] = hashOf([...objects, ...items].map(({ id }) => id).join(' '));
  ids.reset(number);
}

function checkSnapshot(given: unknown): asserts given is SimulatorSnapshot {
  const lists = ['conversations', 'responses', 'items', 'accounts'];
  if (!isJsonObject(given) || !lists.every((name) => Array.isArray(given[name])))
    throw new TypeError('Cannot restore: this is no snapshot of a simulator');
  const responses: unknown[] = Array.isArray(given['responses']) ? given['responses'] : [];
  for (const response of responses) {
    if (!isJsonObject(response)) continue;
    const { id, status } = response;
    if (status === 'queued' || status === 'in_progress')
      throw new TypeError(
        `Cannot restore: the response ${String(id)} was ${status}; take the snapshot later`,
      );
  }
}

function addConversation(
  account: Account,
  { id, createdAt, metadata, items, appends }: ConversationSnapshot,
): void {
  const conversation = {
    id,
    createdAt,
    thread: threadOf(id) ?? '',
    metadata,
    ids: idsOf(items),
    pending: appends.map((append) => ({ ...append })),
    lockedBy: undefined,
  };
  account.addConversation(conversation);
  account.noteListed(conversation, [...conversation.ids, ...appends.flatMap(({ ids }) => ids)]);
}

function addResponse(account: Account, response: ResponseSnapshot): void {
  const { id, createdAt, model, input, output, context, body, isReplayable } = response;
  account.addOutput(output);
  account.addResponse({
    id,
    createdAt,
    thread: threadOf(id) ?? '',
    model,
    parentId: response.previousResponseId,
    conversationId: response.conversationId,
    ownInput: idsOf(input),
    context: { parent: undefined, ids: idsOf(context) },
    isBackground: body['background'] === true,
    isReplayable,
    outputIds: idsOf(output),
    body,
    running: undefined,
  });
}

function idsOf(items: readonly SimulatorItem[]): string[] {
  return items.map(({ id }) => id);
}

function itemOf(items: ReadonlyMap<string, SimulatorItem>, id: string): SimulatorItem {
  const item = items.get(id);
  if (item === undefined) throw new TypeError(`Cannot restore: the snapshot has no item ${id}`);
  return item;
}

function accountOf(accounts: ReadonlyMap<string, Account>, tenant: string): Account {
  const account = accounts.get(tenant);
  if (account === undefined) throw new TypeError(`Cannot restore: the snapshot has no account ${tenant}`);
  return account;
}
