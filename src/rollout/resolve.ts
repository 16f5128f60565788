import { safeToken } from '../errors/base.ts';
import { DEFAULT_MODE, isMode, type Mode } from './mode.ts';
import { type Rollout, type RolloutContext, applyRule } from './rollout.ts';

/** A turn waits at most this long for a rollout. */
const MAX_WAIT_MS = 1000;

/** Why the default mode replaces the rollout's answer. */
export type RolloutProblem = 'threw' | 'too_slow' | 'no_mode';

/** The mode of a turn. */
export interface ResolvedMode {
  readonly mode: Mode;
  readonly problem: RolloutProblem | undefined;
  /** The code or the name of the error that the rollout threw. */
  readonly code: string | undefined;
}

/** The mode for this turn. Never rejects, and takes at most a second, so that a flag service costs no turn. */
export async function resolveMode(rollout: Rollout, context: RolloutContext): Promise<ResolvedMode> {
  const instead = (problem: RolloutProblem, code?: string): ResolvedMode => ({
    mode: defaultModeOf(rollout),
    problem,
    code,
  });
  try {
    const answer = ask(rollout, context);
    const settled: unknown = isMode(answer) ? answer : await within(MAX_WAIT_MS, answer);
    if (settled === TOO_SLOW) return instead('too_slow');
    return isMode(settled) ? { mode: settled, problem: undefined, code: undefined } : instead('no_mode');
  } catch (error) {
    return instead('threw', wordOf(error));
  }
}

/** The rollout's answer, unchecked. */
export function ask(rollout: Rollout, context: RolloutContext): Mode | Promise<Mode> {
  if (typeof rollout === 'function') return rollout(context);
  return typeof rollout === 'string' ? rollout : applyRule(rollout, context);
}

/** The mode when the rollout fails: its own default, if it has one. */
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

/** Not the message: it may quote the request. */
function wordOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return ('code' in error ? safeToken(error.code) : undefined) ?? safeToken(error.name);
}
