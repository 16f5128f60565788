import type { ModelAnswer, ModelRequest } from './answer.ts';
import { builtInAnswer } from './built-in-model.ts';
import type { SimulatorSettings } from '../resolve-options.ts';
import { ApiError } from '../wire/api-error.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';

/**
 * The model's answer: the script's, or the built-in model's where the script has none.
 * @throws ApiError that the script gives as its answer, or 500 with the script's own words if it throws.
 */
export async function answerOf(
  context: readonly SimulatorItem[],
  request: ModelRequest,
  settings: SimulatorSettings,
): Promise<ModelAnswer> {
  const scripted = await scriptedAnswer(context, request, settings);
  if (typeof scripted === 'string') return { text: scripted };
  if (scripted === undefined) return builtInAnswer(context, request);
  return scripted.json === undefined ? scripted : { ...scripted, text: JSON.stringify(scripted.json) };
}

async function scriptedAnswer(
  context: readonly SimulatorItem[],
  request: ModelRequest,
  settings: SimulatorSettings,
): Promise<ModelAnswer | string | undefined> {
  try {
    return await settings.respond?.(context, request);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw errors.server(
      500,
      `The simulator's respond() threw: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
