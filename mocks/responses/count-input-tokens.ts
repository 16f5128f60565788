import { findContinued, resolveContext, threadFor } from './input-context.ts';
import { fitContext } from './model-limits.ts';
import { parseInputRequest } from './response-request.ts';
import { inputTokens } from './usage.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { parseKnownFields } from '../requests/known-fields.ts';

/**
 * `POST /responses/input_tokens`: counts the billed tokens of a response, without making one. With `truncation: 'auto'`
 * it counts the items that a response would keep.
 */
export function countInputTokens(exchange: Exchange): Answer {
  const { world, account, body } = exchange;
  const request = parseKnownFields(body, world.settings, (sent) =>
    parseInputRequest(sent, 'responses.inputTokens.count'),
  );
  const continued = findContinued(world, account, request.conversationId, request.previousResponseId);
  const thread = threadFor(world, continued, request.input);
  const mint = (prefix: string): string => world.ids.inThread(prefix, thread, false);
  const { context } = resolveContext(world, account, continued, request.input, mint);
  const kept =
    body['truncation'] === 'auto' ? fitContext(context, body, world.settings.contextWindow) : context;
  return json({ object: 'response.input_tokens', input_tokens: inputTokens(kept, body) });
}
