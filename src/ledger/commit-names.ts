import { placeOf } from './store-place.ts';

/** Names the appends of one ledger, so that they can be told from those of others. */
export class CommitNames {
  readonly #place: string;
  readonly #writer: string;

  constructor(store: object) {
    this.#place = placeOf(store);
    this.#writer = `${this.#place}${globalThis.crypto.randomUUID().slice(0, 8)}/`;
  }

  /** A name that no other append has. */
  next(): string {
    return `${this.#writer}${globalThis.crypto.randomUUID()}`;
  }

  /** Who made the append of this name: this ledger, another one on the same store in this process, or another process. */
  originOf(commit: string): 'own' | 'here' | 'elsewhere' {
    if (commit.startsWith(this.#writer)) return 'own';
    return commit.startsWith(this.#place) ? 'here' : 'elsewhere';
  }
}
