import { DEFAULT_MODE, isMode, type Mode } from './mode.ts';
import type { Rollout, RolloutContext } from './rollout.ts';
import { applyRule } from './rollout-rule.ts';

/** The longest that a turn waits for a rollout to answer, in milliseconds. */
const LONGEST_WAIT = 1000;

/** A mode, and why it is the default instead of the rollout's answer. */
export interface ResolvedMode {
  readonly mode: Mode;
  readonly problem: 'threw' | 'too-slow' | 'no-mode' | undefined;
}

/** The mode for this turn. Never rejects, and never takes longer than a second: a flag service costs no turn. */
export async function resolveMode(rollout: Rollout, context: RolloutContext): Promise<ResolvedMode> {
  try {
    const answer = ask(rollout, context);
    const settled: unknown = isMode(answer) ? answer : await within(LONGEST_WAIT, answer);
    if (settled === TOO_SLOW) return { mode: DEFAULT_MODE, problem: 'too-slow' };
    return isMode(settled)
      ? { mode: settled, problem: undefined }
      : { mode: DEFAULT_MODE, problem: 'no-mode' };
  } catch {
    return { mode: DEFAULT_MODE, problem: 'threw' };
  }
}

/** What the rollout says, as it says it. */
export function ask(rollout: Rollout, context: RolloutContext): Mode | Promise<Mode> {
  if (typeof rollout === 'function') return rollout(context);
  return typeof rollout === 'string' ? rollout : applyRule(rollout, context);
}

const TOO_SLOW = Symbol('too slow');

async function within(milliseconds: number, answer: unknown): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slow = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds, TOO_SLOW);
  });
  try {
    return await Promise.race([answer, slow]);
  } finally {
    clearTimeout(timer);
  }
}
