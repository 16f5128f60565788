import type OpenAI from 'openai';
import type { SimulatorCore } from '../../../mocks/simulator.ts';
import { tamperedClient } from '../../session/support/tampered.ts';

/**
 * The client of a process that dies at a request: that one gets no answer, with or without an effect, and none comes after.
 *
 * `count` tells how many requests it made.
 */
export function dyingClient(
  simulator: SimulatorCore,
  at: number,
  moment: 'before' | 'after',
): { client: OpenAI; count: () => number } {
  let count = 0;
  const client = tamperedClient(simulator, async (_, answer) => {
    count += 1;
    if (count < at) return undefined;
    if (count === at && moment === 'after') await answer();
    throw new TypeError('fetch failed');
  });
  return { client, count: () => count };
}

/** A client that does something else in the middle of one request, before or after its effect, once. */
export function interruptedClient(
  simulator: SimulatorCore,
  at: number,
  moment: 'before' | 'after',
  meanwhile: () => Promise<unknown>,
): { client: OpenAI; count: () => number } {
  let count = 0;
  const client = tamperedClient(simulator, async (_, answer) => {
    count += 1;
    if (count !== at) return undefined;
    if (moment === 'after') await answer();
    await meanwhile();
    return undefined;
  });
  return { client, count: () => count };
}
