import type OpenAI from 'openai';
import { clock, hasPassed } from '../util/clock.ts';
import { isAmbiguous } from './api-error.ts';

/** The number of consecutive failures after which the conversation endpoints count as unavailable. */
const MAX_FAILURES = 3;

/** Milliseconds before the first trial request, doubled after each failure, and their limit. */
const FIRST_PAUSE_MS = 1000;
const MAX_PAUSE_MS = 60_000;

/** Stops the requests of all sessions while the conversation endpoints of a client are unavailable. */
export class CircuitBreaker {
  #failures = 0;
  #pause = 0;
  #since = 0;
  #error: unknown;

  /** The last failure, while requests are stopped. */
  get error(): unknown {
    return this.#failures >= MAX_FAILURES && !hasPassed(this.#since, this.#pause) ? this.#error : undefined;
  }

  /**
   * Whether a request that can wait may be sent. After a pause, one caller may send a trial request, and the next one a pause
   * later.
   */
  allowsRequest(): boolean {
    if (this.error !== undefined) return false;
    this.#since = clock.now();
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#pause = 0;
  }

  /** Counts failures of the server; a refusal proves that it is available. */
  failed(error: unknown): void {
    if (!isAmbiguous(error)) {
      this.succeeded();
      return;
    }
    this.#failures += 1;
    this.#error = error;
    if (this.#failures < MAX_FAILURES) return;
    this.#pause = Math.min(MAX_PAUSE_MS, this.#pause === 0 ? FIRST_PAUSE_MS : this.#pause * 2);
    this.#since = clock.now();
  }
}

const circuitBreakers = new WeakMap<OpenAI, CircuitBreaker>();

/** The circuit breaker that all sessions of a client share. */
export function circuitBreakerOf(client: OpenAI): CircuitBreaker {
  let breaker = circuitBreakers.get(client);
  if (breaker === undefined) circuitBreakers.set(client, (breaker = new CircuitBreaker()));
  return breaker;
}
