import { InvalidOptionsError } from '../errors/options.ts';
import { DEFAULT_MODE, isMode, MODES, type Mode } from './mode.ts';
import type { RolloutRule } from './rollout.ts';

/** The variable that `rolloutFrom()` reads. */
const VARIABLE = 'HYBRID_SESSION_ROLLOUT';

const FORM = /^(?<mode>\w+)(?:\s+(?<percent>\d{1,3}(?:\.\d+)?)\s*%)?(?:\s+else\s+(?<otherwise>\w+))?$/;

/**
 * Reads a rollout from a text, or from the variable `HYBRID_SESSION_ROLLOUT` of an environment: `rebuild`, `rebuild 5%` or
 * `rebuild 5% else shadow`.
 *
 * The share is taken by the session's name, so a session named after its user is a share of users. Without `else` the other
 * sessions get `off`. An empty text, or an unset variable, is `chain`, the default of the option.
 *
 * @throws InvalidOptionsError for any other text.
 * @example
 * ```ts
 * const control = rolloutSwitch(rolloutFrom(process.env));
 * control.set(rolloutFrom('rebuild 25% else shadow')); // at runtime, such as from a file of settings
 * ```
 */
export function rolloutFrom(
  source: string | Readonly<Record<string, string | undefined>>,
): Mode | RolloutRule {
  const isText = typeof source === 'string';
  const option = isText ? 'rollout' : VARIABLE;
  const given: unknown = isText ? source : (source?.[VARIABLE] ?? '');
  const text = typeof given === 'string' ? given.trim() : typeof given;
  if (text === '') return DEFAULT_MODE;
  const { mode, percent, otherwise } = FORM.exec(text)?.groups ?? {};
  const isWhole = percent === undefined && otherwise === undefined;
  const share = percent === undefined ? undefined : Number(percent);
  const isKnown = isMode(mode) && (otherwise === undefined || isMode(otherwise));
  if (!isKnown || (share ?? 0) > 100 || (share === undefined && otherwise !== undefined)) {
    const problem = `must be one of ${MODES.join(', ')}, or have a form such as 'rebuild 5% else shadow'`;
    throw new InvalidOptionsError(option, problem, { subject: 'the rollout' });
  }
  if (isWhole) return mode;
  return { mode, percent: share, ...(otherwise === undefined ? {} : { otherwise }) };
}
