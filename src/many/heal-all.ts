import { diagnose } from '../doctor/diagnose.ts';
import type { Diagnosis, Verdict } from '../doctor/diagnosis.ts';
import type { Healed, HealPlan } from '../heal/healed.ts';
import { eachSession, type ManyOptions, type SessionResult } from './each-session.ts';
import { sessionOf } from './verify-all.ts';

/** Options of `healAll()`. */
export interface HealAllOptions extends ManyOptions {
  /**
   * Plans the heals without a write to the API or the ledger.
   *
   * @default false
   */
  readonly dryRun?: boolean | undefined;
}

/** The result of one session. */
export interface HealOutcome {
  /** The verdict before the heal. */
  readonly verdict: Verdict;
  /**
   * Undefined for a session that was not healed: it is whole, its history is not fully known, or its list was only behind, and the
   * pending changes were written.
   */
  readonly healed: Healed | HealPlan | undefined;
}

/** The result of one session, or the error for which it was not healed. It keeps its conversation then. */
export type HealedSession = SessionResult<HealOutcome>;

/**
 * Diagnoses every session of a ledger that has a conversation, or the given ones, and heals the damaged ones, a few at a time.
 *
 * A session is healed only if every known item of it can be restored (verdict `repairable`). A list that is only behind is brought
 * up to date, and keeps its conversation. After an interruption the same call
 * goes on: a healed session is whole.
 *
 * @throws InvalidOptionsError for an invalid option, or without `ids` for a ledger that does not list its sessions; the reason of
 * the signal.
 * @example
 * ```ts
 * for await (const one of healAll({ client: new OpenAI(), ledger, dryRun: true })) console.log(one.id, one.error ?? one.healed);
 * ```
 */
export async function* healAll(options: HealAllOptions): AsyncGenerator<HealedSession, void, undefined> {
  const { client, ledger, signal, dryRun = false } = options;
  const heal = async (id: string): Promise<HealOutcome> => {
    const diagnosis = await diagnose({ client, conversationId: id, ledger, signal });
    const { verdict } = diagnosis;
    if (verdict !== 'repairable') return { verdict, healed: undefined };
    const session = sessionOf(id, { client, ledger });
    if (isBehind(diagnosis)) {
      if (!dryRun) await session.flush();
      return { verdict, healed: undefined };
    }
    const healed = await (dryRun ? session.heal({ dryRun: true }) : session.heal({ signal }));
    return { verdict, healed };
  };
  yield* eachSession(options, heal);
}

/** Whether the list lacks nothing but pending changes. */
function isBehind({ findings, listed, timeline }: Diagnosis): boolean {
  return listed !== null && findings.length === 0 && timeline.every(({ status }) => status !== 'lost');
}
