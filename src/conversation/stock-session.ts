import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import type { ItemListParams } from 'openai/resources/conversations/items';
import { InvalidResponseError } from '../errors/session.ts';
import { sendRequest, validateResponse } from './request.ts';
import { apiItems, PageBudget, type ApiItem } from './items.ts';

/** The items of the stock session, and their list. */
export interface StockRead {
  readonly items: AgentInputItem[];
  /** The list's items in the order they were read; only part of the list when a limit was set. */
  readonly list: readonly ApiItem[];
}

/** The SDK's own conversations session: it serves `off` and `shadow`, so that these behave exactly like the SDK. */
export class StockSession {
  readonly #session: OpenAIConversationsSession;
  #seen: unknown[] = [];

  constructor(client: OpenAI, conversationId: string) {
    this.#session = new OpenAIConversationsSession({ client: this.#watched(client), conversationId });
  }

  async read(limit: number | undefined): Promise<StockRead> {
    this.#seen = [];
    const operation = 'conversations.items.list';
    const items = await validateResponse(operation, () => this.#session.getItems(limit));
    return { items, list: apiItems(operation, this.#seen) };
  }

  prepareForModel(item: AgentInputItem): AgentInputItem {
    // Absent before 0.9.1.
    return this.#session.prepareHistoryItemForModelInput?.(item) ?? item;
  }

  /** The same client, which also records the listed items. */
  #watched(client: OpenAI): OpenAI {
    const note = (item: unknown): void => void this.#seen.push(item);
    const operation = 'conversations.items.list';
    const list = (id: string, query: ItemListParams): AsyncIterable<unknown> => ({
      async *[Symbol.asyncIterator]() {
        // The client itself would follow a cyclic cursor without end.
        const cursors = new Set<unknown>();
        const budget = new PageBudget(operation);
        let page = await sendRequest(client, operation, (how) =>
          client.conversations.items.list(id, query, how),
        );
        for (;;) {
          budget.addPage(page.getPaginatedItems());
          for (const item of page.getPaginatedItems()) {
            note(item);
            yield item;
          }
          if (!page.hasNextPage()) return;
          if (cursors.has(page.last_id)) throw new InvalidResponseError(operation, 'its pages lead back');
          cursors.add(page.last_id);
          const last = page;
          page = await sendRequest(client, operation, () => last.getNextPage());
        }
      },
    });
    const items = overriding(client.conversations.items, 'list', list);
    const conversations = overriding(client.conversations, 'items', items);
    return overriding(client, 'conversations', conversations);
  }
}

function overriding<T extends object>(target: T, key: keyof T, value: unknown): T {
  return new Proxy(target, {
    get: (object, property) => {
      if (property === key) return value;
      const member: unknown = Reflect.get(object, property, object);
      return typeof member === 'function' ? member.bind(object) : member;
    },
  });
}
