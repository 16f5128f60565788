import { createHash } from 'node:crypto';
import type { Mode } from './mode.ts';
import { matchesModel } from './model-pattern.ts';
import type { RolloutContext } from './rollout.ts';

/** A mode for some sessions, and another one for the others. */
export interface RolloutRule {
  readonly mode: Mode;
  /** The share of sessions that get the mode, 0 to 100. Default 100. The same session always lands the same. */
  readonly percent?: number | undefined;
  /**
   * Only these models: a name, which also covers its dated snapshots, a name with `*` for what else may follow, or a
   * pattern. Default: all. A model that is not known yet counts as one of them.
   */
  readonly models?: readonly (string | RegExp)[] | undefined;
  /** Makes one rule choose other sessions than the next. Default `''`. */
  readonly salt?: string | undefined;
  /** The mode of all other sessions. Default `'off'`. */
  readonly otherwise?: Mode | undefined;
}

/** The mode that a rule gives a session. Pure: no state, no chance. */
export function applyRule(rule: RolloutRule, { sessionId, model }: RolloutContext): Mode {
  const { mode, percent = 100, models, salt = '', otherwise = 'off' } = rule;
  const isMeant =
    models === undefined || model === undefined || models.some((one) => matchesModel(one, model));
  return isMeant && bucketOf(sessionId, salt) < percent ? mode : otherwise;
}

/**
 * Where a session stands between 0 and 100, evenly spread and always the same.
 *
 * A share takes in everybody below its percentage, so raising it only adds sessions.
 */
export function bucketOf(sessionId: string, salt: string): number {
  const hash = createHash('sha256')
    .update(JSON.stringify([salt, sessionId]))
    .digest();
  return (hash.readUIntBE(0, 6) / 2 ** 48) * 100;
}
