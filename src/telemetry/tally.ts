import type { HybridSessionEvent } from './session-event.ts';
import type { LossStats, PlanStats, SessionStats } from './session-stats.ts';

/** How often each of some words came. */
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

/** Counts what sessions tell, in place: a turn tells several things, and nobody may ever ask what they come to. */
export class Tally {
  readonly #loss = noLoss();
  readonly #models = new Map<string, LossCounts>();
  readonly #requests = noPlans();
  readonly #would = noPlans();
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
          countPlan(this.#would, chain.possible ? 'chain' : 'replay', chain.reason, 0, chain.savedBytes);
        return;
      }
      case 'planned': {
        const { plan, reason, sent, context, savedBytes, would } = event;
        countPlan(this.#requests, plan, reason, context - sent, savedBytes);
        if (would !== undefined)
          countPlan(this.#would, would.plan, would.reason, context - would.sent, would.savedBytes);
        return;
      }
      case 'restored':
        this.#addRestored({ reads: 1, items: event.count, sources: event.sources });
        return;
      case 'lost':
        return;
      default:
        more(this.#events, event.type, 1);
    }
  }

  /** Adds what was counted elsewhere. */
  add({ models, requests, would, restored, events, ...loss }: SessionStats): void {
    addLoss(this.#loss, loss);
    for (const [model, own] of Object.entries(models)) addLoss(this.#lossOf(model), own);
    addPlans(this.#requests, requests);
    addPlans(this.#would, would);
    this.#addRestored(restored);
    addCounts(this.#events, events);
  }

  /** What was counted so far. A copy. */
  stats(): SessionStats {
    const { reads, items, sources } = this.#restored;
    return {
      ...lossStats(this.#loss),
      models: Object.fromEntries(Array.from(this.#models, ([model, loss]) => [model, lossStats(loss)])),
      requests: planStats(this.#requests),
      would: planStats(this.#would),
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

function countPlan(
  sum: PlanCounts,
  plan: 'chain' | 'replay',
  reason: string,
  savedItems: number,
  savedBytes: number,
): void {
  more(sum.reasons, reason, 1);
  if (plan === 'replay') {
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
