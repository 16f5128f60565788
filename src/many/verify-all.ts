import { LedgerUnavailableError } from '../errors/ledger.ts';
import type { HistoryReport } from '../runtime/verify.ts';
import { HybridSession } from '../session/hybrid-session.ts';
import { eachSession, type ManyOptions, type SessionResult } from './each-session.ts';

/** The report of one session, or the error for which there is none. */
export type VerifiedSession = SessionResult<{ readonly report: HistoryReport }>;

/**
 * Verifies every session of a ledger that has a conversation, or the given ones, a few at a time: `session.verify()` for each.
 * Writes nothing. A session that the ledger does not know has an error for a result.
 *
 * @throws InvalidOptionsError for an invalid option, or without `ids` for a ledger that does not list its sessions; the reason of
 * the signal.
 * @example
 * ```ts
 * for await (const { id, report } of verifyAll({ client: new OpenAI(), ledger }))
 *   if (report?.verified !== true) console.log(id);
 * ```
 */
export async function* verifyAll(options: ManyOptions): AsyncGenerator<VerifiedSession, void, undefined> {
  const { client, ledger } = options;
  yield* eachSession(options, async (id) => {
    // A new session is empty, and proven.
    if ((await ledger.checkpoint(id)) === undefined)
      throw new LedgerUnavailableError('not_found', `it knows no session '${id}'`);
    return { report: await sessionOf(id, { client, ledger }).verify() };
  });
}

/** A session of which nothing but its ledger is known. An ID of a conversation is an alias of its session. */
export function sessionOf(
  sessionId: string,
  { client, ledger }: Pick<ManyOptions, 'client' | 'ledger'>,
): HybridSession {
  return new HybridSession({ sessionId, client, ledger, bookmark: false, advanced: { compare: 'manual' } });
}
