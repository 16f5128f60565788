import * as agents from '@openai/agents';
import OpenAI from 'openai';

/**
 * The client that the SDK itself would use.
 *
 * Newer SDKs export it; from older ones it is taken out of a model of the default provider, which holds it.
 */
export async function defaultClient(): Promise<OpenAI> {
  const exported: unknown = Reflect.get(agents, 'getDefaultOpenAIClient');
  const client: unknown = typeof exported === 'function' ? exported() : undefined;
  if (isClient(client)) return client;
  const model = await new agents.OpenAIProvider({ useResponses: true }).getModel('gpt-4.1');
  const held: unknown = Reflect.get(model, '_client');
  return isClient(held) ? held : new OpenAI();
}

function isClient(value: unknown): value is OpenAI {
  return typeof value === 'object' && value !== null && 'conversations' in value;
}
