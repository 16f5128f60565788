import { inputTokens } from './usage.ts';
import type { ModelAnswer } from '../model/answer.ts';
import { effortOf, reasons } from '../model/model-traits.ts';
import { tokensOf, tokensOfText } from '../model/tokens.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** How many characters a token has when a text is cut. */
const CHARACTERS_PER_TOKEN = 4;

/**
 * Refuses sampling parameters for a reasoning model, and reasoning for any other.
 * @throws ApiError in the API's words.
 */
export function checkCapabilities(model: string, sent: JsonObject): void {
  if (reasons(model, sent)) {
    for (const param of ['temperature', 'top_p']) {
      if (typeof sent[param] === 'number') throw errors.unsupportedParameter(param);
    }
  }
  const { reasoning } = sent;
  const asksEffort = isJsonObject(reasoning) && typeof reasoning['effort'] === 'string';
  if (asksEffort && effortOf(model, {}) === null) throw errors.unsupportedParameter('reasoning.effort');
}

/**
 * Fits a context into the model's window: all of it or, with `truncation: 'auto'`, without its oldest items.
 * @throws ApiError `context_length_exceeded` if it does not fit and must not be cut.
 */
export function fitContext(
  context: readonly SimulatorItem[],
  sent: JsonObject,
  contextWindow: number,
): readonly SimulatorItem[] {
  let tokens = inputTokens(context, sent);
  if (tokens <= contextWindow) return context;
  if (sent['truncation'] !== 'auto') throw errors.contextLengthExceeded();
  let from = 0;
  for (; from < context.length - 1 && tokens > contextWindow; from += 1) tokens -= tokensOf(context[from]);
  return context.slice(from);
}

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
