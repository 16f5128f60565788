import { Agent } from '@openai/agents';
import { expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/core.ts';

const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });

it('the agent answers after a rate limit', async () => {
  const simulator = createSimulator();
  simulator.fault('responses.create', { name: 'rate_limit', retryAfter: 0.001, times: 1 });
  const { finalOutput } = await simulator.runner().run(agent, 'hi');
  expect(finalOutput).toContain('Answer 1');
  expect(simulator.log.map(({ status }) => status)).toEqual([429, 200]);
});

it('the app notices a stream that breaks', async () => {
  const simulator = createSimulator();
  simulator.fault('responses.create', { name: 'cut_stream', at: 'response.output_text.delta' });
  const result = await simulator.runner().run(agent, 'hi', { stream: true });
  await expect(result.completed).rejects.toThrow('terminated');
});
