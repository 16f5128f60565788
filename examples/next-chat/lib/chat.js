// The ledger, the agent and the runner of this server.
import { Agent, setTracingDisabled } from '@openai/agents';
import { HybridRunner, HybridSession } from 'agents-hybrid-session';
import { sqliteLedger } from 'agents-hybrid-session/sqlite';

setTracingDisabled(true);

// `next dev` loads this module again after each change: the ledger stays open.
globalThis.chatLedger ??= sqliteLedger({ path: process.env.SQLITE_PATH ?? 'chat.db' });

export const agent = new Agent({ name: 'Support', model: 'gpt-5.4', instructions: 'You help with orders.' });
export const runner = new HybridRunner();

/** The session of a user. */
export function sessionOf(userId) {
  return new HybridSession({ sessionId: userId, ledger: globalThis.chatLedger });
}
