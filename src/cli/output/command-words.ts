import { isObject, textOf, type JsonObject } from '../../util/json.ts';

/** A failure in the words of the commands, and the command to type instead. */
export interface CommandWords {
  readonly problem: string;
  readonly hint: string;
}

const ID = 'conv_...';

/** The library's errors whose messages name options of code, by their codes. */
const WORDS: Readonly<Record<string, (error: JsonObject, program: string) => CommandWords>> = {
  conversation_not_found: ({ conversationId }, program) => ({
    problem: `There is no conversation '${textOf(conversationId)}' for the key in OPENAI_API_KEY`,
    hint: `${program} ${ID} (with the ID as in your database, and a key of its project)`,
  }),
  conversations_unavailable: ({ status }, program) => ({
    problem: `The server has no conversations (${numberOf(status)})`,
    hint: `${program} ${ID} --base-url https://api.openai.com/v1`,
  }),
  conversation_owned: ({ conversationId, sessionId }, program) => ({
    problem: `The conversation '${textOf(conversationId)}' belongs to another session than '${textOf(sessionId)}'`,
    hint: `${program} ${textOf(sessionId)}`,
  }),
  history_incomplete: ({ sessionId, missing }, program) => ({
    problem: `${Array.isArray(missing) ? missing.length : 'Some'} item(s) of '${textOf(sessionId)}' have no source`,
    hint: `${program} ${textOf(sessionId)} --response resp_... (with more of its responses)`,
  }),
  import_refused: ({ sessionId }, program) => ({
    problem: `The session '${textOf(sessionId)}' has items already`,
    hint: `${program} FILE --append (behind them), or with another --session`,
  }),
  heal_failed: ({ reason, sessionId, conversationId, pending, failure }, program) => {
    const to = `'${textOf(conversationId)}'`;
    const problems: Readonly<Record<string, string>> = {
      unread: 'The metadata of the conversation could not be read; nothing was written',
      unwritten: `${numberOf(pending)} change(s) are not in ${to} yet${textOf(failure) && `, ${textOf(failure)}`}; nothing is lost`,
      unverified: `The list of ${to} does not show all written items yet; nothing is lost`,
      stopped: 'It was stopped; nothing is lost',
    };
    const problem = Object.hasOwn(problems, textOf(reason)) ? problems[textOf(reason)] : undefined;
    const nothing = `The session '${textOf(sessionId)}' has no conversation: there is nothing to heal`;
    return { problem: problem ?? nothing, hint: `${program} ${textOf(sessionId)} (again)` };
  },
  mirror_incomplete: ({ conversationId, pending }, program) => ({
    problem: `${numberOf(pending)} change(s) are not in '${textOf(conversationId)}' yet; nothing is lost`,
    hint: `${program} ${ID} (the same again, in a while)`,
  }),
  ledger_unreadable: ({ reason, message, sessionId }) =>
    ['unknown_key', 'not_authentic', 'rolled_back'].includes(textOf(reason))
      ? {
          problem: `The ledger of '${textOf(sessionId)}' is encrypted, and commands have no key`,
          hint: `agents-hybrid-session doctor ${ID} --response resp_... (without the ledger)`,
        }
      : {
          problem: textOf(message),
          hint: `agents-hybrid-session inspect ${textOf(sessionId)} --ledger ... (shows the damaged records)`,
        },
};

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** The words of a command for an error of the library; undefined for an error that needs none. */
export function commandWords(error: unknown, program: string): CommandWords | undefined {
  if (!(error instanceof Error) || !isObject(error)) return undefined;
  const code: unknown = error['code'];
  const words = typeof code === 'string' && Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  return words?.(error, program);
}
