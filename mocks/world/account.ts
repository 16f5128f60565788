import { PromptCache } from '../model/prompt-cache.ts';
import { contextIds, trimContext } from './context.ts';
import { dropOldest, usedEntry } from './drop-oldest.ts';
import type { ContextNode, ConversationRecord, ResponseRecord } from './records.ts';
import { frozenItem, type SimulatorItem } from '../wire/item.ts';

/** How many items are kept for each conversation or response that is kept, when memory is to stay bounded. */
const ITEMS_PER_OBJECT = 20;

/**
 * Everything one API key owns. Items live in one store; conversations and responses only list their IDs, so an item may
 * be in many lists, and outlives every list it is taken from.
 */
export class Account {
  readonly name: string;
  /** The beginnings of contexts it has sent so far. */
  readonly promptCache: PromptCache = new PromptCache();
  readonly #retain: number;
  readonly #items = new Map<string, SimulatorItem>();
  readonly #conversations = new Map<string, ConversationRecord>();
  readonly #responses = new Map<string, ResponseRecord>();
  readonly #listedIn = new Map<string, Set<string>>();
  readonly #reasoningOf = new Map<string, string>();

  /** @param retain how many conversations to keep, the last used, and how many responses, the newest. */
  constructor(name: string, retain: number) {
    this.name = name;
    this.#retain = retain;
  }

  get items(): ReadonlyMap<string, SimulatorItem> {
    return this.#items;
  }

  get conversations(): ReadonlyMap<string, ConversationRecord> {
    return this.#conversations;
  }

  get responses(): ReadonlyMap<string, ResponseRecord> {
    return this.#responses;
  }

  /** Stores an item; `reasoningId` names the reasoning step without which it cannot be replayed by ID. */
  addItem(item: SimulatorItem, reasoningId?: string): SimulatorItem {
    this.#items.set(item.id, frozenItem(item));
    if (reasoningId !== undefined) this.#reasoningOf.set(item.id, reasoningId);
    dropOldest(this.#items, this.#retain * ITEMS_PER_OBJECT, (id) => {
      this.#listedIn.delete(id);
      this.#reasoningOf.delete(id);
    });
    return item;
  }

  /** Stores the output of a response: its items need the reasoning step before them. */
  addOutput(output: readonly SimulatorItem[]): void {
    let step: string | undefined;
    for (const item of output) {
      this.addItem(item, step);
      if (item.type === 'reasoning') step ??= item.id;
    }
  }

  /** The stored items of these IDs, in order; dropped items are left out. */
  itemsOf(ids: Iterable<string>): SimulatorItem[] {
    return Array.from(ids, (id) => this.#items.get(id)).filter((item) => item !== undefined);
  }

  /** The items of a context, oldest first. */
  itemsIn(context: ContextNode | undefined): SimulatorItem[] {
    return this.itemsOf(contextIds(context));
  }

  /** The reasoning step that an item's ID brings along, if any. */
  reasoningOf(itemId: string): string | undefined {
    return this.#reasoningOf.get(itemId);
  }

  addConversation(conversation: ConversationRecord): void {
    this.#conversations.set(conversation.id, conversation);
    dropOldest(this.#conversations, this.#retain);
  }

  /** Looks a conversation up in order to use it. */
  conversation(id: string): ConversationRecord | undefined {
    return usedEntry(this.#conversations, id, this.#retain);
  }

  /** Deletes a conversation; its items stay. */
  deleteConversation(id: string): void {
    this.#conversations.delete(id);
  }

  addResponse(response: ResponseRecord): void {
    if (Number.isFinite(this.#retain)) trimContext(response.context, this.#retain * ITEMS_PER_OBJECT);
    this.#responses.set(response.id, response);
    dropOldest(this.#responses, this.#retain);
  }

  /** Deletes a response; its items stay, and so does the context of its children. */
  deleteResponse(id: string): void {
    this.#responses.delete(id);
  }

  /** Notes that a conversation lists these items, so that they can be found when they are unlinked. */
  noteListed(conversation: ConversationRecord, ids: Iterable<string>): void {
    for (const id of ids) {
      const lists = this.#listedIn.get(id);
      if (lists) lists.add(conversation.id);
      else this.#listedIn.set(id, new Set([conversation.id]));
    }
    const most = this.#retain * ITEMS_PER_OBJECT;
    if (conversation.ids.length > most * 2) conversation.ids = conversation.ids.slice(-most);
  }

  /** The conversations whose list holds this item. */
  listsOf(itemId: string): ConversationRecord[] {
    return Array.from(this.#listedIn.get(itemId) ?? [], (id) => this.#conversations.get(id)).filter(
      (conversation) => conversation !== undefined,
    );
  }

  /** Takes items out of one conversation's list; the items themselves stay. */
  markForRemoval(conversation: ConversationRecord, ids: ReadonlySet<string>): void {
    const stays = (id: string): boolean => !ids.has(id);
    conversation.ids = conversation.ids.filter(stays);
    conversation.pending = conversation.pending.map((append) => ({
      ...append,
      ids: append.ids.filter(stays),
    }));
    for (const id of ids) this.#listedIn.get(id)?.delete(conversation.id);
  }
}
