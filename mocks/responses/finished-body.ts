import type { ModelAnswer } from '../model/answer.ts';
import { tokensOfText } from '../model/tokens.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json-object.ts';

/** How many characters a token has when a text is cut. */
const CHARACTERS_PER_TOKEN = 4;

/** An answer cut off at `max_output_tokens`, and incomplete then. */
export function shortened(answer: ModelAnswer, maxOutputTokens: unknown): ModelAnswer {
  const { text } = answer;
  if (text === undefined || typeof maxOutputTokens !== 'number') return answer;
  if (tokensOfText(text) <= maxOutputTokens) return answer;
  return {
    ...answer,
    text: text.slice(0, maxOutputTokens * CHARACTERS_PER_TOKEN),
    calls: [],
    incomplete: 'max_output_tokens',
  };
}

/** The body of a response once the model has answered: completed, incomplete or failed. */
export function finishedBody(
  begun: JsonObject,
  answer: ModelAnswer,
  output: readonly SimulatorItem[],
  usage: JsonObject | null,
  now: number,
): JsonObject {
  const { incomplete, failed } = answer;
  const status = failed ? 'failed' : incomplete === undefined ? 'completed' : 'incomplete';
  const tier = begun['service_tier'];
  return {
    ...begun,
    status,
    completed_at: status === 'completed' ? now : null,
    error: failed ?? null,
    incomplete_details: incomplete === undefined ? null : { reason: incomplete },
    output,
    service_tier: tier === 'auto' ? 'default' : tier,
    usage,
  };
}
