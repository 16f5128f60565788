// A chat on Cloudflare Workers or workerd, whose sessions are in a D1 database: any isolate continues the session of a user.
import { Agent, OpenAIProvider, setTracingDisabled } from '@openai/agents';
import { HybridRunner, HybridSession } from 'agents-hybrid-session';
import { d1Ledger } from 'agents-hybrid-session/d1';
import OpenAI from 'openai';

setTracingDisabled(true);
const agent = new Agent({ name: 'Support', model: 'gpt-5.4', instructions: 'You help with orders.' });

export default {
  async fetch(request, env, context) {
    if (request.method !== 'POST') return new Response('POST a question\n', { status: 405 });
    const client = new OpenAI({ apiKey: env.OPENAI_API_KEY, baseURL: env.OPENAI_BASE_URL });
    // An app takes the user from its sign-in: a name in the address is anyone's.
    const sessionId = new URL(request.url).searchParams.get('user') ?? 'guest';
    const session = new HybridSession({ sessionId, client, ledger: d1Ledger({ database: env.DB }) });
    const runner = new HybridRunner({ modelProvider: new OpenAIProvider({ openAIClient: client }) });
    const { finalOutput } = await runner.run(agent, await request.text(), { session });
    // Writes that failed are tried again behind the response.
    context.waitUntil(session.flush({ timeout: 20_000 }));
    return Response.json({ answer: finalOutput });
  },
};
