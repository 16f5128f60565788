import type { AgentInputItem } from '@openai/agents';
import type OpenAI from 'openai';
import { kindOf } from '../items/read-item.ts';
import { itemDigest } from '../items/digest.ts';
import { isObject } from '../util/json.ts';
import type { LedgerEntry, LedgerState, RecordedResponse } from '../ledger/state.ts';
import { isTransient, statusOf } from '../conversation/api-error.ts';
import type { ContentCache } from '../conversation/content-cache.ts';
import { readConversation, type ApiItem, type ReadOptions, type ListedItem } from '../conversation/items.ts';
import { type ApiForm, type ItemConverter, isNameless, namesOf, withName } from '../items/item-converter.ts';
import { mapLimit } from '../util/map-limit.ts';
import { PinnedContent } from './pinned-content.ts';
import { ResponseReader } from '../conversation/response-reader.ts';
import { contentKey, contentFinder, restore, type ContentSource, type RestoredItem } from './restore.ts';

/** The limit of concurrent retrievals. */
const RETRIEVALS_AT_ONCE = 4;

/** The options of a list. */
export type ListOptions = Pick<ReadOptions, 'signal' | 'maxRetries'>;

/** The options of a reader; without a client it reads only the ledger. */
export interface HistoryReaderOptions {
  readonly client: OpenAI | undefined;
  readonly conversationId: string | undefined;
  readonly converter: ItemConverter;
  readonly cache: ContentCache;
  /** Shared with the other readers of the session. Default: not shared. */
  readonly pinned?: PinnedContent;
  /** The owner of the pinned content: the same for all readers of one session object. Default: the reader. */
  readonly owner?: object;
  /** Ends the current request. */
  readonly signal?: AbortSignal | undefined;
}

/** One reading of a source. */
interface SourceRead {
  readonly chain: ResponseReader;
  readonly state: LedgerState;
  readonly missing: readonly LedgerEntry[];
  readonly list: readonly ListedItem[] | undefined;
  /** Collects the errors that leave the rest of the source readable. */
  readonly failures: unknown[];
}

/** Reads a session's history back, each item from the best source: ledger, list, the turn's response, the chain. */
export class HistoryReader {
  readonly #options: HistoryReaderOptions;
  readonly #responses: ResponseReader | undefined;
  readonly #pinned: PinnedContent;
  readonly #owner: object;

  constructor(options: HistoryReaderOptions) {
    this.#options = options;
    this.#pinned = options.pinned ?? new PinnedContent();
    this.#owner = options.owner ?? this;
    const { client, cache, signal } = options;
    this.#responses = client === undefined ? undefined : new ResponseReader(client, cache, signal);
  }

  /**
   * The conversation's list, oldest first, in the SDK's form.
   *
   * @param how default: with the reader's own signal.
   */
  async list(how: ListOptions = {}): Promise<ListedItem[]> {
    const { client, conversationId, signal } = this.#options;
    if (client === undefined || conversationId === undefined) return [];
    return this.toListedItems(await readConversation(client, conversationId, { signal, ...how }));
  }

  /** Converts items to the SDK's form. */
  async toListedItems(items: readonly ApiItem[]): Promise<ListedItem[]> {
    const converted = await this.#options.converter.toAgentItems(items);
    return converted.map((item, index) => ({ id: items[index]?.id ?? '', item }));
  }

