import type { Mode } from './mode.ts';
import { createHash } from 'node:crypto';

/** The input of a rollout. */
export interface RolloutContext {
  readonly sessionId: string;
  /**
   * The model of this run's agent, for a run by `run` or `HybridRunner` of this package; else the last model that answered, if the
   * session uses the model boundary. Undefined if neither is known.
   */
  readonly model: string | undefined;
}

/** Called at every turn. A turn waits at most a second for it. */
export interface RolloutFunction {
  (context: RolloutContext): Mode | Promise<Mode>;
  /** The mode when it throws, takes too long, or does not return a mode. Default `'chain'`. */
  readonly defaultMode?: Mode | undefined;
}

/** The mode of each session: one for all, a rule, or a function. */
export type Rollout = Mode | RolloutRule | RolloutFunction;

/** A mode for some sessions, and another for the rest. */
export interface RolloutRule {
  readonly mode: Mode;
  /** The share of sessions that get the mode, 0 to 100. Default 100. A session always gets the same result. */
  readonly percent?: number | undefined;
  /**
   * Only these models: a name, which also covers its dated snapshots, a name with `*` for any text, or a regular expression.
   * Default: all. An unknown model counts as one of them.
   */
  readonly models?: readonly (string | RegExp)[] | undefined;
  /** Rules with different salts choose different sessions. Default `''`. */
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
 * The position of a session between 0 and 100, evenly spread and always the same.
 *
 * A rule covers all sessions below its percentage, so raising the percentage only adds sessions.
 */
export function bucketOf(sessionId: string, salt: string): number {
  const hash = createHash('sha256')
    .update(JSON.stringify([salt, sessionId]))
    .digest();
  return (hash.readUIntBE(0, 6) / 2 ** 48) * 100;
}

/** The date at the end of a snapshot's name. */
const SNAPSHOT = /^-\d{4}-\d{2}-\d{2}$|^-\d{4,8}$/;

/**
 * Whether a pattern means a model.
 *
 * `gpt-5.4` is that model and its dated snapshots, not `gpt-5.4-mini`; `gpt-5.4*` is every model that begins so. A
 * fine-tuned model counts as its base model, and `openai/gpt-5.4` as `gpt-5.4` too.
 */
export function matchesModel(pattern: string | RegExp, model: string): boolean {
  const name = model.startsWith('ft:') ? (model.split(':')[1] ?? model) : model;
  return [name, name.slice(name.lastIndexOf('/') + 1)].some((one) => matchesName(pattern, one));
}

function matchesName(pattern: string | RegExp, name: string): boolean {
  if (pattern instanceof RegExp)
    return new RegExp(pattern.source, pattern.flags.replaceAll(/[gy]/g, '')).test(name);
  const [head = '', ...rest] = pattern.split('*');
  if (!name.startsWith(head)) return false;
  if (rest.length === 0) return name === head || SNAPSHOT.test(name.slice(head.length));
  return globMatches(name.slice(head.length), rest);
}

/** Whether the text holds the pieces in order, the last one at its end. */
function globMatches(text: string, pieces: readonly string[]): boolean {
  let from = 0;
  for (const [index, piece] of pieces.entries()) {
    if (index === pieces.length - 1) return text.length - from >= piece.length && text.endsWith(piece);
    const at = text.indexOf(piece, from);
    if (at === -1) return false;
    from = at + piece.length;
  }
  return true;
}
