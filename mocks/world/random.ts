/** A small seeded generator (mulberry32): the same seed gives the same numbers on every machine. */
export class Random {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed | 0;
    this.#state = this.#seed;
  }

  /** The next 32 bits, as an unsigned integer. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** The next number in [0, 1). */
  fraction(): number {
    return this.bits() / 0x1_0000_0000;
  }

  /** The next `length` hexadecimal digits. */
  hex(length: number): string {
    let digits = '';
    while (digits.length < length) digits += this.bits().toString(16).padStart(8, '0');
    return digits.slice(0, length);
  }

  /** Starts the sequence again, or the one of the seed and this number. */
  reset(number = 0): void {
    this.#state = (this.#seed + number) | 0;
  }
}
