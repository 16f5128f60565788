// A small server app: turns on two ledgers whose driver is found at runtime, and one whose driver is not installed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, setTracingDisabled } from '@openai/agents';
import { HybridSession, ledgerFrom, run } from 'agents-hybrid-session';
import { sqliteLedger } from 'agents-hybrid-session/sqlite';

/** @returns the last answers, and the reason for which the missing driver cannot be used. */
export async function probe() {
  setTracingDisabled(true);
  const folder = mkdtempSync(join(tmpdir(), 'bundled-'));
  const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4' });
  const found = { answers: [] };
  try {
    for (const ledger of [
      sqliteLedger({ path: join(folder, 'path.db') }),
      ledgerFrom(`sqlite:${join(folder, 'location.db')}`),
    ]) {
      const options = { sessionId: 'user-42', ledger };
      await run(agent, 'my name is Ada', { session: new HybridSession(options) });
      const { finalOutput } = await run(agent, 'what is my name?', { session: new HybridSession(options) });
      found.answers.push(finalOutput);
      await ledger.close();
    }
    const missing = ledgerFrom('redis://127.0.0.1:1/0');
    found.missing = await missing
      .checkpoint('user-42')
      .catch(({ reason, message }) => `${reason}: ${message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return found;
}
