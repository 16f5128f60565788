import { z } from 'zod';
import { invalidOption } from '../errors/invalid-option.ts';
import { isMode, type Mode } from './mode.ts';
import { ask, defaultModeOf } from './resolve-mode.ts';
import { modeSchema, rolloutSchema } from './rollout-schema.ts';
import type { Rollout, RolloutContext, RolloutFunction } from './rollout.ts';

/** A rollout that can be overruled for every session that uses it, at once. */
export interface RolloutSwitch {
  /** For the option `rollout` of each session. */
  readonly rollout: RolloutFunction;
  /**
   * From the next turn on every session gets this mode, a turn that still waits for its mode included; undefined gives
   * the decision back.
   *
   * @throws InvalidOptionsError for what is no mode.
   */
  force(mode: Mode | undefined): void;
}

const options = z.object({ rollout: rolloutSchema });
const order = z.object({ mode: modeSchema.optional() });

/**
 * A kill switch: `control.force('off')` takes effect at the next turn of every live session.
 *
 * @throws InvalidOptionsError for what is no rollout.
 */
export function rolloutSwitch(rollout: Rollout): RolloutSwitch {
  const parsed = options.safeParse({ rollout });
  if (!parsed.success) throw invalidOption(parsed.error, 'the switch');
  let forced: Mode | undefined;
  const decide = (context: RolloutContext): Mode | Promise<Mode> => {
    if (forced !== undefined) return forced;
    const answer = ask(rollout, context);
    return isMode(answer) ? answer : settle(answer);
  };
  /** The switch may have been thrown while the answer was waited for. */
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
    rollout: Object.assign(decide, { defaultMode: defaultModeOf(rollout) }),
    force(mode) {
      const ordered = order.safeParse({ mode });
      if (!ordered.success) throw invalidOption(ordered.error, 'the order');
      forced = mode;
    },
  };
}
