import type { SessionObserver } from './observer.ts';
import type { SessionStats } from './session-stats.ts';
import type { HybridSessionEvent } from './session-event.ts';
import { Tally } from './tally.ts';

/** Adds up what many sessions do: give it to them among their `observers`. */
export interface StatsCollector extends SessionObserver {
  readonly event: (event: HybridSessionEvent) => void;
  /** Adds statistics from elsewhere: another process, another day. */
  readonly add: (stats: SessionStats) => void;
  /** What was counted so far. A copy of its own, plain JSON. */
  readonly stats: () => SessionStats;
  /** Begins anew. @returns what was counted so far. */
  readonly reset: () => SessionStats;
}

/** Counts what happens in any number of sessions; of a size that does not grow with them. */
export function statsCollector(): StatsCollector {
  let tally = new Tally();
  return {
    event: (event) => tally.count(event),
    add: (stats) => tally.add(stats),
    stats: () => tally.stats(),
    reset: () => {
      const before = tally.stats();
      tally = new Tally();
      return before;
    },
  };
}

/** Adds up the statistics of sessions, of processes or of days. Pure. */
export function mergeStats(...stats: readonly SessionStats[]): SessionStats {
  const tally = new Tally();
  for (const one of stats) tally.add(one);
  return tally.stats();
}
