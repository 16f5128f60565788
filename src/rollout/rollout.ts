import type { Mode } from './mode.ts';
import type { RolloutRule } from './rollout-rule.ts';

/** What a rollout decides by. */
export interface RolloutContext {
  readonly sessionId: string;
  /**
   * The name of the model that the agent of this run asks, where the run is made with `run` or `HybridRunner` of this package;
   * else the newest model that answered as far as the session knows, which takes the model boundary. Undefined where
   * neither is known.
   */
  readonly model: string | undefined;
}

/** Asked at every turn, for a second at most. */
export interface RolloutFunction {
  (context: RolloutContext): Mode | Promise<Mode>;
  /** The mode when it throws, takes too long, or answers what is no mode. Default `'chain'`. */
  readonly defaultMode?: Mode | undefined;
}

/** Who gets which mode: one for all, a rule, or a function. */
export type Rollout = Mode | RolloutRule | RolloutFunction;
