import type { SimulatorCore } from '../../mocks/simulator.ts';

/** Resolves when the simulator has seen that many more requests: the newest one has had its effect. */
export function afterRequests(simulator: SimulatorCore, count: number): Promise<void> {
  let left = count;
  return new Promise((resolve) => {
    const lift = simulator.onRequest(() => {
      left -= 1;
      if (left > 0) return;
      lift();
      resolve();
    });
  });
}
