import { Agent, OpenAIConversationsSession, run } from '@openai/agents';
import { setupServer } from 'msw/node';
import { expect, it } from 'vitest';
import { createSimulator, outline } from '../../../mocks/index.ts';

process.env['OPENAI_API_KEY'] = 'any';
const simulator = createSimulator();
setupServer(...simulator.handlers).listen();

it('the agent remembers the conversation', async () => {
  const session = new OpenAIConversationsSession();
  const agent = new Agent({ name: 'My agent', model: 'gpt-4.1' });
  await run(agent, 'hi', { session });
  await run(agent, 'thanks', { session });
  expect(outline(simulator.log.findLast(({ context }) => context)?.context ?? [])).toBe('u,a,u');
});
