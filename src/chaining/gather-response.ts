import { Usage, type Model, type ModelResponse } from '@openai/agents';
import { isObject } from '../util/json.ts';

/** An event of a model's stream. */
export type StreamEvent =
  ReturnType<Model['getStreamedResponse']> extends AsyncIterable<infer Event> ? Event : never;

/** A stream ended without a response; the server may not support streaming. */
export class StreamEnded extends Error {
  constructor() {
    super('The stream of the response ended before its last event');
  }
}

/**
 * Reads a stream to its end and returns the response, as `getResponse` would.
 *
 * @param failures receives the events with the cause of a failure, because the stream's exception lacks it.
 * @throws StreamEnded if the stream ends without a response, and exceptions of the stream.
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
  if (done === undefined) throw new StreamEnded();
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
