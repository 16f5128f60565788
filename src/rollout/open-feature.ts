import { z } from 'zod';
import { parseOptions } from '../errors/options.ts';
import { DEFAULT_MODE, type Mode } from './mode.ts';
import type { RolloutContext, RolloutFunction } from './rollout.ts';
import { modeSchema } from './rollout-schema.ts';

/** A value that the rules of a flag can read. */
export type FlagContextValue =
  | string
  | number
  | boolean
  | null
  | Date
  | FlagContextValue[]
  | { [key: string]: FlagContextValue };

/** The context of an evaluation: `targetingKey` and other attributes that the flag's rules read. */
export type FlagContext = { targetingKey?: string } & { [key: string]: FlagContextValue };

/** The details of an evaluation. */
export interface FlagDetails {
  readonly value: string;
  /** Why the default was given instead of the flag's value, such as `FLAG_NOT_FOUND`. */
  readonly errorCode?: string | undefined;
}

/**
 * The methods of an OpenFeature server client that this package uses: details, which also report a failed provider, or else
 * values.
 */
export type FlagClient =
  | { getStringDetails(flagKey: string, defaultValue: string, context?: FlagContext): Promise<FlagDetails> }
  | { getStringValue(flagKey: string, defaultValue: string, context?: FlagContext): Promise<string> };

/** Options of `openFeatureRollout`. */
export interface OpenFeatureRolloutOptions {
  /** More attributes for the flag's rules: the same for all sessions, or a function of the session. */
  readonly context?: FlagContext | ((context: RolloutContext) => FlagContext) | undefined;
  /** The mode when the flag is disabled, fails, or takes longer than a second. Default `'chain'`. */
  readonly defaultMode?: Mode | undefined;
}

const schema = z.object({
  client: z.custom<FlagClient>((value) => isClient(value), { message: 'must be a client of OpenFeature' }),
  flagKey: z.string().min(1),
  options: z.strictObject({
    context: z
      .custom<NonNullable<OpenFeatureRolloutOptions['context']>>(
        (value) => typeof value === 'function' || (typeof value === 'object' && value !== null),
        { message: 'must be an object or a function' },
      )
      .optional(),
    defaultMode: modeSchema.optional(),
  }),
});

/**
 * Takes the mode from a string flag, through a client of `@openfeature/server-sdk`.
 *
 * The session's ID is the targeting key, and `model` is set when it is known.
 *
 * @throws InvalidOptionsError for a client, key or option of a wrong type.
 */
export function openFeatureRollout(
  client: FlagClient,
  flagKey: string,
  options: OpenFeatureRolloutOptions = {},
): RolloutFunction {
  parseOptions(schema, { client, flagKey, options }, 'the rollout');
  const { context: given, defaultMode = DEFAULT_MODE } = options;
  const decide = async (context: RolloutContext): Promise<Mode> => {
    const own = typeof given === 'function' ? given(context) : given;
    const { sessionId, model } = context;
    const value = await valueOf(client, flagKey, defaultMode, {
      targetingKey: sessionId,
      ...(model === undefined ? {} : { model }),
      ...own,
    });
    // The caller checks that the value is a mode.
    return value as Mode;
  };
  return Object.assign(decide, { defaultMode });
}

/** @throws FlagError when the provider reports an error. */
async function valueOf(
  client: FlagClient,
  flagKey: string,
  defaultMode: Mode,
  context: FlagContext,
): Promise<string> {
  if (!('getStringDetails' in client)) return client.getStringValue(flagKey, defaultMode, context);
  const { value, errorCode } = await client.getStringDetails(flagKey, defaultMode, context);
  // The client of OpenFeature never rejects: when its provider fails, it returns the default and an error code.
  if (errorCode !== undefined) throw new FlagError(errorCode);
  return value;
}

/** The provider could not evaluate the flag. */
class FlagError extends Error {
  readonly code: string;

  constructor(code: string) {
    super('The flag could not be evaluated');
    this.code = code;
  }
}

function isClient(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['getStringDetails', 'getStringValue'].some(
    (method) => typeof Reflect.get(value, method) === 'function',
  );
}
