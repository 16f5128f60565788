import { inputTokens } from './usage.ts';
import { canReason, reasons } from '../model/model-traits.ts';
import { CHARACTERS_PER_TOKEN, outputTokensOf, tokensOf } from '../model/tokens.ts';
import { errors } from '../wire/error-catalogue.ts';
import { frozenItem, type SimulatorItem } from '../wire/item.ts';
import { isJsonObject, type JsonObject } from '../wire/json.ts';

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

/** The items of an answer that fit into `max_output_tokens`. */
export interface LimitedOutput {
  readonly items: readonly SimulatorItem[];
  readonly isCut: boolean;
}

/** Cuts an output off at a number of tokens: the item at the cut keeps the beginning of its text, later ones are gone. */
export function limitedOutput(output: readonly SimulatorItem[], maxTokens: number): LimitedOutput {
  let left = maxTokens;
  for (const [index, item] of output.entries()) {
    const tokens = outputTokensOf(item);
    if (tokens > left) return { items: [...output.slice(0, index), ...cutItem(item, left)], isCut: true };
    left -= tokens;
  }
  return { items: output, isCut: false };
}

/** The beginning of an item, if it is one of text. */
function cutItem(item: SimulatorItem, tokens: number): SimulatorItem[] {
  const most = tokens * CHARACTERS_PER_TOKEN;
  const [part]: unknown[] = Array.isArray(item['content']) ? item['content'] : [];
  if (most <= 0) return [];
  if (isJsonObject(part) && typeof part['text'] === 'string') {
    const { logprobs } = part;
    const text = part['text'].slice(0, most);
    const kept = Array.isArray(logprobs) ? logprobs.slice(0, tokens) : logprobs;
    return [frozenItem({ ...item, status: 'incomplete', content: [{ ...part, logprobs: kept, text }] })];
  }
  const { name, arguments: args } = item;
  if (typeof name !== 'string' || typeof args !== 'string' || name.length >= most) return [];
  return [frozenItem({ ...item, status: 'incomplete', arguments: args.slice(0, most - name.length) })];
}
