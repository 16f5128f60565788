import { z } from 'zod';
import { invalidOption } from '../errors/invalid-option.ts';
import { DEFAULT_MODE, type Mode } from './mode.ts';
import type { RolloutContext, RolloutFunction } from './rollout.ts';
import { modeSchema } from './rollout-schema.ts';

/** What the rules of a flag can ask about. */
export type FlagContextValue =
  | string
  | number
  | boolean
  | null
  | Date
  | FlagContextValue[]
  | { [key: string]: FlagContextValue };

/** What a flag is evaluated for: `targetingKey` and whatever else the flag's rules ask. */
export type FlagContext = { targetingKey?: string } & { [key: string]: FlagContextValue };

/** What is read of an evaluation's details. */
export interface FlagDetails {
  readonly value: string;
  /** Why the default was given instead of the flag's value, such as `FLAG_NOT_FOUND`. */
  readonly errorCode?: string | undefined;
}

/**
 * What is used of an OpenFeature server client: its details, which also tell that a provider failed, or where a client has
 * none, its values.
 */
export type FlagClient =
  | { getStringDetails(flagKey: string, defaultValue: string, context?: FlagContext): Promise<FlagDetails> }
  | { getStringValue(flagKey: string, defaultValue: string, context?: FlagContext): Promise<string> };

/** Options of `openFeatureRollout`. */
export interface OpenFeatureRolloutOptions {
  /** What else the flag's rules ask about, the same for all sessions or made for each. */
  readonly context?: FlagContext | ((context: RolloutContext) => FlagContext) | undefined;
  /** The mode when the flag is disabled, and when it cannot be had: no turn waits for it longer than a second. Default `'chain'`. */
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
 * @throws InvalidOptionsError when it could never work.
 */
export function openFeatureRollout(
  client: FlagClient,
  flagKey: string,
  options: OpenFeatureRolloutOptions = {},
): RolloutFunction {
  const parsed = schema.safeParse({ client, flagKey, options });
  if (!parsed.success) throw invalidOption(parsed.error, 'the rollout');
  const { context: given, defaultMode = DEFAULT_MODE } = options;
  const decide = async (context: RolloutContext): Promise<Mode> => {
    const own = typeof given === 'function' ? given(context) : given;
    const { sessionId, model } = context;
    const value = await valueOf(client, flagKey, defaultMode, {
      targetingKey: sessionId,
      ...(model === undefined ? {} : { model }),
      ...own,
    });
    // What is no mode is not believed, whatever its type says.
    return value as Mode;
  };
  return Object.assign(decide, { defaultMode });
}

/** @throws FlagError when there is none now. */
async function valueOf(
  client: FlagClient,
  flagKey: string,
  defaultMode: Mode,
  context: FlagContext,
): Promise<string> {
  if (!('getStringDetails' in client)) return client.getStringValue(flagKey, defaultMode, context);
  const { value, errorCode } = await client.getStringDetails(flagKey, defaultMode, context);
  // The client of OpenFeature never rejects: where its provider fails it gives the default and says so here.
  if (errorCode !== undefined) throw new FlagError(errorCode);
  return value;
}

/** The flag has no value now. */
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
