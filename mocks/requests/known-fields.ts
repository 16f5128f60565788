import { ApiError } from '../wire/api-error.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';
import type { SimulatorSettings } from '../resolve-options.ts';

/**
 * Parses the body of a request. Where unknown fields are ignored, each that `parse` refuses is left out.
 * @param parse throws an ApiError for an unknown field.
 * @throws ApiError for a body that is refused.
 */
export function parseKnownFields<T>(
  body: JsonObject,
  { unknownFields }: Pick<SimulatorSettings, 'unknownFields'>,
  parse: (body: JsonObject) => T,
): T {
  for (let known = body; ;) {
    try {
      return parse(known);
    } catch (error) {
      const param = unknownFields === 'ignore' ? unknownParam(error) : undefined;
      const rest: unknown = param === undefined ? known : without(known, stepsOf(param));
      if (rest === known || !isJsonObject(rest)) throw error;
      known = rest;
    }
  }
}

function unknownParam(error: unknown): string | undefined {
  return error instanceof ApiError && error.code === 'unknown_parameter'
    ? (error.param ?? undefined)
    : undefined;
}

/** The steps of a place as errors name it: `input[0].content[1].cost`. */
function stepsOf(param: string): string[] {
  return param.split(/\.|\[(?=\d+\])|(?<=\[\d+)\]\.?/).filter((step) => step !== '');
}

/** A copy of a value without one field; the value itself if it has none there. */
function without(value: unknown, [step = '', ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) {
    const changed = without(value[Number(step)], rest);
    return changed === value[Number(step)] ? value : value.with(Number(step), changed);
  }
  if (!isJsonObject(value) || !Object.hasOwn(value, step)) return value;
  if (rest.length === 0) {
    const { [step]: _unknown, ...known } = value;
    return known;
  }
  const changed = without(value[step], rest);
  return changed === value[step] ? value : { ...value, [step]: changed };
}
