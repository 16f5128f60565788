import { Agent, OpenAIConversationsSession } from '@openai/agents';
import { expect, it } from 'vitest';
import { createSimulator } from '../../../mocks/core.ts';

it('the agent remembers the name', async () => {
  const simulator = createSimulator();
  const runner = simulator.runner();
  const session = new OpenAIConversationsSession({ client: simulator.client() });
  const agent = new Agent({ name: 'Assistant', model: 'gpt-4.1' });
  await runner.run(agent, 'my name is Ada', { session });
  const { finalOutput } = await runner.run(agent, 'what is my name?', { session });
  expect(finalOutput).toBe('Answer 2: I see 3 items (2u 1a): u "my name is Ada", a1, u "what is my name?"');
});
