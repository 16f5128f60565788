import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds that a write in progress has after the signal. */
const GRACE_MS = 10_000;

/** Options of `stoppableFetch()`. */
export interface StoppableFetchOptions {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
  /** Default: by a timer that keeps no process alive. */
  readonly wait?: (milliseconds: number) => Promise<unknown>;
}

/**
 * A `fetch` that ends with the signal, whatever the server does: no new request begins, a read ends at once, and a write in progress has
 * some seconds, so that its effect is known.
 */
export function stoppableFetch({ fetch, signal, wait = timer }: StoppableFetchOptions): typeof fetch {
  const late = new AbortController();
  const end = async (): Promise<void> => {
    await wait(GRACE_MS);
    late.abort(signal.reason);
  };
  signal.addEventListener('abort', () => void end(), { once: true });
  return async (input, init) => {
    signal.throwIfAborted();
    const isRead = (init?.method ?? 'GET').toUpperCase() === 'GET';
    const signals = [isRead ? signal : late.signal, ...(init?.signal ? [init.signal] : [])];
    return fetch(input, { ...init, signal: AbortSignal.any(signals) });
  };
}

function timer(milliseconds: number): Promise<void> {
  return sleep(milliseconds, undefined, { ref: false });
}
