/**
 * How far a session is switched on.
 *
 * `off` serves the list as the stock session does and only records; `shadow` also compares and reports; `rebuild` serves
 * verified history; `chain` also lets the model continue from the previous response where the model boundary is in use.
 */
export type Mode = (typeof MODES)[number];

export const MODES = ['off', 'shadow', 'rebuild', 'chain'] as const;

/** What a rollout decides by. */
export interface RolloutContext {
  readonly sessionId: string;
}

/** A mode for every session, or a function that is asked at every turn. */
export type Rollout = Mode | ((context: RolloutContext) => Mode | Promise<Mode>);

/** The mode for this turn; an answer that is no mode, or none, counts as `chain`, the default. */
export async function resolveMode(rollout: Rollout, context: RolloutContext): Promise<Mode> {
  if (typeof rollout !== 'function') return rollout;
  try {
    const answer: unknown = await rollout(context);
    return MODES.find((mode) => mode === answer) ?? 'chain';
  } catch {
    return 'chain';
  }
}
