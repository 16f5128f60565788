import { findContinued, resolveContext, threadFor } from './input-context.ts';
import { fitContext } from './model-limits.ts';
import { parseInputRequest } from './response-request.ts';
import { usageOf } from './usage.ts';
import { json, type Answer, type Exchange } from '../http/exchange.ts';
import { isFrom } from '../model/model-traits.ts';
import { compactionOf } from '../model/summary.ts';
import { parseKnownFields } from '../requests/known-fields.ts';
import { errors } from '../wire/error-catalogue.ts';
import { isAssistantMessage, isUserMessage, type SimulatorItem } from '../wire/item.ts';

/**
 * `POST /responses/compact`: the messages that the model preserves, with the IDs they have, and one compaction item for
 * everything. Nothing is stored: the result's ID cannot be continued. A context that does not fit into the window is
 * refused.
 */
export function compactResponse(exchange: Exchange): Answer {
  const { world, account, body } = exchange;
  if (typeof body['model'] !== 'string') throw errors.missingParameter('model');
  const request = parseKnownFields(body, world.settings, (sent) =>
    parseInputRequest(sent, 'responses.compact'),
  );
  const continued = findContinued(world, account, undefined, request.previousResponseId);
  const thread = threadFor(world, continued, request.input);
  const mint = (prefix: string): string => world.ids.inThread(prefix, thread, false);
  const { context } = resolveContext(world, account, continued, request.input, mint);
  if (context.length === 0) throw errors.nothingToAnswer();
  exchange.sawContext(request.model, context);
  fitContext(context, body, world.settings.contextWindow);
  const compaction = compactionOf(context, { origin: 'endpoint', kept: 0 }, mint);
  return json({
    id: mint('resp'),
    object: 'response.compaction',
    created_at: world.clock.seconds(),
    output: [...context.filter(preservedBy(request.model)), compaction],
    usage: usageOf([context], body, [compaction], 0),
  });
}

/** Models before gpt-5.4 preserve user messages; later ones assistant messages, too. */
function preservedBy(model: string): (item: SimulatorItem) => boolean {
  const keepsAnswers = isFrom(model, 5, 4);
  return (item) => isUserMessage(item) || (keepsAnswers && isAssistantMessage(item));
}
