import type { Bench } from './store-bench.ts';

/** Adds a check to the contract; the body gets a new and empty store. */
export type AddCheck = (name: string, body: (bench: Bench) => Promise<void>) => void;
