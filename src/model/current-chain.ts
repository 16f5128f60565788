import { AsyncLocalStorage } from 'node:async_hooks';
import type { Chain } from './chain.ts';

/** The run that a request belongs to; `chain` is undefined when its session is not ours. */
export interface BoundRun {
  readonly chain: Chain | undefined;
}

const storage = new AsyncLocalStorage<BoundRun>();

/** Runs something whose model requests belong to one session, or to none. */
export function withChain<T>(chain: Chain | undefined, run: () => T): T {
  return storage.run({ chain }, run);
}

/** The run that this request was made in; undefined when it was not bound. */
export function currentRun(): BoundRun | undefined {
  return storage.getStore();
}
