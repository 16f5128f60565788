import type { Model, ModelRequest } from '@openai/agents';
import { chainedModel } from '../../src/chaining/chained-model.ts';
import { withPort } from '../../src/chaining/attribution.ts';
import type { KnownPort } from './known-port.ts';

/** A request of the runner for a text, without tools. */
export function modelRequest(input: ModelRequest['input'], fields: Partial<ModelRequest> = {}): ModelRequest {
  return {
    input,
    modelSettings: {},
    tools: [],
    outputType: 'text',
    handoffs: [],
    tracing: false,
    ...fields,
  };
}

/** The events of a chained stream, and the error that ends it. */
export async function readChained(
  port: KnownPort | undefined,
  model: Model,
  request: ModelRequest,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  await withPort(port, async () => {
    try {
      for await (const event of chainedModel(model).getStreamedResponse(request)) seen.push(event);
    } catch (error) {
      seen.push(error);
    }
  });
  return seen;
}
