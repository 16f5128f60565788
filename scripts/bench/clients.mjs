import { Agent, OpenAIProvider, Runner, setTracingDisabled } from '@openai/agents';
import { HybridRunner, HybridSession } from 'agents-hybrid-session';
import OpenAI from 'openai';

setTracingDisabled(true);

/** The agent of all contestants. */
export const agent = new Agent({
  name: 'Assistant',
  model: 'gpt-4.1',
  instructions: 'You keep the log of a small harbour. Answer in a few sentences.',
});

/** A client with an account of its own on the server. */
export function clientFor(url, key) {
  return new OpenAI({ apiKey: key, baseURL: url });
}

/** The SDK's own runner on this client. */
export function stockRunner(client) {
  return new Runner({ tracingDisabled: true, modelProvider: new OpenAIProvider({ openAIClient: client }) });
}

/** The SDK's runner (`stock`), ours (`chain`), or ours with `history: 'reference'` (`anchored`). */
export function runnerOf(kind, client) {
  if (kind === 'stock') return stockRunner(client);
  return new HybridRunner({
    tracingDisabled: true,
    ...(kind === 'anchored' ? { history: 'reference' } : {}),
  });
}

let named = 0;

/** A session of ours; without a mirror it gets a name. */
export function hybridSession(client, options = {}) {
  const isNamed = options.mirror === 'off' && options.sessionId === undefined;
  return new HybridSession({
    client,
    // As with a ledger that outlives the process.
    bookmark: false,
    ...options,
    ...(isNamed ? { sessionId: `session-${(named += 1)}` } : {}),
  });
}
