import type { ObservedOperation, OperationFacts, OperationName, SessionObserver } from './observer.ts';
import type { SessionStats, LossStats, PlanStats } from './stats.ts';
import { type HybridSessionEvent, countedAs } from './events.ts';

/** Counts the events of many sessions; pass it to each of them in `observers`. */
export interface StatsCollector extends SessionObserver {
  readonly event: (event: HybridSessionEvent) => void;
  readonly begin: (name: OperationName) => ObservedOperation | undefined;
  /** Adds other statistics, such as those of another process or another day. */
  readonly add: (stats: SessionStats) => void;
  /** @returns the statistics so far, as a copy in plain JSON. */
  readonly stats: () => SessionStats;
  /** Sets all counts to 0. @returns the statistics until now. */
  readonly reset: () => SessionStats;
}

/**
 * Creates a collector that counts the events of any number of sessions. Its memory does not grow with their number.
 *
 * @example
 * ```ts
 * const collector = statsCollector();
 * const session = new HybridSession({ observers: [collector] });
 * // ... run agents ...
 * console.log(collector.stats().lossRate);
 * ```
 */
export function statsCollector(): StatsCollector {
  let tally = new Tally();
  const plan: ObservedOperation = { begin: () => plan, end: (facts) => tally.countPlans(facts) };
  return {
    event: (event) => tally.count(event),
    begin: (name) => (name === 'plan' ? plan : undefined),
    add: (stats) => tally.add(stats),
    stats: () => tally.stats(),
    reset: () => {
      const before = tally.stats();
      tally = new Tally();
      return before;
    },
  };
}

/**
 * Adds up statistics of several sessions, processes or days, without changing them.
 *
 * @example
 * ```ts
 * const week = mergeStats(monday, tuesday);
 * ```
 */
export function mergeStats(...stats: readonly SessionStats[]): SessionStats {
  const tally = new Tally();
  for (const part of stats) tally.add(part);
  return tally.stats();
}

type Counts = Map<string, number>;

interface LossCounts {
  turns: number;
  checkedTurns: number;
  turnsWithLoss: number;
  lostItems: number;
}

interface PlanCounts {
  chained: number;
  replayed: number;
  readonly reasons: Counts;
  savedItems: number;
  savedBytes: number;
}

/** Running totals. They are mutable, because a turn adds to several of them. */
class Tally {
  readonly #loss = noLoss();
  readonly #models = new Map<string, LossCounts>();
  readonly #requests = noPlans();
  readonly #shadowPlans = noPlans();
  readonly #restored = { reads: 0, items: 0, sources: new Map<string, number>() };
  readonly #events: Counts = new Map();

