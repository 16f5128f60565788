import { baseDigest, digestOf, type LedgerState, type RecordedResponse } from '../ledger/ledger-state.ts';
import { beginningOf, type PlanReason } from '../model/plan.ts';

/** Why a turn's first request could be chained or not, as far as the ledger knows. */
export type ForecastReason = Extract<
  PlanReason,
  'extends' | 'no-parent' | 'unsupported-model' | 'diverged' | 'not-stored' | 'expired' | 'parent-refused'
>;

/** What mode `chain` would make of a turn. */
export interface Forecast {
  readonly reason: ForecastReason;
  /** How many items of the history would not be sent; 0 for a replay. */
  readonly covered: number;
  /** About what these take in a request, in bytes; undefined where the ledger does not know. */
  readonly bytes: number | undefined;
}

/** What a forecast goes by. */
export interface ForecastOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly responseTtl: number;
  /** Whether the model saw the whole history when it gave the newest response, where the ledger does not know. */
  readonly isWhole: boolean;
}

/** What mode `chain` would make of a turn that begins now. Pure. */
export function forecast(state: LedgerState, options: ForecastOptions): Forecast {
  const isUsable = (response: RecordedResponse): boolean =>
    obstacleTo(response, state, options) === undefined;
  // Of what lies before the entries only the end is known.
  const beginning = state.base?.length ?? 0;
  for (let count = state.entries.length; count >= 0; count -= 1) {
    const context = count === 0 ? baseDigest(state) : (state.entries[count - 1]?.context ?? '');
    const parent = state.contexts.get(context)?.find((response) => isUsable(response));
    if (parent !== undefined)
      return { reason: 'extends', covered: beginning + count, bytes: parent.context?.bytes };
  }
  const reason = reasonWithoutContext(state, options);
  const covered = reason === 'extends' ? beginning + state.entries.length : 0;
  return { reason, covered, bytes: undefined };
}

/** Without the model boundary nobody saw which context the newest response ends. */
function reasonWithoutContext(state: LedgerState, options: ForecastOptions): ForecastReason {
  const newest = state.responses.at(-1);
  if (newest === undefined) return 'no-parent';
  // Chat Completions have IDs of their own, from which nothing can be continued.
  if (newest.context === undefined && !newest.id.startsWith('resp_')) return 'unsupported-model';
  const obstacle = obstacleTo(newest, state, options);
  if (obstacle !== undefined) return obstacle;
  const isWhole = newest.context === undefined && (newest.seen?.whole ?? options.isWhole);
  return isWhole && newest.history === digestOf(state) ? 'extends' : 'diverged';
}

function obstacleTo(
  response: RecordedResponse,
  { refused }: LedgerState,
  { now, responseTtl }: ForecastOptions,
): 'not-stored' | 'expired' | 'parent-refused' | undefined {
  if (!response.store) return 'not-stored';
  if (now - beginningOf(response) > responseTtl) return 'expired';
  return refused.has(response.id) ? 'parent-refused' : undefined;
}
