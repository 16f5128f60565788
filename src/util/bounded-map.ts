import { LRUCache } from 'lru-cache';

/**
 * A map that forgets the least recently used entries.
 *
 * Its memory grows with the entries that it holds: a cache with `max` takes the memory of all entries, and a millisecond, at once.
 *
 * @param most the most entries.
 */
export function boundedMap<T extends object | number | true>(most: number): LRUCache<string, T> {
  return new LRUCache({ maxSize: most, sizeCalculation: () => 1 });
}
