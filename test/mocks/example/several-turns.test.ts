import { Agent } from '@openai/agents';
import { afterEach, expect, it } from 'vitest';
import { createSimulator, outline } from '../../../mocks/core.ts';
import { HybridSession } from '../../../src/index.ts';
import { simulatorMatchers, type SimulatorMatchers } from '../../../src/testing.ts';

expect.extend(simulatorMatchers);
declare module 'vitest' {
  interface Matchers<T> extends SimulatorMatchers<T> {}
}

const simulator = createSimulator({ unlink: 'every-turn' });
afterEach(() => simulator.close());

it('the agent sees every turn, though the list has lost all answers but one', async () => {
  const [runner, client] = [simulator.runner(), simulator.client()];
  const session = new HybridSession({ client });
  const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
  for (const text of ['my name is Ada', 'hi', 'thanks', 'what is my name?'])
    await runner.run(agent, text, { session });

  expect(simulator).toHaveSeen('my name is Ada', /^Answer 1/, 'what is my name?');
  expect(simulator).not.toHaveLost();
  const { data } = await client.conversations.items.list(await session.getSessionId(), { order: 'asc' });
  expect(outline(data)).toBe('u,u,u,u,a');
});
