/** Where the simulator's own time starts when no clock is given: 2026-01-01T00:00:00Z. */
const START = Date.UTC(2026, 0, 1);

/** How far the simulator's own time moves at each request, in milliseconds. */
const REQUEST_MS = 100;

/** The time inside the simulated world: the caller's clock, or one that only requests and `advance` move. */
export class Clock {
  readonly #source: (() => number) | undefined;
  #offset = 0;

  /** @param source milliseconds since 1970; without one, time starts at 2026 and moves 100 ms a request. */
  constructor(source?: () => number) {
    this.#source = source;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return (this.#source?.() ?? START) + this.#offset;
  }

  /** Whole seconds since 1970, the unit of `created_at`. */
  seconds(): number {
    return Math.floor(this.now() / 1000);
  }

  /**
   * Moves the world's time on; with a source, it stays ahead of it by that much.
   * @throws RangeError for a value that is no number, which would stop every clock and lifetime.
   */
  advance(milliseconds: number): void {
    if (!Number.isFinite(milliseconds))
      throw new RangeError(
        `Cannot advance the clock: it takes milliseconds, but got ${String(milliseconds)}`,
      );
    this.#offset += milliseconds;
  }

  /** Counts one request; a given source moves by itself. */
  tick(): void {
    if (!this.#source) this.#offset += REQUEST_MS;
  }

  /** Sets the world's own time; a given source keeps its time. */
  set(now: number): void {
    if (!this.#source) this.#offset = now - START;
  }

  /** Forgets every `advance` and `tick`. */
  reset(): void {
    this.#offset = 0;
  }
}
