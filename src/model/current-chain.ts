import { AsyncLocalStorage } from 'node:async_hooks';
import type OpenAI from 'openai';
import type { Chain } from './chain.ts';

/** The run that a request belongs to. */
export interface BoundRun {
  /** The chain of the run's session; undefined when it has no session of ours. */
  readonly chain: Chain | undefined;
  /** The client of the run's session: agents that the run uses as tools share it. */
  readonly client: OpenAI | undefined;
  /** The name of the model that the run's first agent asks, where it has one. */
  readonly model: string | undefined;
  /** Set inside a tool: the chains of the runs around it, which are none of the tool's business. */
  readonly around: readonly Chain[] | undefined;
}

const storage = new AsyncLocalStorage<BoundRun>();

/** Runs something whose model requests belong to one session, or to none. */
export function withChain<T>(chain: Chain | undefined, run: () => T, model?: string): T {
  return storage.run({ chain, client: chain?.client, model, around: undefined }, run);
}

/** The run that this request was made in; undefined when it was not bound. */
export function currentRun(): BoundRun | undefined {
  return storage.getStore();
}

/**
 * Called where a tool begins, in the tool's own asynchronous context: what it asks a model from here on is not asked by
 * the run that called the tool.
 */
export function enterTool(): void {
  const run = storage.getStore();
  if (run === undefined) return;
  const around = [...(run.around ?? []), ...(run.chain === undefined ? [] : [run.chain])];
  storage.enterWith({ chain: undefined, client: run.client, model: undefined, around });
}
