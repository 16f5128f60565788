// Production today: node before.js
import { OpenAIConversationsSession, run } from '@openai/agents';
import { agent } from './agent.js';
import { serve } from './chat-server.js';

serve({
  async ask(text, conversationId) {
    const session = new OpenAIConversationsSession({ conversationId });
    const result = await run(agent, text, { session });
    return {
      answer: result.finalOutput,
      conversationId: await session.getSessionId(),
      responseIds: result.rawResponses.map(({ responseId }) => responseId),
    };
  },
});
