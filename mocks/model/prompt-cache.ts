import { extended, keyOf } from './hash.ts';
import { readingOf } from './tokens.ts';
import type { SimulatorItem } from '../wire/item.ts';

/** The API caches from this many tokens on, in steps of `CACHE_STEP_TOKENS`. */
const MIN_CACHED_TOKENS = 1024;
const CACHE_STEP_TOKENS = 128;

/** How many beginnings are remembered. */
const MAX_ENTRIES = 20_000;

/** Remembers the beginnings of contexts, so that repeated ones are billed as cached. */
export class PromptCache {
  readonly #beginnings = new Set<number>();

  /** How many of a context's tokens an earlier request had at its beginning; then remembers this one. */
  cachedTokens(preamble: unknown, context: readonly SimulatorItem[]): number {
    let { hash, tokens } = readingOf(preamble);
    let cached = this.#isKnown(keyOf(hash)) ? tokens : 0;
    for (const item of context) {
      const reading = readingOf(item);
      hash = extended(hash, reading.hash);
      tokens += reading.tokens;
      if (this.#isKnown(keyOf(hash))) cached = tokens;
    }
    this.#forget();
    return cached < MIN_CACHED_TOKENS ? 0 : Math.floor(cached / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS;
  }

  #isKnown(beginning: number): boolean {
    if (this.#beginnings.has(beginning)) return true;
    this.#beginnings.add(beginning);
    return false;
  }

  #forget(): void {
    for (const oldest of this.#beginnings) {
      if (this.#beginnings.size <= MAX_ENTRIES) return;
      this.#beginnings.delete(oldest);
    }
  }
}
