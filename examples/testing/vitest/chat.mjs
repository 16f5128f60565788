// The app under test: a support chat that opens its session anew for each message.
import { Agent, tool } from '@openai/agents';
import { HybridSession } from 'agents-hybrid-session';
import { z } from 'zod';

/** @param runner runs the agent, @param client reaches the API: a test gives those of a simulator. */
export function createChat({ runner, client, refund }) {
  const agent = new Agent({
    name: 'Support',
    model: 'gpt-5.4',
    instructions: 'You help with orders.',
    tools: [
      tool({
        name: 'refund_order',
        description: 'Pays an order back',
        parameters: z.object({ orderId: z.string() }),
        needsApproval: true,
        execute: ({ orderId }) => refund(orderId),
      }),
    ],
  });
  return async (text, conversationId) => {
    const session = new HybridSession({ client, conversationId });
    const result = await runner.run(agent, text, { session });
    return {
      conversationId: await session.getSessionId(),
      answer: result.interruptions.length > 0 ? undefined : result.finalOutput,
      result,
      // Continues a run that waits for an approval.
      resume: () => runner.run(agent, result.state, { session }),
    };
  };
}