  count(event: HybridSessionEvent): void {
    switch (event.type) {
      case 'turn': {
        const { lost, newlyLost = 0, chain } = event;
        const isChecked = lost !== undefined;
        this.#addLoss(event.model ?? 'unknown', {
          turns: 1,
          checkedTurns: isChecked ? 1 : 0,
          turnsWithLoss: isChecked && lost > 0 ? 1 : 0,
          lostItems: newlyLost,
        });
        const isGuess = chain.basis === 'forecast' && event.mode !== 'chain';
        if (isGuess)
          countPlan(this.#shadowPlans, {
            plan: chain.possible ? 'chain' : 'replay',
            reason: chain.reason,
            savedItems: 0,
            savedBytes: chain.savedBytes,
          });
        return;
      }
      case 'restored':
        this.#addRestored({ reads: 1, items: event.count, sources: event.sources });
        return;
      case 'lost':
        return;
      default:
        more(this.#events, countedAs(event), 1);
    }
  }

  /** Counts the plan of a request and its shadow plan. */
  countPlans(facts: OperationFacts): void {
    const context = Number(facts['context']);
    countPlan(this.#requests, {
      plan: facts['plan'],
      reason: facts['reason'],
      savedItems: context - Number(facts['sent']),
      savedBytes: Number(facts['savedBytes']),
    });
    if (facts['shadowPlan'] === undefined) return;
    countPlan(this.#shadowPlans, {
      plan: facts['shadowPlan'],
      reason: facts['shadowReason'],
      savedItems: context - Number(facts['shadowSent']),
      savedBytes: Number(facts['shadowSavedBytes']),
    });
  }

  add({ models, requests, shadowPlans, restored, events, ...loss }: SessionStats): void {
    addLoss(this.#loss, loss);
    for (const [model, own] of Object.entries(models)) addLoss(this.#lossOf(model), own);
    addPlans(this.#requests, requests);
    addPlans(this.#shadowPlans, shadowPlans);
    this.#addRestored(restored);
    addCounts(this.#events, events);
  }

  stats(): SessionStats {
    const { reads, items, sources } = this.#restored;
    return {
      ...lossStats(this.#loss),
      models: Object.fromEntries(Array.from(this.#models, ([model, loss]) => [model, lossStats(loss)])),
      requests: planStats(this.#requests),
      shadowPlans: planStats(this.#shadowPlans),
      restored: { reads, items, sources: Object.fromEntries(sources) },
      events: Object.fromEntries(this.#events),
    };
  }

  #addLoss(model: string, loss: LossCounts): void {
    addLoss(this.#loss, loss);
    addLoss(this.#lossOf(model), loss);
  }

  #lossOf(model: string): LossCounts {
    let loss = this.#models.get(model);
    if (loss === undefined) this.#models.set(model, (loss = noLoss()));
    return loss;
  }

  #addRestored({ reads, items, sources }: SessionStats['restored']): void {
    this.#restored.reads += reads;
    this.#restored.items += items;
    addCounts(this.#restored.sources, sources);
  }
}

function noLoss(): LossCounts {
  return { turns: 0, checkedTurns: 0, turnsWithLoss: 0, lostItems: 0 };
}

function noPlans(): PlanCounts {
  return { chained: 0, replayed: 0, reasons: new Map(), savedItems: 0, savedBytes: 0 };
}

function addLoss(sum: LossCounts, loss: Omit<LossStats, 'lossRate'>): void {
  sum.turns += loss.turns;
  sum.checkedTurns += loss.checkedTurns;
  sum.turnsWithLoss += loss.turnsWithLoss;
  sum.lostItems += loss.lostItems;
}

interface CountedPlan {
  readonly plan: unknown;
  readonly reason: unknown;
  readonly savedItems: number;
  readonly savedBytes: number;
}

function countPlan(sum: PlanCounts, { plan, reason, savedItems, savedBytes }: CountedPlan): void {
  more(sum.reasons, String(reason), 1);
  if (plan !== 'chain') {
    sum.replayed += 1;
    return;
  }
  sum.chained += 1;
  sum.savedItems += savedItems;
  sum.savedBytes += savedBytes;
}

function addPlans(sum: PlanCounts, plans: PlanStats): void {
  sum.chained += plans.chained;
  sum.replayed += plans.replayed;
  sum.savedItems += plans.savedItems;
  sum.savedBytes += plans.savedBytes;
  addCounts(sum.reasons, plans.reasons);
}

function addCounts(sum: Counts, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) more(sum, name, count);
}

function more(sum: Counts, name: string, count: number): void {
  sum.set(name, (sum.get(name) ?? 0) + count);
}

function lossStats(loss: LossCounts): LossStats {
  const { checkedTurns, turnsWithLoss } = loss;
  return { ...loss, lossRate: checkedTurns === 0 ? null : turnsWithLoss / checkedTurns };
}

function planStats({ reasons, ...plans }: PlanCounts): PlanStats {
  const { chained, replayed, savedItems, savedBytes } = plans;
  const all = chained + replayed;
  return {
    chained,
    replayed,
    reasons: Object.fromEntries(reasons),
    savedItems,
    savedBytes,
    chainRate: all === 0 ? null : chained / all,
  };
}
