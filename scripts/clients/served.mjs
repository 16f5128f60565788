// A simulator for one test, served over HTTP and closed after it.
import { createSimulator } from 'agents-hybrid-session/mocks/core';

/** @returns the simulator, its URL for clients (`http://127.0.0.1:PORT/v1`) and its port. */
export async function served(t, options) {
  const simulator = createSimulator(options);
  t.after(() => simulator.close());
  return { simulator, ...(await simulator.listen()) };
}
