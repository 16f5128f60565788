import { OpenAIConversationsSession, type AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { believed } from '../history/believed.ts';
import { apiItems, MOST_PAGES, type ApiItem } from '../history/conversation-list.ts';

/** What the stock session serves, and the list it was made from. */
export interface StockRead {
  readonly items: AgentInputItem[];
  /** The list's items in the order they were read; only part of the list when a limit was set. */
  readonly list: readonly ApiItem[];
}

/** The SDK's own conversations session: it serves `off` and `shadow`, so that these are exactly what it would be. */
export class StockSession {
  readonly #session: OpenAIConversationsSession;
  #seen: unknown[] = [];

  constructor(client: OpenAI, conversationId: string) {
    this.#session = new OpenAIConversationsSession({ client: this.#watched(client), conversationId });
  }

  async read(limit: number | undefined): Promise<StockRead> {
    this.#seen = [];
    const operation = 'conversations.items.list';
    const items = await believed(operation, () => this.#session.getItems(limit));
    return { items, list: apiItems(operation, this.#seen) };
  }

  prepareForModel(item: AgentInputItem): AgentInputItem {
    // Absent before 0.9.1.
    return this.#session.prepareHistoryItemForModelInput?.(item) ?? item;
  }

  /** The same client, except that it notes the items it lists. */
  #watched(client: OpenAI): OpenAI {
    const note = (item: unknown): void => void this.#seen.push(item);
    const list = (...args: Parameters<OpenAI['conversations']['items']['list']>): AsyncIterable<unknown> => ({
      async *[Symbol.asyncIterator]() {
        // The client itself would follow a cursor that leads back for ever.
        const cursors = new Set<unknown>();
        for await (const page of (await client.conversations.items.list(...args)).iterPages()) {
          for (const item of page.getPaginatedItems()) {
            note(item);
            yield item;
          }
          if (!page.hasNextPage()) return;
          if (cursors.has(page.last_id) || cursors.size > MOST_PAGES)
            throw new InvalidResponseError('conversations.items.list', 'its pages lead back or do not end');
          cursors.add(page.last_id);
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
