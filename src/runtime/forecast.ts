import { digestOf, type LedgerState } from '../ledger/state.ts';
import { seenHistory } from '../ledger/view.ts';
import { continuable, type ContinuationFacts } from '../chaining/plan.ts';
import type { PlanReason } from '../chaining/plan-reason.ts';

/** The reasons that follow from the ledger alone, without the request. */
export type ForecastReason = Extract<
  PlanReason,
  'extends' | 'no_parent' | 'unsupported_model' | 'diverged' | 'not_stored' | 'expired' | 'parent_refused'
>;

/** The plan of mode `chain` for a turn, estimated before its first request. */
export interface Forecast {
  readonly reason: ForecastReason;
  /** The number of history items that the request omits; 0 for a replay. */
  readonly covered: number;
  /** The approximate size of the omitted items in a request, in bytes; undefined if the ledger has no sizes. */
  readonly bytes: number | undefined;
}

export interface ForecastOptions {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds. */
  readonly responseTtl: number;
  /** Whether the newest response was generated from the whole history. Used if the ledger has no record of it. */
  readonly isWhole: boolean;
}

/** Estimates the plan of mode `chain` for a turn that begins now. Pure. */
export function forecast(state: LedgerState, options: ForecastOptions): Forecast {
  const facts = { ...options, isRefused: (id: string) => state.refused.has(id) };
  // Contexts of entries before the checkpoint are unknown, except the last one.
  const { before, entries, contextAt } = seenHistory(state);
  for (let count = entries.length; count >= 0; count -= 1) {
    const parent = state.contexts
      .get(contextAt(count))
      ?.find((response) => continuable(response, facts) === undefined);
    if (parent !== undefined)
      return { reason: 'extends', covered: before + count, bytes: parent.context?.bytes };
  }
  const reason = reasonWithoutContext(state, options, facts);
  const covered = reason === 'extends' ? before + entries.length : 0;
  return { reason, covered, bytes: undefined };
}

/** Without the model boundary, the context of the newest response is unknown. */
function reasonWithoutContext(
  state: LedgerState,
  options: ForecastOptions,
  facts: ContinuationFacts,
): ForecastReason {
  const newest = state.responses.at(-1);
  if (newest === undefined) return 'no_parent';
  // Chat Completions use other IDs, and cannot be continued.
  if (newest.context === undefined && !newest.id.startsWith('resp_')) return 'unsupported_model';
  const refusal = continuable(newest, facts);
  if (refusal !== undefined) return refusal;
  const isServedWhole = newest.context === undefined && (newest.seen?.whole ?? options.isWhole);
  // The response has another context than a compaction that came after it.
  const isCompacted = state.views.some(({ items, from }) => items.length > 0 && from >= newest.nextSeq);
  return isServedWhole && !isCompacted && newest.history === digestOf(state) ? 'extends' : 'diverged';
}
