import { z } from 'zod';
import { isMode, MODES } from './mode.ts';
import type { Rollout, RolloutFunction } from './rollout.ts';

const NAMES = MODES.join(', ');

/** The name of a mode. */
export const modeSchema = z.enum(MODES, { error: `must be one of ${NAMES}` });

/** Rejects a wrong rollout when a session is created, not at a turn. */
export const rolloutSchema: z.ZodType<Rollout> = z.union(
  [
    modeSchema,
    z
      .custom<RolloutFunction>((value) => typeof value === 'function')
      .refine(({ defaultMode }) => defaultMode === undefined || isMode(defaultMode), {
        message: `must be one of ${NAMES}`,
        path: ['defaultMode'],
      }),
    z.strictObject({
      mode: modeSchema,
      percent: z.number().min(0).max(100).optional(),
      models: z.array(z.union([z.string().min(1), z.instanceof(RegExp)])).optional(),
      salt: z.string().optional(),
      otherwise: modeSchema.optional(),
    }),
  ],
  { error: `must be one of ${NAMES}, a rule or a function` },
);
