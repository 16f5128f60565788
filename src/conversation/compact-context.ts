import type OpenAI from 'openai';
import { InvalidResponseError } from '../errors/session.ts';
import { isObject } from '../util/json.ts';
import { apiItems, type ApiItem } from './items.ts';
import { sendRequest } from './request.ts';

/** Milliseconds for a compaction: the model reads the whole context and writes a summary. */
const DEADLINE_MS = 10 * 60 * 1000;

const OPERATION = 'responses.compact';

/** The context to compact: that of a stored response, or these items. */
export type CompactedContext =
  | { readonly previous_response_id: string }
  | { readonly input: OpenAI.Responses.ResponseInputItem[] };

/** The answer to a compaction. */
export interface Compaction {
  /** The items in place of the context, oldest first: the messages that the API keeps, and the compaction as the last. */
  readonly items: readonly ApiItem[];
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number };
}

/**
 * Asks the API to compact a context. Its response cannot be continued: the next request sends the items.
 *
 * @throws InvalidResponseError if the answer has no compaction at its end, or the client's error.
 */
export async function compactContext(
  client: OpenAI,
  model: string,
  context: CompactedContext,
): Promise<Compaction> {
  const answer: unknown = await sendRequest(
    client,
    OPERATION,
    (how) => client.responses.compact({ model, ...context }, how),
    { deadline: DEADLINE_MS },
  );
  const { output, usage } = isObject(answer) ? answer : {};
  const items = apiItems(OPERATION, output);
  if (items.at(-1)?.type !== 'compaction')
    throw new InvalidResponseError(OPERATION, 'it does not end with a compaction');
  const count = (name: string): number => {
    const value = isObject(usage) ? usage[name] : undefined;
    return typeof value === 'number' ? value : 0;
  };
  return { items, usage: { input_tokens: count('input_tokens'), output_tokens: count('output_tokens') } };
}

/** @returns the tokens of a context; undefined if the server does not count them. */
export async function countTokens(
  client: OpenAI,
  model: string,
  context: CompactedContext,
): Promise<number | undefined> {
  const answer: unknown = await sendRequest(client, 'responses.inputTokens', (how) =>
    client.responses.inputTokens.count({ model, ...context }, how),
  ).catch(() => undefined);
  const { input_tokens: tokens } = isObject(answer) ? answer : {};
  return typeof tokens === 'number' ? tokens : undefined;
}
