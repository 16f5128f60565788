import type { RolloutContext, RolloutFunction } from './rollout.ts';
import { DEFAULT_MODE, isMode, type Mode } from './mode.ts';

/** What a flag is evaluated for: `targetingKey` and whatever else the flag's rules ask. */
export type FlagContext = { targetingKey?: string } & { [key: string]: string | number | boolean };

/** The one method of an OpenFeature server client that is used. */
export interface FlagClient {
  getStringValue(flagKey: string, defaultValue: string, context?: FlagContext): Promise<string>;
}

/** Options of `openFeatureRollout`. */
export interface OpenFeatureRolloutOptions {
  /** What else the flag's rules ask about, the same for all sessions or made for each. */
  readonly context?: FlagContext | ((context: RolloutContext) => FlagContext) | undefined;
  /** The mode when the flag has no value or the provider fails. Default `'chain'`. */
  readonly defaultMode?: Mode | undefined;
}

/**
 * Takes the mode from a string flag, through a client of `@openfeature/server-sdk`.
 *
 * The session's ID is the targeting key, and `model` is set when it is known.
 */
export function openFeatureRollout(
  client: FlagClient,
  flagKey: string,
  options: OpenFeatureRolloutOptions = {},
): RolloutFunction {
  const { context: given, defaultMode = DEFAULT_MODE } = options;
  return async (context) => {
    const own = typeof given === 'function' ? given(context) : given;
    const { sessionId, model } = context;
    const value = await client.getStringValue(flagKey, defaultMode, {
      targetingKey: sessionId,
      ...(model === undefined ? {} : { model }),
      ...own,
    });
    if (!isMode(value)) throw new TypeError(`Flag '${flagKey}' has a value that is no mode`);
    return value;
  };
}
