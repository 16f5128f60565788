// A chat on Cloudflare Workers or workerd, without a database: the client keeps the conversation's ID, and each isolate rebuilds
// the history from the conversation and its bookmark.
import { Agent, OpenAIProvider, setTracingDisabled } from '@openai/agents';
import { HybridRunner, HybridSession, memoryLedger } from 'agents-hybrid-session';
import OpenAI from 'openai';

setTracingDisabled(true);
const agent = new Agent({ name: 'Support', model: 'gpt-5.4', instructions: 'You help with orders.' });
// Isolates live for a while: the next request of the same conversation reads less.
const ledger = memoryLedger();

export default {
  async fetch(request, env, context) {
    if (request.method !== 'POST') return new Response('POST a question\n', { status: 405 });
    const client = new OpenAI({ apiKey: env.OPENAI_API_KEY, baseURL: env.OPENAI_BASE_URL });
    // An app checks here that the conversation belongs to the user who is signed in.
    const conversationId = new URL(request.url).searchParams.get('conversation') ?? undefined;
    const session = new HybridSession({ client, conversationId, ledger });
    const runner = new HybridRunner({ modelProvider: new OpenAIProvider({ openAIClient: client }) });
    const { finalOutput } = await runner.run(agent, await request.text(), { session });
    // Writes that failed are tried again behind the response.
    context.waitUntil(session.flush({ timeout: 20_000 }));
    return Response.json({ answer: finalOutput, conversation: await session.getSessionId() });
  },
};
