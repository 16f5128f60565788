import { z } from 'zod';
import { parseOptions } from '../errors/options.ts';
import { isMode, type Mode } from './mode.ts';
import { ask, defaultModeOf } from './resolve.ts';
import { modeSchema, rolloutSchema } from './rollout-schema.ts';
import type { Rollout, RolloutContext, RolloutFunction } from './rollout.ts';

/** A rollout that can be changed, and overridden, for all its sessions at once. */
export interface RolloutSwitch {
  /** For the option `rollout` of each session. */
  readonly rollout: RolloutFunction;
  /**
   * Replaces the rollout from the next turn of every session on, such as a rule for 5 % by one for 25 %: the sessions of the
   * smaller share stay in the larger one. A turn that still waits for its mode gets that of the earlier rollout.
   *
   * @throws InvalidOptionsError for a value that is not a rollout; the earlier one stays.
   * @example
   * ```ts
   * const control = rolloutSwitch({ mode: 'rebuild', percent: 5 });
   * control.set({ mode: 'rebuild', percent: 25 });
   * ```
   */
  set(rollout: Rollout): void;
  /**
   * Sets the mode of every session from the next turn on, also for a turn that still waits for its mode. Undefined removes the
   * override.
   *
   * @throws InvalidOptionsError for a value that is not a mode.
   */
  force(mode: Mode | undefined): void;
}

const options = z.object({ rollout: rolloutSchema });
const order = z.object({ mode: modeSchema.optional() });

/**
 * Lets a running process change its rollout: `control.set(rule)` and the kill switch `control.force('off')` take effect at the
 * next turn of every live session.
 *
 * @throws InvalidOptionsError for a value that is not a rollout.
 */
export function rolloutSwitch(rollout: Rollout): RolloutSwitch {
  parseOptions(options, { rollout }, 'the switch');
  let current = rollout;
  let forced: Mode | undefined;
  const decide = (context: RolloutContext): Mode | Promise<Mode> => {
    if (forced !== undefined) return forced;
    const answer = ask(current, context);
    return isMode(answer) ? answer : settle(answer);
  };
  /** The override may be set while the answer is awaited. */
  const settle = async (answer: Promise<Mode>): Promise<Mode> => {
    try {
      const mode = await answer;
      return forced ?? mode;
    } catch (error) {
      if (forced === undefined) throw error;
      return forced;
    }
  };
  return {
    rollout: Object.defineProperty(decide, 'defaultMode', { get: () => defaultModeOf(current) }),
    set(next) {
      parseOptions(options, { rollout: next }, 'the switch');
      current = next;
    },
    force(mode) {
      parseOptions(order, { mode }, 'the order');
      forced = mode;
    },
  };
}
