import type { LogEntry } from '../../mocks/http/log.ts';
import type { SimulatorCore } from '../../mocks/simulator.ts';

/** A simulator whose requests are timed by the real clock; its own stands still between requests. */
export interface TimedRequests {
  readonly handle: SimulatorCore['handle'];
  /** Milliseconds since the request arrived. */
  readonly elapsed: (entry: LogEntry) => number;
}

/** Notes when each request arrives at the simulator. */
export function timeRequests(simulator: SimulatorCore): TimedRequests {
  const arrivals = new WeakMap<LogEntry, number>();
  return {
    handle: (request) => {
      const arrival = performance.now();
      const answer = simulator.handle(request);
      // The entry of a request is written before `handle` returns.
      const entry = simulator.log.at(-1);
      if (entry !== undefined) arrivals.set(entry, arrival);
      return answer;
    },
    elapsed: (entry) => performance.now() - (arrivals.get(entry) ?? Number.NaN),
  };
}
