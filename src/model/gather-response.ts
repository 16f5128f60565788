import { Usage, type Model, type ModelResponse } from '@openai/agents';
import { isObject } from '../ledger/json.ts';

/** An event of a model's stream. */
export type StreamEvent =
  ReturnType<Model['getStreamedResponse']> extends AsyncIterable<infer Event> ? Event : never;

/**
 * The whole response that a stream tells, as the model would have returned it.
 *
 * @param failures receives the events that say why a stream fails: what it throws then does not.
 * @throws what the stream throws, or an Error when it ends without a response.
 */
export async function gatherResponse(
  events: AsyncIterable<StreamEvent>,
  failures: StreamEvent[],
): Promise<ModelResponse> {
  let done: Extract<StreamEvent, { type: 'response_done' }>['response'] | undefined;
  let body: unknown;
  for await (const event of events) {
    if (event.type === 'response_done') done = event.response;
    if (event.type !== 'model') continue;
    const raw: unknown = event.event;
    const type = isObject(raw) ? raw['type'] : undefined;
    if (isObject(raw) && type === 'response.completed') body = raw['response'];
    else if (type === 'error' || type === 'response.failed') failures.push(event);
  }
  if (done === undefined) throw new Error('The stream of the response ended before its last event');
  const { id, requestId, usage, output, rawUsage, providerData } = done;
  return {
    usage: new Usage(usage as ConstructorParameters<typeof Usage>[0]),
    output,
    responseId: id,
    ...(requestId === undefined ? {} : { requestId }),
    ...(rawUsage === undefined ? {} : { rawUsage }),
    providerData: isObject(body) ? body : (providerData ?? {}),
  };
}
