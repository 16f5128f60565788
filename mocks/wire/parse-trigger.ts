import { errors } from './error-catalogue.ts';
import { isJsonObject } from './json.ts';

const TYPE = 'compaction_trigger';

/** The fewest tokens that a request with a trigger may allow its output. */
const MIN_OUTPUT_TOKENS = 20_000;

/** The items of a request, and whether a trigger came after them, which is no item itself. */
export interface TriggeredInput {
  readonly items: readonly unknown[];
  readonly isTriggered: boolean;
}

/**
 * Takes the compaction trigger off the end of an input.
 * @throws ApiError for a second trigger, one that is not last, one with an unknown field, or too few output tokens.
 */
export function parseTrigger(input: readonly unknown[], maxOutputTokens: unknown): TriggeredInput {
  const triggers = input.filter(isTrigger);
  const [trigger] = triggers;
  if (!trigger) return { items: input, isTriggered: false };
  if (triggers.length > 1) throw errors.triggerRepeated();
  if (!isTrigger(input.at(-1))) throw errors.triggerNotLast();
  const unknown = Object.keys(trigger).find((key) => key !== 'type' && key !== 'id');
  if (unknown !== undefined) throw errors.unknownParameter(`input[${input.length - 1}].${unknown}`);
  if (typeof maxOutputTokens === 'number' && maxOutputTokens < MIN_OUTPUT_TOKENS)
    throw errors.triggerNeedsOutput(MIN_OUTPUT_TOKENS);
  return { items: input.slice(0, -1), isTriggered: true };
}

function isTrigger(item: unknown): item is object {
  return isJsonObject(item) && item['type'] === TYPE;
}
