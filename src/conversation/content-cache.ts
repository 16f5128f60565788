import { LRUCache } from 'lru-cache';
import { InvalidOptionsError } from '../errors/options.ts';

/** Content read back from the API, bounded by bytes; one cache can serve many sessions. */
export interface ContentCache {
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

/** Default budget: 32 MiB. */
export const DEFAULT_CACHE_BYTES: number = 32 * 1024 * 1024;

/**
 * A cache for retrieved content.
 *
 * @param maxBytes two bytes count for each character of the content's JSON; larger content is not cached.
 * @throws InvalidOptionsError unless it is a positive integer.
 */
export function contentCache(maxBytes: number = DEFAULT_CACHE_BYTES): ContentCache {
  if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0) {
    const problem = `must be a positive integer, received ${maxBytes}`;
    throw new InvalidOptionsError('maxBytes', problem, { subject: 'the cache' });
  }
  // Most sessions never read content back, and an empty cache takes 3 kB.
  let lru: LRUCache<string, object> | undefined;
  const cache: ContentCache = {
    get: (key) => lru?.get(key),
    set: (key, value) => {
      if (typeof value !== 'object' || value === null) return;
      lru ??= new LRUCache({
        maxSize: maxBytes,
        sizeCalculation: (item) => Math.max(1, 2 * JSON.stringify(item).length),
      });
      lru.set(key, value);
    },
  };
  budgets.set(cache, maxBytes);
  return cache;
}

const budgets = new WeakMap<ContentCache, number>();

/** How many bytes a cache may hold; the default for one of the caller's own making. */
export function maxBytesOf(cache: ContentCache): number {
  return budgets.get(cache) ?? DEFAULT_CACHE_BYTES;
}

const scopes = new WeakMap<object, number>();
let scopeCount = 0;

/**
 * The part of a shared cache that belongs to one client, so that no account reads the content of another one.
 *
 * A cache that throws counts as empty: that costs a request, never a turn.
 */
export function scopedCache(cache: ContentCache, client: object): ContentCache {
  let scope = scopes.get(client);
  if (scope === undefined) {
    scope = scopeCount += 1;
    scopes.set(client, scope);
  }
  return {
    get: (key) => quietly(() => cache.get(`${scope} ${key}`)),
    set: (key, value) => quietly(() => cache.set(`${scope} ${key}`, value)),
  };
}

function quietly<T>(use: () => T): T | undefined {
  try {
    const result = use();
    if (!(result instanceof Promise)) return result;
    // An asynchronous cache is ignored.
    result.catch(() => undefined);
    return undefined;
  } catch {
    return undefined;
  }
}
