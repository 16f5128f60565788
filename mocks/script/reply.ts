import { errorFacts, STATUS_ERROR_FIELDS, type StatusError } from '../faults/status-error.ts';
import { refuseUnknown } from '../known-names.ts';
import type { ModelAnswer, Respond } from '../model/answer.ts';
import { paceProblem } from './pace.ts';
import type { AskedModel } from './request-match.ts';
import { ScriptedError } from './scripted-error.ts';

/**
 * A reply of a script: a text; an answer with text, JSON, tool calls, a refusal or a pace; an error with its HTTP status;
 * or a function of the context and the request, whose `undefined` leaves the answer to the built-in model.
 */
export type Reply = string | ModelAnswer | StatusError | Respond;

const ANSWER_FIELDS = Object.keys({
  text: true,
  json: true,
  calls: true,
  refusal: true,
  reasoning: true,
  items: true,
  incomplete: true,
  failed: true,
  pace: true,
} satisfies Record<keyof ModelAnswer, true>);

/** @throws RangeError for an unknown field, of which it names the right ones, or a pace that makes no sense. */
export function checkReply(reply: Reply): void {
  if (typeof reply === 'string' || typeof reply === 'function') return;
  const isError = isStatusError(reply);
  refuseUnknown('Cannot script a reply: it', reply, isError ? STATUS_ERROR_FIELDS : ANSWER_FIELDS);
  const problem = isError ? undefined : paceProblem(reply.pace ?? {});
  if (problem !== undefined) throw new RangeError(`Cannot script a reply: ${problem}`);
}

/**
 * Gives a reply.
 * @throws ScriptedError if it is an error.
 */
export async function answerWith(
  reply: Reply,
  { context, request }: AskedModel,
): Promise<string | ModelAnswer | undefined> {
  const given = typeof reply === 'function' ? await reply(context, request) : reply;
  if (typeof given === 'object' && isStatusError(given)) throw new ScriptedError(errorFacts(given));
  return given;
}

function isStatusError(reply: ModelAnswer | StatusError): reply is StatusError {
  return 'status' in reply;
}
