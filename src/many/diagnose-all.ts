import { diagnose, type DiagnoseOptions } from '../doctor/diagnose.ts';
import type { Diagnosis } from '../doctor/diagnosis.ts';
import { eachSession, type ManyOptions, type SessionResult } from './each-session.ts';

/** Options of `diagnoseAll()`. */
export interface DiagnoseAllOptions extends Omit<ManyOptions, 'ledger'>, Pick<DiagnoseOptions, 'content'> {
  /** The ledger of the sessions. It is only read. Without one, `ids` names conversations. */
  readonly ledger?: ManyOptions['ledger'] | undefined;
}

/** The diagnosis of one session, or the error for which there is none. */
export type DiagnosedSession = SessionResult<{ readonly diagnosis: Diagnosis }>;

/**
 * Diagnoses every session of a ledger that has a conversation, or the given ones, a few at a time. Only reads.
 *
 * Results come in the order in which they are ready, and none is kept: the memory does not grow with the number of sessions. An
 * error of one session is its result. When the API limits the rate, all of them wait.
 *
 * @throws InvalidOptionsError for an invalid option, or without `ids` for a ledger that does not list its sessions; the reason of
 * the signal.
 * @example
 * ```ts
 * for await (const { id, diagnosis } of diagnoseAll({ client: new OpenAI(), ledger }))
 *   if (diagnosis?.verdict !== 'whole') console.log(id, diagnosis?.verdict);
 * ```
 */
export async function* diagnoseAll(
  options: DiagnoseAllOptions,
): AsyncGenerator<DiagnosedSession, void, undefined> {
  const { client, ledger, content, signal } = options;
  yield* eachSession(options, async (id) => ({
    diagnosis: await diagnose({ client, conversationId: id, ledger, content, signal }),
  }));
}
