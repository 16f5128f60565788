import type { SimulatorItem } from './wire/item.ts';
import { isAssistantMessage, textOf } from './wire/item.ts';
import type { Account } from './world/account.ts';
import { allIds } from './world/conversation-list.ts';
import type { ConversationRecord } from './world/records.ts';

/** A completed, stored response, as an unlinking policy sees it. */
export interface UnlinkTurn {
  readonly model: string;
  readonly responseId: string;
  /** The conversation the request named, if it named one. */
  readonly conversationId: string | undefined;
  /** The items of the request; those it named by ID are the stored ones. */
  readonly input: readonly SimulatorItem[];
  readonly output: readonly SimulatorItem[];
  /** Every conversation that lists an item of the input, and the one the request named. */
  readonly conversations: readonly { readonly id: string; readonly items: readonly SimulatorItem[] }[];
}

/** Names the items that leave the list of every conversation once this response has completed. */
export type UnlinkPolicy = (turn: UnlinkTurn) => Iterable<string>;

/** The policies that come with the simulator, the one of the report first. */
export const unlinkPolicyNames = ['every-turn', 'id-replay', 'none'] as const;

/** The name of a policy that comes with the simulator. */
export type UnlinkPolicyName = (typeof unlinkPolicyNames)[number];

/** A completed response and where it belongs. */
export interface CompletedTurn {
  readonly model: string;
  readonly responseId: string;
  readonly conversation: ConversationRecord | undefined;
  /** The items that the request named by their ID. */
  readonly replayed: readonly SimulatorItem[];
  readonly input: readonly SimulatorItem[];
  readonly output: readonly SimulatorItem[];
}

/** How many outputs are remembered in order to recognise them when a client writes them to a conversation. */
const MAX_ANSWERS = 1000;

/**
 * Makes conversations forget. Items are never deleted: they only leave lists, stay readable through their response, and
 * can be linked again by their ID.
 */
export class Unlinking {
  readonly #policy: UnlinkPolicyName | UnlinkPolicy;
  readonly #models: readonly (string | RegExp)[];
  /** By output, for each response that made it and was not yet written anywhere: whether its model unlinks. */
  readonly #outputs = new Map<string, boolean[]>();

  constructor(policy: UnlinkPolicyName | UnlinkPolicy, models: readonly (string | RegExp)[]) {
    this.#policy = policy;
    this.#models = models;
  }

  /** To be told of every completed, stored response, before its items are appended to its conversation. */
  afterResponse(account: Account, turn: CompletedTurn): void {
    if (typeof this.#policy === 'function') {
      unlinkEverywhere(account, this.#policy(described(account, turn)));
      return;
    }
    const matches = matchesModel(turn.model, this.#models);
    if (this.#policy === 'every-turn') {
      if (!turn.conversation) this.#remember(account, turn.output, matches);
      if (matches) for (const list of conversationsOf(account, turn)) unlinkEarlierAnswers(account, list);
    }
    if (this.#policy === 'id-replay' && matches && !turn.conversation) {
      unlinkEverywhere(
        account,
        turn.replayed.filter(isAssistantMessage).map((item) => item.id),
      );
    }
  }

  /**
   * To be told of items a client is about to write to a conversation: an answer among them ends a turn. The same answer
   * written again, as when a history is copied, ends none.
   */
  beforeItems(account: Account, conversation: ConversationRecord, items: readonly SimulatorItem[]): void {
    if (this.#policy !== 'every-turn') return;
    const ended = items.map((item) => this.#outputs.get(outputKey(account, item))?.shift());
    if (ended.includes(true)) unlinkEarlierAnswers(account, conversation);
  }

  /** Forgets the outputs seen so far. */
  reset(): void {
    this.#outputs.clear();
  }

  #remember(account: Account, output: readonly SimulatorItem[], matches: boolean): void {
    for (const item of output) {
      if (!isAssistantMessage(item)) continue;
      const key = outputKey(account, item);
      const written = this.#outputs.get(key) ?? [];
      this.#outputs.delete(key);
      this.#outputs.set(key, [...written, matches].slice(-MAX_ANSWERS));
    }
    for (const key of this.#outputs.keys()) {
      if (this.#outputs.size <= MAX_ANSWERS) return;
      this.#outputs.delete(key);
    }
  }
}

/** Tells whether a model is meant: a name also stands for its dated and suffixed variants (`gpt-5.4-mini`). */
function matchesModel(model: string, patterns: readonly (string | RegExp)[]): boolean {
  return patterns.some((pattern) =>
    typeof pattern === 'string'
      ? model === pattern || model.startsWith(`${pattern}-`)
      : model.search(pattern) !== -1,
  );
}

/** An answer is recognised by its text: a client that writes it itself sends no ID. */
function outputKey(account: Account, item: SimulatorItem): string {
  return isAssistantMessage(item) ? `${account.name} ${textOf(item)}` : '';
}

function conversationsOf(account: Account, turn: CompletedTurn): Set<ConversationRecord> {
  const lists = new Set(turn.replayed.flatMap((item) => account.listsOf(item.id)));
  if (turn.conversation) lists.add(turn.conversation);
  return lists;
}

function unlinkEarlierAnswers(account: Account, conversation: ConversationRecord): void {
  const items = account.itemsOf(allIds(conversation));
  account.markForRemoval(conversation, new Set(items.filter(isAssistantMessage).map((item) => item.id)));
}

function unlinkEverywhere(account: Account, ids: Iterable<string>): void {
  for (const id of ids) {
    for (const conversation of account.listsOf(id)) account.markForRemoval(conversation, new Set([id]));
  }
}

function described(account: Account, turn: CompletedTurn): UnlinkTurn {
  const { model, responseId, input, output } = turn;
  const conversations = Array.from(conversationsOf(account, turn), (conversation) => ({
    id: conversation.id,
    items: account.itemsOf(allIds(conversation)),
  }));
  return { model, responseId, conversationId: turn.conversation?.id, input, output, conversations };
}
