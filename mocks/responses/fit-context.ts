import { inputTokens } from './usage.ts';
import { tokensOf } from '../model/tokens.ts';
import { errors } from '../wire/error-catalogue.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json-object.ts';

/**
 * What of a context fits into the model: all of it or, with `truncation: 'auto'`, without its oldest items.
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
