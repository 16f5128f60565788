import { LRUCache } from 'lru-cache';
import { budgetOf, type ContentCache } from '../history/content-cache.ts';

/** Something that has a history in memory and can let go of it. */
export interface HistoryHolder {
  /** Lets go of it as soon as nobody works with it; it is read again when it is needed. */
  unload(): Promise<void>;
}

/** How much history all sessions without a cache of their own keep in memory together: 256 MiB. */
const SHARED_BYTES = 256 * 1024 * 1024;

/** The histories that sessions keep in memory, within a budget: those that were used longest ago go first. */
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

  /** A holder has used its history, which takes about that many bytes. */
  used(holder: HistoryHolder, bytes: number): void {
    let known = this.#known.get(holder);
    if (known === undefined) {
      known = { key: (this.#count += 1), ref: new WeakRef(holder) };
      this.#known.set(holder, known);
      this.#forgotten.register(holder, known.key);
    }
    const { key, ref } = known;
    if (bytes <= 0) this.#lru.delete(key);
    else if (bytes <= this.#maxBytes) this.#lru.set(key, ref, { size: bytes });
    else {
      // It never fits: it is there while it is worked with.
      this.#lru.delete(key);
      void holder.unload();
    }
  }
}

const shared = new LoadedHistories(SHARED_BYTES);
const own = new WeakMap<ContentCache, LoadedHistories>();

/** Where a session's history counts: with all who share its cache, or with all who were given none. */
export function loadedHistories(cache: ContentCache | undefined): LoadedHistories {
  if (cache === undefined) return shared;
  const known = own.get(cache);
  if (known !== undefined) return known;
  const loaded = new LoadedHistories(budgetOf(cache));
  own.set(cache, loaded);
  return loaded;
}
