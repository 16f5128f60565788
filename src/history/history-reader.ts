import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { kindOf } from '../ledger/canonical-form.ts';
import { itemDigest } from '../ledger/digest.ts';
import { isObject } from '../ledger/json.ts';
import type { LedgerEntry, LedgerState } from '../ledger/ledger-state.ts';
import { statusOf } from './api-error.ts';
import type { ContentCache } from './content-cache.ts';
import { readConversation, type ApiItem } from './conversation-list.ts';
import type { ApiForm, ItemConverter } from './item-converter.ts';
import { mapLimit } from './map-limit.ts';
import type { ListedItem } from './listed-item.ts';
import { PinnedContent } from './pinned-content.ts';
import { ResponseChain } from './response-chain.ts';
import { contentKey, findAmong, restore, type ContentSource, type RestoredItem } from './restore.ts';

/** How many responses are retrieved at once. */
const RETRIEVALS_AT_ONCE = 4;

/** What a reader needs; without a client only the ledger can be read. */
export interface HistoryReaderOptions {
  readonly client: OpenAI | undefined;
  readonly conversationId: string | undefined;
  readonly converter: ItemConverter;
  readonly cache: ContentCache;
  /** Shared with others who read the same conversation. Default: none other. */
  readonly pinned?: PinnedContent;
  /** Ends the request under way. */
  readonly signal?: AbortSignal | undefined;
}

/** Reads a session's history back, each item from the best source: ledger, list, the turn's response, the chain. */
export class HistoryReader {
  readonly #options: HistoryReaderOptions;
  readonly #chain: ResponseChain | undefined;
  readonly #pinned: PinnedContent;

  constructor(options: HistoryReaderOptions) {
    this.#options = options;
    this.#pinned = options.pinned ?? new PinnedContent();
    const { client, cache, signal } = options;
    this.#chain = client === undefined ? undefined : new ResponseChain(client, cache, signal);
  }

  /** The conversation's list, oldest first, in the SDK's form. */
  async list(): Promise<ListedItem[]> {
    const { client, conversationId, signal } = this.#options;
    if (client === undefined || conversationId === undefined) return [];
    return this.listed(await readConversation(client, conversationId, { signal }));
  }

  /** Items as a list gave them, in the SDK's form. */
  async listed(items: readonly ApiItem[]): Promise<ListedItem[]> {
    const converted = await this.#options.converter.toAgentItems(items);
    return converted.map((item, index) => ({ id: items[index]?.id ?? '', item }));
  }

  /** Everything that a response and the chain behind it contain, oldest first, in the SDK's form. */
  async context(responseId: string): Promise<ListedItem[]> {
    return this.listed((await this.#chain?.context(responseId)) ?? []);
  }

  /** The form in which the API would store each item. */
  apiForms(items: readonly AgentInputItem[]): Promise<ApiForm[]> {
    return this.#options.converter.toApiItems(items);
  }

  /**
   * Keeps content that the ledger does not hold until the conversation does.
   *
   * @returns what is to be called once the items are in the ledger, or will not get there: until then they stay.
   */
  pin(items: readonly AgentInputItem[]): () => void {
    const settle = items.map((item) => this.#pinned.pin(this, keyOf(item), item));
    return () => {
      for (const one of settle) one();
    };
  }

  /** Lets go of pinned content that the conversation has now. */
  unpin(state: LedgerState): void {
    this.#pinned.release(
      this,
      () => {
        const absent = state.entries.filter(({ mirrorId }) => mirrorId === undefined);
        return new Set(absent.flatMap((entry) => [...keysOf(entry)]));
      },
      (key, item) => this.#options.cache.set(cacheKey(key), item),
    );
  }

  /**
   * Every entry with its content.
   *
   * Asks only for what is missing, one source after the other, and stops when nothing is missing any more.
   *
   * @param list what was just read, so that it is not read again.
   * @throws the first source's error, when a source that failed may have what is still missing.
   */
  async restore(
    state: LedgerState,
    entries: readonly LedgerEntry[] = state.entries,
    list?: readonly ListedItem[],
  ): Promise<RestoredItem[]> {
    const sources: ContentSource[] = [{ source: 'list', find: (entry) => this.#held(entry) }];
    let restored = restore(entries, sources);
    const failures: unknown[] = [];
    const chain = this.#chain;
    for (const source of ['list', 'response', 'chain'] as const) {
      const missing = restored.filter(({ item }) => item === undefined).map(({ entry }) => entry);
      if (missing.length === 0 || chain === undefined) break;
      const items = await this.#read(source, chain, state, missing, list).catch((error: unknown) => {
        failures.push(error);
        return [];
      });
      sources.push({ source, find: findAmong(items) });
      restored = restore(entries, sources);
    }
    // Not before all was found: it counts as coming from where it was read.
    for (const { entry, item, source } of restored) {
      if (item === undefined || source === 'ledger' || this.#held(entry) !== undefined) continue;
      this.#options.cache.set(cacheKey(keyOfEntry(entry)), item);
    }
    const isWhole = restored.every(({ entry, item }) => item !== undefined || entry.digest === null);
    if (failures.length > 0 && !isWhole) throw failures[0];
    return restored;
  }

  /** Whether an entry's content is at hand, without asking the API. */
  holds(entry: LedgerEntry): boolean {
    return entry.item !== undefined || this.#held(entry) !== undefined;
  }

  /** What this process still holds of an entry that has no content in the ledger. */
  #held(entry: LedgerEntry): AgentInputItem | undefined {
    for (const key of keysOf(entry)) {
      const item = this.#pinned.get(key) ?? this.#cached(key, entry);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** A cache may be anybody's: what it holds is taken only when it is what the ledger means. */
  #cached(key: string, entry: LedgerEntry): AgentInputItem | undefined {
    const cached = this.#options.cache.get(cacheKey(key));
    if (!isObject(cached)) return undefined;
    const item = cached as AgentInputItem;
    if (itemDigest(item) !== entry.digest) return undefined;
    // No digest covers reasoning.
    return entry.digest !== null || kindOf(item) === entry.kind ? item : undefined;
  }

  /** A conversation that is gone holds nothing; the responses may. */
  async #listIfFound(): Promise<ListedItem[]> {
    try {
      return await this.list();
    } catch (error) {
      if (statusOf(error) === 404) return [];
      throw error;
    }
  }

  async #read(
    source: 'list' | 'response' | 'chain',
    chain: ResponseChain,
    state: LedgerState,
    missing: readonly LedgerEntry[],
    list: readonly ListedItem[] | undefined,
  ): Promise<AgentInputItem[]> {
    if (source === 'list') return (list ?? (await this.#listIfFound())).map(({ item }) => item);
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
    let wanted = missing;
    for (const { id, store, nextSeq } of state.responses.toReversed()) {
      if (wanted.length === 0) break;
      if (!store || wanted.every((entry) => entry.seq >= nextSeq)) continue;
      const items = await this.#options.converter.toAgentItems(await chain.context(id));
      const find = findAmong(items);
      wanted = wanted.filter((entry) => find(entry) === undefined);
      found.push(...items);
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

function keyOfEntry(entry: LedgerEntry): string {
  return contentKey(entry.digest, entry.mirrorId ?? entry.id);
}

/** By the ID in the conversation, and by the one it came with. */
function keysOf(entry: LedgerEntry): Set<string> {
  return new Set([keyOfEntry(entry), contentKey(entry.digest, entry.id)]);
}

function cacheKey(key: string): string {
  return `item ${key}`;
}
