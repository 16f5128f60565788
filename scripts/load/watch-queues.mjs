// Everything in which work could queue up, by quarters of a run: one that keeps up is later as it was in the second.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { heap, MIB } from './heap.mjs';

const QUARTERS = 4;
const SAMPLE_MS = 250;

/**
 * Watches a run of so many turns.
 *
 * - `requests`: running at once, at most
 * - `waiting`: timers and connections that the event loop waits for, at most
 * - `pending`: changes that a session has in its ledger and not in its conversation when a turn ends, in the mean
 * - `mostPending`: the same, at most
 * - `cpu`: milliseconds of the processor for a turn, in the mean
 * - `turn`: milliseconds that a turn takes, in the mean; longer on a machine that does other things as well
 * - `loopDelay`: milliseconds that the event loop is late, at the 99th percentile; likewise
 * - `keptMiB`: growth of the reachable memory
 */
export function watchQueues(turns) {
  const quarters = [];
  const delay = monitorEventLoopDelay({ resolution: 10 });
  let underWay = 0;
  let ended = 0;
  let peakRss = 0;
  let kept = heap();
  let now = nothing();
  let cpu = process.cpuUsage();
  const sample = () => {
    now.waiting = Math.max(now.waiting, process.getActiveResourcesInfo().length);
    peakRss = Math.max(peakRss, process.memoryUsage().rss);
  };
  const close = () => {
    sample();
    const { requests, waiting, mostPending } = now;
    const { user, system } = process.cpuUsage(cpu);
    const before = kept;
    kept = heap();
    quarters.push({
      requests,
      waiting,
      pending: round(now.pending / now.appends),
      mostPending,
      cpu: round((user + system) / 1000 / now.turns),
      turn: Math.round(now.took / now.turns),
      loopDelay: Math.round(delay.percentile(99) / 1e6),
      keptMiB: round((kept - before) / MIB),
    });
    now = nothing();
    cpu = process.cpuUsage();
    delay.reset();
  };
  delay.enable();
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    /** Sends a request. */
    async fetch(...args) {
      underWay += 1;
      now.requests = Math.max(now.requests, underWay);
      try {
        return await fetch(...args);
      } finally {
        underWay -= 1;
      }
    },
    /** Counts after every append the items that the conversation does not have yet. */
    observer: {
      begin: (name) => ({
        begin: () => ({ begin: () => undefined, end: () => undefined }),
        end({ pending }) {
          if (name !== 'append' || pending === undefined) return;
          now.appends += 1;
          now.pending += pending;
          now.mostPending = Math.max(now.mostPending, pending);
        },
      }),
    },
    turnEnded(milliseconds) {
      now.turns += 1;
      now.took += milliseconds;
      ended += 1;
      if (ended % Math.ceil(turns / QUARTERS) === 0 || ended === turns) close();
    },
    /** @returns the quarters, and the most memory that the process had, in bytes. */
    end() {
      clearInterval(timer);
      delay.disable();
      return { quarters, peakRss };
    },
    get underWay() {
      return underWay;
    },
  };
}

/** @returns the growing queues, with both figures; empty if the run keeps up. */
export function growing(quarters, sessions) {
  const [, early, ...late] = quarters;
  if (early === undefined || late.length === 0) return [];
  const limits = {
    // A turn asks one thing at a time, and so does the mirror behind it.
    requests: 2 * sessions,
    // Each with a timer for its time-out.
    waiting: Math.max(1.15 * early.waiting, 4 * sessions),
    // The items of this turn and of the one before, whose write is under way; more as long as one fails.
    pending: Math.max(1.25 * early.pending, 4),
    // The history grows with every turn, and the work on it must not.
    cpu: 1.5 * early.cpu,
    keptMiB: 1.5 * early.keptMiB + 8,
  };
  return Object.entries(limits).flatMap(([name, limit]) => {
    const most = Math.max(...late.map((quarter) => quarter[name]));
    return most > limit ? [`${name}: ${most}, and not at most ${round(limit)}`] : [];
  });
}

function nothing() {
  return { requests: 0, waiting: 0, pending: 0, mostPending: 0, appends: 0, took: 0, turns: 0 };
}

function round(value) {
  return Number(value.toFixed(2));
}
