import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { itemDigest } from '../ledger/digest.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import type { ContentCache } from './content-cache.ts';
import { readConversation, type ApiItem } from './conversation-list.ts';
import type { ApiForm, ItemConverter } from './item-converter.ts';
import { mapLimit } from './map-limit.ts';
import type { ListedItem } from './reconcile.ts';
import { ResponseChain } from './response-chain.ts';
import { contentKey, restore, type ContentPool, type ItemSource, type RestoredItem } from './restore.ts';

/** How many responses are retrieved at once. */
const RETRIEVALS_AT_ONCE = 4;

/** What a reader needs; without a client only the ledger can be read. */
export interface HistoryReaderOptions {
  readonly client: OpenAI | undefined;
  readonly conversationId: string | undefined;
  readonly converter: ItemConverter;
  readonly cache: ContentCache;
}

/** Reads a session's history back, each item from the best source: ledger, list, the turn's response, the chain. */
export class HistoryReader {
  readonly #options: HistoryReaderOptions;
  readonly #chain: ResponseChain | undefined;
  /** Content of this process that is nowhere else yet. */
  readonly #pinned = new Map<string, AgentInputItem>();

  constructor(options: HistoryReaderOptions) {
    this.#options = options;
    this.#chain = options.client === undefined ? undefined : new ResponseChain(options.client, options.cache);
  }

  /** The conversation's list, oldest first, in the SDK's form. */
  async list(): Promise<ListedItem[]> {
    const { client, conversationId } = this.#options;
    if (client === undefined || conversationId === undefined) return [];
    return this.listed(await readConversation(client, conversationId));
  }

  /** Items as a list gave them, in the SDK's form. */
  async listed(items: readonly ApiItem[]): Promise<ListedItem[]> {
    const converted = await this.#options.converter.toAgentItems(items);
    return converted.map((item, index) => ({ id: items[index]?.id ?? '', item }));
  }

  /** The form in which the API would store each item. */
  apiForms(items: readonly AgentInputItem[]): Promise<ApiForm[]> {
    return this.#options.converter.toApiItems(items);
  }

  /** Keeps content that the ledger does not hold until the conversation does. */
  pin(items: readonly AgentInputItem[]): void {
    for (const item of items) this.#pinned.set(keyOf(item), item);
  }

  /** Lets go of pinned content: the API has it now. */
  unpin(): void {
    for (const [key, item] of this.#pinned) this.#options.cache.set(`item ${key}`, item);
    this.#pinned.clear();
  }

  /**
   * Every entry with its content.
   *
   * Asks only for what is missing, one source after the other, and stops when nothing is missing any more.
   *
   * @param list what was just read, so that it is not read again.
   */
  async restore(
    state: LedgerState,
    entries: readonly LedgerEntry[] = state.entries,
    list?: readonly ListedItem[],
  ): Promise<RestoredItem[]> {
    const pools: { source: ItemSource; pool: ContentPool }[] = [
      { source: 'list', pool: this.#held(entries) },
    ];
    let restored = restore(entries, pools);
    for (const source of ['list', 'response', 'chain'] as const) {
      const missing = restored.filter(({ item }) => item === undefined).map(({ entry }) => entry);
      if (missing.length === 0 || this.#chain === undefined) break;
      const items = await this.#read(source, state, missing, list);
      const pool = new Map(items.map((item) => [keyOf(item), item]));
      for (const [key, item] of pool) this.#options.cache.set(`item ${key}`, item);
      pools.push({ source, pool });
      restored = restore(entries, pools);
    }
    return restored;
  }

  /** What this process still holds of the entries that have no content in the ledger. */
  #held(entries: readonly LedgerEntry[]): ContentPool {
    const held = new Map<string, AgentInputItem>();
    for (const entry of entries) {
      if (entry.item !== undefined) continue;
      for (const id of [entry.mirrorId, entry.id]) {
        const key = contentKey(entry.digest, id);
        const item = this.#pinned.get(key) ?? this.#options.cache.get(`item ${key}`);
        if (item !== undefined) held.set(key, item as AgentInputItem);
      }
    }
    return held;
  }

  async #read(
    source: 'list' | 'response' | 'chain',
    state: LedgerState,
    missing: readonly LedgerEntry[],
    list: readonly ListedItem[] | undefined,
  ): Promise<AgentInputItem[]> {
    if (source === 'list') return (list ?? (await this.list())).map(({ item }) => item);
    const chain = this.#chain;
    if (chain === undefined) return [];
    if (source === 'response') {
      const ids = new Set(missing.map((entry) => ownResponse(state, entry)).filter((id) => id !== undefined));
      const responses = await mapLimit([...ids], RETRIEVALS_AT_ONCE, (id) => chain.response(id));
      return this.#options.converter.toAgentItems(responses.flatMap((response) => response?.output ?? []));
    }
    return this.#behind(chain, state, missing);
  }

  /** The contexts of recorded responses, newest first because it knows the most, until nothing is missing. */
  async #behind(
    chain: ResponseChain,
    state: LedgerState,
    missing: readonly LedgerEntry[],
  ): Promise<AgentInputItem[]> {
    const found: AgentInputItem[] = [];
    const wanted = new Set(missing.map((entry) => contentKey(entry.digest, entry.id)));
    for (const { id, store, nextSeq } of state.responses.toReversed()) {
      if (wanted.size === 0) break;
      if (!store || missing.every((entry) => entry.seq >= nextSeq)) continue;
      const items = await this.#options.converter.toAgentItems(await chain.context(id));
      for (const item of items) {
        found.push(item);
        wanted.delete(keyOf(item));
      }
    }
    return found;
  }
}

/** The response of the turn that an entry belongs to: the first one recorded after it. */
function ownResponse(state: LedgerState, entry: LedgerEntry): string | undefined {
  return state.responses.find((response) => response.store && response.nextSeq > entry.seq)?.id;
}

function keyOf(item: AgentInputItem): string {
  return contentKey(itemDigest(item), 'id' in item ? item.id : undefined);
}
