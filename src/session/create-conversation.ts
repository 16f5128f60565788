import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/invalid-response-error.ts';
import { believed } from '../history/believed.ts';
import { isObject } from '../ledger/json.ts';

/** Creates an empty conversation. @returns its ID. @throws InvalidResponseError, or the client's own errors. */
export async function createConversation(
  client: OpenAI,
  metadata?: Readonly<Record<string, string>>,
): Promise<string> {
  const created: unknown = await believed('conversations.create', async () =>
    client.conversations.create({ items: [], ...(metadata === undefined ? {} : { metadata }) }),
  );
  const id = isObject(created) ? created['id'] : undefined;
  if (typeof id !== 'string' || id === '')
    throw new InvalidResponseError('conversations.create', 'it holds no conversation ID');
  return id;
}