  /**
   * The whole context of a response, oldest first, in the SDK's form.
   *
   * @param most the limit of responses. Default: no limit.
   */
  async context(responseId: string, most?: number): Promise<ListedItem[]> {
    return this.toListedItems((await this.#responses?.context(responseId, most)) ?? []);
  }

  /** Converts items to the API's form. */
  apiForms(items: readonly AgentInputItem[]): Promise<ApiForm[]> {
    return this.#options.converter.toApiItems(items);
  }

  /**
   * Keeps content that the ledger does not store until the conversation holds it.
   *
   * @returns a function to call once the items are in the ledger, or their append has failed.
   */
  pin(items: readonly AgentInputItem[]): () => void {
    const settle = items.map((item) => this.#pinned.pin(this.#owner, keyOf(item), item));
    return () => {
      for (const one of settle) one();
    };
  }

  /** Releases pinned content that the conversation holds now. */
  unpin(state: LedgerState): void {
    this.#pinned.release(
      this.#owner,
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
   * Reads one source after the other until no content is missing.
   *
   * @param list the list, if it was just read.
   * @param failed receives the errors of the sources if content is missing. Default: throws the first one.
   */
  async restore(
    state: LedgerState,
    entries: readonly LedgerEntry[] = state.entries,
    list?: readonly ListedItem[],
    failed = throwFirst,
  ): Promise<RestoredItem[]> {
    const sources: ContentSource[] = [{ source: 'list', find: (entry) => this.#localContent(entry) }];
    let restored = restore(entries, sources);
    const failures: unknown[] = [];
    const chain = this.#responses;
    for (const source of ['list', 'response', 'chain'] as const) {
      const missing = restored.filter(({ item }) => item === undefined).map(({ entry }) => entry);
      if (missing.length === 0 || chain === undefined) break;
      const items = await this.#read(source, { chain, state, missing, list, failures }).catch(
        (error: unknown) => {
          failures.push(error);
          return [];
        },
      );
      sources.push({ source, find: contentFinder(items) });
      restored = restore(entries, sources);
    }
    restored = await this.#withNames(state, restored, list);
    // Cached at the end, so that each item counts for its real source.
    for (const { entry, item, source } of restored) {
      if (item === undefined || source === 'ledger' || this.#localContent(entry) !== undefined) continue;
      this.#options.cache.set(cacheKey(keyOfEntry(entry)), item);
    }
    const isWhole = restored.every(({ entry, item }) => item !== undefined || entry.digest === null);
    if (failures.length > 0 && !isWhole) failed(failures);
    return restored;
  }

  /** Adds function names to results: the API stores the name only in the call, which may be outside the entries. */
  async #withNames(
    state: LedgerState,
    restored: readonly RestoredItem[],
    list: readonly ListedItem[] | undefined,
  ): Promise<RestoredItem[]> {
    let names = namesOf(restored.map(({ item }) => item));
    const isUnknown = ({ item, source }: RestoredItem): boolean =>
      item !== undefined && source !== 'ledger' && isNameless(withName(item, names));
    if (restored.some((one) => isUnknown(one))) {
      const asked = new Set(restored.map(({ entry }) => entry.seq));
      const calls = state.entries.filter(({ kind, seq }) => kind === 'function_call' && !asked.has(seq));
      // A result without a name is better than none.
      const found = calls.length === 0 ? [] : await this.restore(state, calls, list).catch(() => []);
      names = new Map([...names, ...namesOf(found.map(({ item }) => item))]);
    }
    return restored.map((one) =>
      one.item === undefined || one.source === 'ledger' ? one : { ...one, item: withName(one.item, names) },
    );
  }

  /** Whether an entry's content is available without a request. */
  hasContent(entry: LedgerEntry): boolean {
    return entry.item !== undefined || this.#localContent(entry) !== undefined;
  }

  /** The pinned or cached content of an entry. */
  #localContent(entry: LedgerEntry): AgentInputItem | undefined {
    for (const key of keysOf(entry)) {
      const item = this.#pinned.get(key) ?? this.#cached(key, entry);
      if (item !== undefined) return item;
    }
    return undefined;
  }

  /** The cached content, if it has the entry's digest: the cache may belong to the app. */
  #cached(key: string, entry: LedgerEntry): AgentInputItem | undefined {
    const cached = this.#options.cache.get(cacheKey(key));
    if (!isObject(cached)) return undefined;
    const item = cached as AgentInputItem;
    if (itemDigest(item) !== entry.digest) return undefined;
    // No digest covers reasoning.
    return entry.digest !== null || kindOf(item) === entry.kind ? item : undefined;
  }

  /** The list; empty if the conversation was deleted. */
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
    { chain, state, missing, list, failures }: SourceRead,
  ): Promise<AgentInputItem[]> {
    if (source === 'list') return (list ?? (await this.#listIfFound())).map(({ item }) => item);
    if (source === 'response') {
      const stored = state.responses.filter(({ store }) => store);
      const ids = new Set(
        missing.map((entry) => ownResponse(stored, entry)).filter((id) => id !== undefined),
      );
      const responses = await mapLimit([...ids], RETRIEVALS_AT_ONCE, (id) =>
        chain.response(id).catch((error: unknown) => {
          // A refusal concerns this response only; a transient error concerns all.
          if (isTransient(error)) throw error;
          failures.push(error);
          return undefined;
        }),
      );
      return this.#options.converter.toAgentItems(responses.flatMap((response) => response?.output ?? []));
    }
    return this.#readChains(chain, state, missing);
  }

  /** The contexts of the recorded responses until no content is missing, newest first: the newest context is the longest. */
  async #readChains(
    chain: ResponseReader,
    state: LedgerState,
    missing: readonly LedgerEntry[],
  ): Promise<AgentInputItem[]> {
    const found: AgentInputItem[] = [];
    const visited = new Set<string>();
    let wanted = missing;
    for (const { id, store, nextSeq } of state.responses.toReversed()) {
      if (wanted.length === 0) break;
      if (!store || visited.has(id) || wanted.every((entry) => entry.seq >= nextSeq)) continue;
      const items = await this.#options.converter.toAgentItems(await chain.context(id, undefined, visited));
      const find = contentFinder(items);
      wanted = wanted.filter((entry) => find(entry) === undefined);
      for (const item of items) found.push(item);
    }
    return found;
  }
}

/**
 * The response of the turn that an entry belongs to: the first one recorded after it.
 *
 * @param stored in the order in which they were recorded.
 */
function ownResponse(
  stored: readonly Pick<RecordedResponse, 'id' | 'nextSeq'>[],
  { seq }: LedgerEntry,
): string | undefined {
  let [low, high] = [0, stored.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stored[middle]?.nextSeq ?? 0) <= seq) low = middle + 1;
    else high = middle;
  }
  return stored[low]?.id;
}

function throwFirst(failures: readonly unknown[]): void {
  throw failures[0];
}

function keyOf(item: AgentInputItem): string {
  return contentKey(itemDigest(item), 'id' in item ? item.id : undefined);
}

function keyOfEntry(entry: LedgerEntry): string {
  return contentKey(entry.digest, entry.mirrorId ?? entry.id);
}

/** The keys with the ID in the conversation and with the original ID. */
function keysOf(entry: LedgerEntry): Set<string> {
  return new Set([keyOfEntry(entry), contentKey(entry.digest, entry.id)]);
}

function cacheKey(key: string): string {
  return `item ${key}`;
}
