import { inputTokens } from './usage.ts';
import type { ModelAnswer } from '../model/answer.ts';
import { canReason, reasons } from '../model/model-traits.ts';
import { tokensOf, tokensOfText } from '../model/tokens.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

/** How many characters a token has when a text is cut. */
const CHARACTERS_PER_TOKEN = 4;

/** The share of the window from which on a context is compacted if the request names no threshold. */
const DEFAULT_THRESHOLD = 0.8;

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
  if (asksEffort && !canReason(model)) throw errors.unsupportedParameter('reasoning.effort');
}

/** Tells whether a context fits into the model's window, or may be cut to fit. */
function fits(tokens: number, sent: JsonObject, contextWindow: number): boolean {
  return tokens <= contextWindow || sent['truncation'] === 'auto';
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
  if (!fits(tokens, sent, contextWindow)) throw errors.contextLengthExceeded();
  let from = 0;
  for (; from < context.length - 1 && tokens > contextWindow; from += 1) tokens -= tokensOf(context[from]);
  return context.slice(from);
}

/**
 * Tells whether a context is compacted before the answer: its tokens reach the threshold of the request. A context that
 * does not fit into the window is refused instead.
 */
export function reachesThreshold(
  context: readonly SimulatorItem[],
  sent: JsonObject,
  contextWindow: number,
): boolean {
  const { context_management: entries } = sent;
  if (!Array.isArray(entries) || context.length === 0) return false;
  const tokens = inputTokens(context, sent);
  const thresholds = entries.map((entry: unknown) => {
    const asked = isJsonObject(entry) ? entry['compact_threshold'] : undefined;
    return typeof asked === 'number' ? asked : contextWindow * DEFAULT_THRESHOLD;
  });
  return fits(tokens, sent, contextWindow) && tokens >= Math.min(...thresholds);
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
