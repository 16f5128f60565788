import type { SessionObserver } from './observer.ts';
import { countEvent, mergeStats, NO_STATS, type SessionStats } from './session-stats.ts';
import type { HybridSessionEvent } from './session-event.ts';

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
  let counted = NO_STATS;
  return {
    event: (event) => {
      counted = countEvent(counted, event);
    },
    add: (stats) => {
      counted = mergeStats(counted, stats);
    },
    stats: () => structuredClone(counted),
    reset: () => {
      const before = structuredClone(counted);
      counted = NO_STATS;
      return before;
    },
  };
}
