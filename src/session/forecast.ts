import { digestOf, type LedgerState } from '../ledger/ledger-state.ts';
import type { PlanReason } from '../model/plan.ts';

/** Why a turn's first request could be chained or not, as far as the ledger knows. */
export type ForecastReason = Extract<
  PlanReason,
  'extends' | 'no-parent' | 'diverged' | 'not-stored' | 'expired' | 'parent-refused'
>;

/**
 * What mode `chain` would make of a turn that begins now. Pure.
 *
 * @param isWhole whether the model saw the whole history when it gave the newest response.
 */
export function forecast(
  state: LedgerState,
  { now, responseTtl, isWhole }: { now: number; responseTtl: number; isWhole: boolean },
): ForecastReason {
  const newest = state.responses.at(-1);
  if (newest === undefined) return 'no-parent';
  if (!newest.store) return 'not-stored';
  if (now - newest.time > responseTtl) return 'expired';
  if (state.refused.has(newest.id)) return 'parent-refused';
  return isWhole && newest.history === digestOf(state) ? 'extends' : 'diverged';
}
