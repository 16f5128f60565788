import type { Mode } from './mode.ts';
import type { RolloutRule } from './rollout-rule.ts';

/** What a rollout decides by. */
export interface RolloutContext {
  readonly sessionId: string;
  /** The newest model known for the session; undefined before its first answer, and without the model boundary. */
  readonly model: string | undefined;
}

/** Asked at every turn. What is no mode, an error, or an answer that takes too long counts as `chain`, the default. */
export type RolloutFunction = (context: RolloutContext) => Mode | Promise<Mode>;

/** Who gets which mode: one for all, a rule, or a function. */
export type Rollout = Mode | RolloutRule | RolloutFunction;
