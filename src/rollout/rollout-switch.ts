import type { Mode } from './mode.ts';
import { ask } from './resolve-mode.ts';
import type { Rollout, RolloutFunction } from './rollout.ts';

/** A rollout that can be overruled for every session that uses it, at once. */
export interface RolloutSwitch {
  /** For the option `rollout` of each session. */
  readonly rollout: RolloutFunction;
  /** From the next turn on every session gets this mode; undefined gives the decision back. */
  force(mode: Mode | undefined): void;
}

/** A kill switch: `control.force('off')` takes effect at the next turn of every live session. */
export function rolloutSwitch(rollout: Rollout): RolloutSwitch {
  let forced: Mode | undefined;
  return {
    rollout: (context) => forced ?? ask(rollout, context),
    force(mode) {
      forced = mode;
    },
  };
}
