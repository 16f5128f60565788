import type { AgentInputItem, SessionHistoryRewriteArgs } from '@openai/agents';
import { InvalidItemError } from '../errors/invalid-item-error.ts';
import { parseAgentItems } from '../ledger/agent-item.ts';
import { isObject } from '../ledger/json.ts';

/** What takes the place of the function calls of each call ID. */
export type Replacements = ReadonlyMap<string, AgentInputItem>;

/** The last mutation of a call ID counts. @throws InvalidItemError for what is not a replacement of a function call. */
export function parseMutations(args: SessionHistoryRewriteArgs): Replacements {
  const given: unknown = isObject(args) ? args['mutations'] : undefined;
  if (!Array.isArray(given)) throw new InvalidItemError(0, 'expected an array of mutations');
  const mutations: unknown[] = given;
  const replacements = parseAgentItems(
    mutations.map((mutation) => (isObject(mutation) ? mutation['replacement'] : undefined)),
  );
  return new Map(
    mutations.map((mutation, index) => {
      const replacement = replacements[index];
      const callId = isObject(mutation) ? mutation['callId'] : undefined;
      if (!isObject(mutation) || mutation['type'] !== 'replace_function_call' || typeof callId !== 'string')
        throw new InvalidItemError(
          index,
          "expected a mutation of type 'replace_function_call' with a callId",
        );
      if (replacement?.type !== 'function_call')
        throw new InvalidItemError(index, 'a function call can only be replaced by a function call');
      return [callId, replacement];
    }),
  );
}
