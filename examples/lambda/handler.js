// A function behind an HTTP API: one turn for each invocation.
import { Agent } from '@openai/agents';
import { HybridRunner, HybridSession, ledgerFrom } from 'agents-hybrid-session';

// Made once for each process: a warm start uses the connections of the one before.
const ledger = ledgerFrom(process.env.HYBRID_SESSION_LEDGER);
const agent = new Agent({ name: 'Support', model: 'gpt-5.4', instructions: 'You help with orders.' });
// An invocation that runs out of time leaves what it has done to the next one.
const runner = new HybridRunner({ record: 'as-it-goes' });

/** Milliseconds that are kept for the conversation and the answer. */
const RESERVE = 5_000;

export async function handler(event, context) {
  // The authorizer of the API says who asks.
  const { sub: user } = event.requestContext.authorizer.jwt.claims;
  const { text } = JSON.parse(event.body);
  const session = new HybridSession({ sessionId: `user-${user}`, ledger, mirror: 'background' });
  const signal = AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - RESERVE));
  try {
    const { finalOutput } = await runner.run(agent, text, { session, signal });
    return { statusCode: 200, body: JSON.stringify({ answer: finalOutput }) };
  } catch (error) {
    // Its message may quote the chat.
    console.error(JSON.stringify({ user, error: error.name, code: error.code }));
    return { statusCode: 503, body: JSON.stringify({ error: 'Please try again.' }) };
  } finally {
    // The process freezes when the answer is returned: the conversation gets its items before.
    const timeout = Math.max(0, Math.min(RESERVE, context.getRemainingTimeInMillis()) - 500);
    const pending = await session.flush({ timeout });
    if (pending > 0) console.log(JSON.stringify({ user, pending }));
  }
}
