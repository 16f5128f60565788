import { tokensOf } from './tokens.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { contentHash } from './content-hash.ts';

/** The API caches from this many tokens on, in steps of `STEP`. */
const LEAST = 1024;
const STEP = 128;

/** How many prefixes are remembered. */
const REMEMBERED = 20_000;

/** Remembers the beginnings of contexts, so that repeated ones are billed as cached. */
export class PromptCache {
  readonly #prefixes = new Set<string>();

  /** How many of a context's tokens an earlier request had at its beginning; then remembers this one. */
  cachedTokens(preamble: unknown, context: readonly SimulatorItem[]): number {
    let prefix = contentHash(preamble);
    let tokens = tokensOf(preamble);
    let cached = this.#prefixes.has(prefix) ? tokens : 0;
    this.#prefixes.add(prefix);
    for (const item of context) {
      prefix = contentHash(`${prefix} ${contentHash(item)}`);
      tokens += tokensOf(item);
      if (this.#prefixes.has(prefix)) cached = tokens;
      else this.#prefixes.add(prefix);
    }
    this.#forget();
    return cached < LEAST ? 0 : Math.floor(cached / STEP) * STEP;
  }

  #forget(): void {
    for (const oldest of this.#prefixes) {
      if (this.#prefixes.size <= REMEMBERED) return;
      this.#prefixes.delete(oldest);
    }
  }
}
