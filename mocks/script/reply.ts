import { errorFacts, type StatusError } from '../faults/status-error.ts';
import type { ModelAnswer, Respond } from '../model/answer.ts';
import { checkReply, isStatusError } from './check-reply.ts';
import type { AskedModel } from './request-match.ts';
import { ScriptedError } from './scripted-error.ts';

/**
 * A reply of a script: a text; an answer with text, JSON, tool calls, a refusal or a pace; an error with its HTTP status;
 * or a function of the context and the request, whose `undefined` leaves the answer to the built-in model.
 */
export type Reply = string | ModelAnswer | StatusError | Respond;

/**
 * Gives a reply.
 * @throws ScriptedError if it is an error. RangeError if a function answered with a reply that makes no sense.
 */
export async function answerWith(
  reply: Reply,
  { context, request }: AskedModel,
): Promise<string | ModelAnswer | undefined> {
  if (typeof reply !== 'function') return answerOrError(reply);
  const given = await reply(context, request);
  if (given === undefined) return undefined;
  checkReply(given);
  return answerOrError(given);
}

function answerOrError(given: string | ModelAnswer | StatusError): string | ModelAnswer {
  if (typeof given === 'object' && isStatusError(given)) throw new ScriptedError(errorFacts(given));
  return given;
}
