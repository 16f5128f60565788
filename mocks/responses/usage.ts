import { outputTokensOf, tokensOf } from '../model/tokens.ts';
import type { SimulatorItem } from '../wire/item.ts';
import type { JsonObject } from '../wire/json.ts';

/** The tokens a request puts before the model: its whole context, the instructions and the tools. */
export function inputTokens(context: readonly SimulatorItem[], request: JsonObject): number {
  let tokens = tokensOf(request['instructions']) + tokensOf(request['tools']);
  for (const item of context) tokens += tokensOf(item);
  return tokens;
}

/**
 * The `usage` of a response: earlier turns are billed again, however they came into the context.
 * @param passes the contexts that the model read: one, and a second after a compaction.
 */
export function usageOf(
  passes: readonly (readonly SimulatorItem[])[],
  request: JsonObject,
  output: readonly SimulatorItem[],
  cachedTokens: number,
): JsonObject {
  let input = 0;
  for (const context of passes) input += inputTokens(context, request);
  let written = 0;
  let reasoned = 0;
  for (const item of output) {
    written += outputTokensOf(item);
    if (item.type === 'reasoning') reasoned += outputTokensOf(item);
  }
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: Math.min(cachedTokens, input), cache_write_tokens: 0 },
    output_tokens: written,
    output_tokens_details: { reasoning_tokens: reasoned },
    total_tokens: input + written,
  };
}
