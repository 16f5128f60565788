import { clock } from './clock.ts';

/** The pauses between attempts. */
export interface BackoffOptions {
  /** Milliseconds of the first pause. */
  readonly first: number;
  /** The growth of each pause. Default 2. */
  readonly factor?: number;
  /** Milliseconds of the longest pause. Default: no limit. */
  readonly max?: number;
  /** The number of attempts: one more than the pauses. Default: no limit. */
  readonly attempts?: number;
  /** The time from which no pause begins, in milliseconds since the epoch. Default: none. */
  readonly deadline?: number;
  /** Milliseconds from the first pause to the end of the last one, which is cut short. Default: no limit. */
  readonly budget?: number;
  /** Milliseconds of the longest pause that a server may ask for. Default: `max`. */
  readonly maxAsked?: number;
  /** Ends a pause. */
  readonly signal?: AbortSignal | undefined;
}

/** Growing pauses between attempts. */
export class Backoff {
  readonly #options: BackoffOptions;
  #pauses = 0;
  /** The rest of the budget, and the time at which it ends: a clock can be set back. */
  #left: number | undefined;
  #end: number | undefined;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next pause is the first one again. */
  reset(): void {
    this.#pauses = 0;
  }

  /**
   * Milliseconds to wait before the next attempt.
   *
   * @param asked the milliseconds that the server asks for.
   * @returns undefined when no attempt is left, or the server asks for too long a pause.
   */
  next(asked?: number): number | undefined {
    const { first, factor = 2, max = Infinity, attempts = Infinity, deadline = Infinity } = this.#options;
    const { budget, maxAsked = max } = this.#options;
    if (this.#pauses + 1 >= attempts || clock.now() >= deadline) return undefined;
    if (asked !== undefined && asked > maxAsked) return undefined;
    let pause = asked ?? Math.min(max, first * factor ** this.#pauses);
    if (budget !== undefined) {
      this.#left ??= budget;
      this.#end ??= clock.now() + budget;
      pause = Math.min(pause, this.#left, this.#end - clock.now());
      if (pause <= 0) return undefined;
      this.#left -= pause;
    }
    this.#pauses += 1;
    return pause;
  }

  /**
   * Waits before the next attempt.
   *
   * @param asked the milliseconds that the server asks for.
   * @returns false, at once, when no attempt is left, or the server asks for too long a pause.
   * @throws the reason of the signal.
   */
  async pause(asked?: number): Promise<boolean> {
    const pause = this.next(asked);
    if (pause === undefined) return false;
    await clock.sleep(pause, this.#options.signal);
    return true;
  }
}

/**
 * Repeats a check until its result is final.
 *
 * @returns the final result, or the last one when no attempt is left.
 */
export async function pollUntil<T>(
  check: () => Promise<T>,
  isFinal: (result: T) => boolean,
  options: BackoffOptions,
): Promise<T> {
  const backoff = new Backoff(options);
  for (;;) {
    const result = await check();
    if (isFinal(result) || !(await backoff.pause())) return result;
  }
}
