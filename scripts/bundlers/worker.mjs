// A Worker with a ledger in memory. It knows the conversation's ID alone: each request rebuilds the history from its bookmark.
import { Agent, OpenAIProvider, setTracingDisabled } from '@openai/agents';
import { HybridRunner, HybridSession, memoryLedger } from 'agents-hybrid-session';
import OpenAI from 'openai';

export default {
  async fetch(request, env) {
    setTracingDisabled(true);
    const client = new OpenAI({ apiKey: 'test', baseURL: env.OPENAI_BASE_URL });
    const conversationId = new URL(request.url).searchParams.get('conversation') ?? undefined;
    const session = new HybridSession({ client, conversationId, ledger: memoryLedger() });
    const runner = new HybridRunner({ modelProvider: new OpenAIProvider({ openAIClient: client }) });
    const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
    const { finalOutput } = await runner.run(agent, await request.text(), { session });
    return Response.json({ answer: finalOutput, conversation: await session.getSessionId() });
  },
};
