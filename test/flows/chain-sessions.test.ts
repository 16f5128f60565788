import type { HybridSessionEvent } from '../../src/index.ts';
import { plansIn } from './support/story.ts';
import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import OpenAI from 'openai';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SimulatorCore } from '../../mocks/index.ts';
import { chainedProvider, HybridSession, run } from '../../src/index.ts';
import { WAYS } from '../runner/both-worlds.ts';
import { chainedWorld, decisionsOf, requestsIn, turn } from '../runner/flow-world.ts';
import { simulated } from '../support/simulated.ts';

const weather = tool({
  name: 'weather',
  description: 'The weather',
  parameters: z.object({}),
  execute: async () => {
    await new Promise((resolve) => setImmediate(resolve));
    return 'sunny';
  },
});

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1', tools: [weather] });

/** A client with an account of its own on a shared server. */
function accountOn(simulator: SimulatorCore, apiKey: string): OpenAI {
  return new OpenAI({ apiKey, baseURL: 'http://127.0.0.1/v1', fetch: simulator.fetch, maxRetries: 0 });
}

/** By account: the responses that were made, and the ones that were continued. */
function chainsByAccount(simulator: SimulatorCore): { made: string[]; parents: unknown[] }[] {
  const chains = new Map<string, { made: string[]; parents: unknown[] }>();
  for (const { tenant, id } of simulator.snapshot().responses) {
    const chain = chains.get(tenant) ?? { made: [], parents: [] };
    chain.made.push(id);
    chains.set(tenant, chain);
  }
  for (const { tenant, operation, body } of simulator.log) {
    if (operation !== 'responses.create') continue;
    chains.get(tenant ?? '')?.parents.push(body?.['previous_response_id']);
  }
  return [...chains.values()];
}

describe.each(WAYS)('%s', (way, stream) => {
  test('sessions that say the same at the same time continue from their own responses', async () => {
    const { simulator } = simulated();
    const talk = async (key: string): Promise<void> => {
      const session = new HybridSession({ client: accountOn(simulator, key) });
      for (const text of ['hi', 'call weather {}', 'thanks']) {
        if (!stream) await run(agent, text, { session });
        else await (await run(agent, text, { session, stream: true })).completed;
      }
    };
    await Promise.all(['key-1', 'key-2', 'key-3'].map((key) => talk(key)));
    const chains = chainsByAccount(simulator);
    expect(chains).toHaveLength(3);
    for (const { parents, made } of chains) expect(parents).toEqual([undefined, ...made.slice(0, -1)]);
    expect(simulator.log.filter(({ status }) => status !== 200)).toEqual([]);
  });

  test("the SDK's own runner tells equal sessions apart as soon as they differ", async () => {
    const { simulator, client } = simulated();
    const modelProvider = chainedProvider(new OpenAIProvider({ openAIClient: client }));
    const runner = new Runner({ modelProvider, tracingDisabled: true });
    const reasons: string[][] = [[], []];
    const worlds = reasons.map((told) => {
      const onEvent = (event: HybridSessionEvent): void =>
        void told.push(...plansIn([event]).map(({ reason }) => reason));
      const session = new HybridSession({ client, onEvent });
      return { simulator, client, stream, session, runner, reopen: () => undefined };
    });
    for (const world of worlds) await turn(world, agent, `hi, answer ${way}`);
    for (const { session } of worlds) await session.getItems();
    for (const world of worlds) await turn(world, agent, 'thanks');
    // Word for word the same: a request could be of either session, so that both are replayed and neither session is
    // asked.
    expect(reasons).toEqual([[], []]);
    for (const [index, world] of worlds.entries()) {
      await turn(world, agent, `I am number ${index}`);
      await turn(world, agent, 'bye');
    }
    expect(reasons.map((told) => told.at(-1))).toEqual(['extends', 'extends']);
  });

  test('two concurrent runs continue from their common start, and the next turn from one of them', async () => {
    const world = chainedWorld(stream);
    await turn(world, agent, 'hi');
    await Promise.all([turn(world, agent, 'left'), turn(world, agent, 'right')]);
    const { finalOutput } = await turn(world, agent, 'thanks');
    const [hi, ...both] = world.simulator.snapshot().responses.map(({ id }) => id);
    const parents = requestsIn(world).map(({ body }) => body?.['previous_response_id']);
    expect(parents.slice(0, 3)).toEqual([undefined, hi, hi]);
    expect(both).toContain(parents[3]);
    expect(finalOutput).toContain('I see 7 items (4u 3a)');
    expect(decisionsOf(world).at(-1)).toBe('extends 3/7');
  });
});
