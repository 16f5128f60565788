import type { ItemSource } from '../history/restore.ts';
import type { PlanReason } from '../model/plan.ts';
import type { HybridSessionEvent } from './session-event.ts';

/** How many turns were looked at, and what their conversations had lost. */
export interface LossStats {
  /** Turns with a recorded response; none in mode `off`. */
  readonly turns: number;
  /** Turns at which the list was compared with the ledger. */
  readonly checkedTurns: number;
  /** Turns whose list lacked items. */
  readonly turnsWithLoss: number;
  /** Items that the lists lost, each counted once as long as the ledger keeps its records. */
  readonly lostItems: number;
  /** `turnsWithLoss` of `checkedTurns`, from 0 to 1; null when no turn was checked. */
  readonly lossRate: number | null;
}

/** How requests to the model were planned, or would have been. */
export interface PlanStats {
  readonly chained: number;
  readonly replayed: number;
  /** Why, for both together. */
  readonly reasons: { readonly [reason in PlanReason]?: number };
  /** Items that were not sent because the parent has them. */
  readonly savedItems: number;
  /** What these take as JSON, in bytes. */
  readonly savedBytes: number;
  /** `chained` of all, from 0 to 1; null when there were none. */
  readonly chainRate: number | null;
}

/** Events that are only counted. */
type CountedEvent = Exclude<HybridSessionEvent['type'], 'turn' | 'planned' | 'lost' | 'restored'>;

/** What one session did, or many together. Plain JSON: counts and rates, no content, no IDs. */
export interface SessionStats extends LossStats {
  /** The same for each model; `unknown` where the model boundary is not in use. */
  readonly models: Readonly<Record<string, LossStats>>;
  /** Requests to the model, where the model boundary is in use. */
  readonly requests: PlanStats;
  /**
   * What mode `chain` would have made of turns in other modes: of their requests, or, where there is no model boundary, of
   * the turns as the ledger knows them.
   */
  readonly would: PlanStats;
  /** Reads that brought back what the list had lost. */
  readonly restored: {
    readonly reads: number;
    readonly items: number;
    readonly sources: { readonly [source in ItemSource]?: number };
  };
  /** How often each other event came. */
  readonly events: { readonly [type in CountedEvent]?: number };
}

const NO_LOSS: LossStats = { turns: 0, checkedTurns: 0, turnsWithLoss: 0, lostItems: 0, lossRate: null };
const NO_PLANS: PlanStats = {
  chained: 0,
  replayed: 0,
  reasons: {},
  savedItems: 0,
  savedBytes: 0,
  chainRate: null,
};

/** The statistics of nothing. */
export const NO_STATS: SessionStats = {
  ...NO_LOSS,
  models: {},
  requests: NO_PLANS,
  would: NO_PLANS,
  restored: { reads: 0, items: 0, sources: {} },
  events: {},
};

/** Adds up the statistics of sessions, of processes or of days. Pure. */
export function mergeStats(...stats: readonly SessionStats[]): SessionStats {
  return stats.reduce((a, b) => added(a, b), NO_STATS);
}

/** The statistics after one more event. Pure. */
export function countEvent(stats: SessionStats, event: HybridSessionEvent): SessionStats {
  return added(stats, statsOf(event));
}

function statsOf(event: HybridSessionEvent): SessionStats {
  switch (event.type) {
    case 'turn': {
      const loss = lossOf(event);
      const { chain } = event;
      const isGuess = chain.basis === 'forecast' && event.mode !== 'chain';
      const would = isGuess
        ? plansOf(chain.possible ? 'chain' : 'replay', chain.reason, 0, chain.savedBytes)
        : NO_PLANS;
      return { ...NO_STATS, ...loss, models: { [event.model ?? 'unknown']: loss }, would };
    }
    case 'planned': {
      const { plan, reason, sent, context, savedBytes, would } = event;
      return {
        ...NO_STATS,
        requests: plansOf(plan, reason, context - sent, savedBytes),
        would:
          would === undefined
            ? NO_PLANS
            : plansOf(would.plan, would.reason, context - would.sent, would.savedBytes),
      };
    }
    case 'restored':
      return { ...NO_STATS, restored: { reads: 1, items: event.count, sources: event.sources } };
    case 'lost':
      return NO_STATS;
    default:
      return { ...NO_STATS, events: { [event.type]: 1 } };
  }
}

function lossOf({ lost, newlyLost }: Extract<HybridSessionEvent, { type: 'turn' }>): LossStats {
  const isChecked = lost !== undefined;
  return {
    turns: 1,
    checkedTurns: isChecked ? 1 : 0,
    turnsWithLoss: isChecked && lost > 0 ? 1 : 0,
    lostItems: newlyLost ?? 0,
    lossRate: null,
  };
}

function plansOf(
  plan: 'chain' | 'replay',
  reason: PlanReason,
  savedItems: number,
  savedBytes: number,
): PlanStats {
  const isChained = plan === 'chain';
  return {
    chained: isChained ? 1 : 0,
    replayed: isChained ? 0 : 1,
    reasons: { [reason]: 1 },
    savedItems: isChained ? savedItems : 0,
    savedBytes: isChained ? savedBytes : 0,
    chainRate: null,
  };
}

function added(a: SessionStats, b: SessionStats): SessionStats {
  const names = [...new Set([...Object.keys(a.models), ...Object.keys(b.models)])];
  return {
    ...addedLoss(a, b),
    models: Object.fromEntries(
      names.map((name) => [name, addedLoss(own(a.models, name) ?? NO_LOSS, own(b.models, name) ?? NO_LOSS)]),
    ),
    requests: addedPlans(a.requests, b.requests),
    would: addedPlans(a.would, b.would),
    restored: {
      reads: a.restored.reads + b.restored.reads,
      items: a.restored.items + b.restored.items,
      sources: addedCounts(a.restored.sources, b.restored.sources),
    },
    events: addedCounts(a.events, b.events),
  };
}

function addedLoss(a: LossStats, b: LossStats): LossStats {
  const checkedTurns = a.checkedTurns + b.checkedTurns;
  const turnsWithLoss = a.turnsWithLoss + b.turnsWithLoss;
  return {
    turns: a.turns + b.turns,
    checkedTurns,
    turnsWithLoss,
    lostItems: a.lostItems + b.lostItems,
    lossRate: checkedTurns === 0 ? null : turnsWithLoss / checkedTurns,
  };
}

function addedPlans(a: PlanStats, b: PlanStats): PlanStats {
  const chained = a.chained + b.chained;
  const replayed = a.replayed + b.replayed;
  return {
    chained,
    replayed,
    reasons: addedCounts(a.reasons, b.reasons),
    savedItems: a.savedItems + b.savedItems,
    savedBytes: a.savedBytes + b.savedBytes,
    chainRate: chained + replayed === 0 ? null : chained / (chained + replayed),
  };
}

type Counts<Name extends string> = { readonly [name in Name]?: number };

function addedCounts<Name extends string>(a: Counts<Name>, b: Counts<Name>): Counts<Name> {
  const sum: { [name in Name]?: number } = { ...a };
  for (const name of keysOf(b)) sum[name] = (sum[name] ?? 0) + (b[name] ?? 0);
  return sum;
}

function keysOf<Name extends string>(counts: Counts<Name>): Name[] {
  return Object.keys(counts) as Name[];
}

/** A model may be called `constructor`. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
