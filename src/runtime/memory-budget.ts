import { LRUCache } from 'lru-cache';
import { maxBytesOf, type ContentCache } from '../conversation/content-cache.ts';

/** A session that keeps its history in memory. */
export interface HistoryHolder {
  /** Releases the history after all operations under way. The next use reads it again. */
  unload(): Promise<void>;
}

/** The budget of all sessions without a cache of their own together: 256 MiB. */
const MAX_SHARED_BYTES = 256 * 1024 * 1024;

/** Keeps the histories in memory within a budget, and releases the least recently used ones first. */
export class LoadedHistories {
  readonly #lru: LRUCache<number, WeakRef<HistoryHolder>>;
  readonly #maxBytes: number;
  readonly #known = new WeakMap<
    HistoryHolder,
    { readonly key: number; readonly ref: WeakRef<HistoryHolder> }
  >();
  readonly #forgotten = new FinalizationRegistry<number>((key) => this.#lru.delete(key));
  #count = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#lru = new LRUCache({
      maxSize: maxBytes,
      dispose: (holder, _key, reason) => {
        if (reason === 'evict') void holder.deref()?.unload();
      },
    });
  }

  /** @param bytes the approximate size of the history in memory. */
  used(holder: HistoryHolder, bytes: number): void {
    let known = this.#known.get(holder);
    if (known === undefined) {
      known = { key: (this.#count += 1), ref: new WeakRef(holder) };
      this.#known.set(holder, known);
      this.#forgotten.register(holder, known.key);
    }
    const { key, ref } = known;
    if (bytes <= 0) this.#lru.delete(key);
    else if (bytes <= this.#maxBytes) {
      // `set()` with the same value keeps the old size.
      this.#lru.delete(key);
      this.#lru.set(key, ref, { size: bytes });
    } else {
      // This history exceeds the whole budget, so it stays only during its operation.
      this.#lru.delete(key);
      void holder.unload();
    }
  }
}

const shared = new LoadedHistories(MAX_SHARED_BYTES);
const own = new WeakMap<ContentCache, LoadedHistories>();

/** The budget of the sessions that share a cache, or of all sessions without one. */
export function loadedHistories(cache: ContentCache | undefined): LoadedHistories {
  if (cache === undefined) return shared;
  const known = own.get(cache);
  if (known !== undefined) return known;
  const loaded = new LoadedHistories(maxBytesOf(cache));
  own.set(cache, loaded);
  return loaded;
}
