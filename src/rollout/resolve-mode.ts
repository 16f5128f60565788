import { asWord } from '../errors/as-word.ts';
import { DEFAULT_MODE, isMode, type Mode } from './mode.ts';
import type { Rollout, RolloutContext } from './rollout.ts';
import { applyRule } from './rollout-rule.ts';

/** The longest that a turn waits for a rollout to answer, in milliseconds. */
const LONGEST_WAIT = 1000;

/** Why the default mode was taken instead of the rollout's answer. */
export type RolloutProblem = 'threw' | 'too-slow' | 'no-mode';

/** A mode, and why it is the default instead of the rollout's answer. */
export interface ResolvedMode {
  readonly mode: Mode;
  readonly problem: RolloutProblem | undefined;
  /** What was thrown, as one word: an error's code, or its name. */
  readonly code: string | undefined;
}

/** The mode for this turn. Never rejects, and never takes longer than a second: a flag service costs no turn. */
export async function resolveMode(rollout: Rollout, context: RolloutContext): Promise<ResolvedMode> {
  const instead = (problem: RolloutProblem, code?: string): ResolvedMode => ({
    mode: defaultModeOf(rollout),
    problem,
    code,
  });
  try {
    const answer = ask(rollout, context);
    const settled: unknown = isMode(answer) ? answer : await within(LONGEST_WAIT, answer);
    if (settled === TOO_SLOW) return instead('too-slow');
    return isMode(settled) ? { mode: settled, problem: undefined, code: undefined } : instead('no-mode');
  } catch (error) {
    return instead('threw', wordOf(error));
  }
}

/** What the rollout says, as it says it. */
export function ask(rollout: Rollout, context: RolloutContext): Mode | Promise<Mode> {
  if (typeof rollout === 'function') return rollout(context);
  return typeof rollout === 'string' ? rollout : applyRule(rollout, context);
}

/** What is taken where the rollout fails: its own default, if it has one. */
export function defaultModeOf(rollout: Rollout): Mode {
  const own = typeof rollout === 'function' ? rollout.defaultMode : undefined;
  return isMode(own) ? own : DEFAULT_MODE;
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

/** Messages of other people's errors may quote what they were asked with. */
function wordOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return ('code' in error ? asWord(error.code) : undefined) ?? asWord(error.name);
}
