import { memoryLedger } from 'agents-hybrid-session';
import { clientFor, agent, hybridSession, runnerOf } from './clients.mjs';
import { question } from './script.mjs';

/** The checkpoint and the records of a session of so many real turns. */
export async function grownLedger(url, turns, options = {}) {
  const ledger = memoryLedger();
  const client = clientFor(url, 'key-cold');
  const session = hybridSession(client, { ledger, ...options });
  const runner = runnerOf('anchored', client);
  let responseId;
  for (let turn = 1; turn <= turns; turn += 1) {
    responseId = (await runner.run(agent, question(turn), { session })).lastResponseId;
  }
  await session.flush();
  const sessionId = await session.getSessionId();
  const { records } = await ledger.read(sessionId);
  return { sessionId, records, head: await ledger.checkpoint(sessionId), responseId, turns };
}
