import { fits } from './fits.ts';
import { numberOf } from './schema.ts';
import type { JsonObject } from '../wire/json.ts';

/** A number that fits a schema; another one for each `variant`. */
export function sampleNumber(schema: JsonObject, variant: number): number {
  const isWhole = schema['type'] === 'integer';
  const step = numberOf(schema, 'multipleOf', 1);
  const low = Math.max(
    numberOf(schema, 'minimum', -Infinity),
    numberOf(schema, 'exclusiveMinimum', -Infinity),
  );
  const high = Math.min(
    numberOf(schema, 'maximum', Infinity),
    numberOf(schema, 'exclusiveMaximum', Infinity),
  );
  const upwards = Math.ceil(low / step) * step;
  const downwards = Math.floor(high / step) * step;
  const candidates = [
    upwards + variant * step,
    upwards + (variant + 1) * step,
    low,
    step + variant * step,
    high,
    downwards - variant * step,
    downwards - (variant + 1) * step,
    (low + high) / 2,
    low + (high - low) / (variant + 3),
    0,
    step,
  ];
  const rules = isWhole ? { ...schema, type: 'integer' } : schema;
  const fitting = candidates.map(rounded).find((each) => Number.isFinite(each) && fits(each, rules, rules));
  return fitting ?? step;
}

/** A number without the error of its arithmetic: `0.30000000000000004` is `0.3`. */
function rounded(value: number): number {
  return Number(value.toPrecision(12));
}
