import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, tool } from '@openai/agents';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HybridRunner, HybridSession } from '../../src/index.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { simulated } from '../support/simulated.ts';

const SECRETS = ['my-password-is-swordfish', 'tool-says-barracuda', 'argument-trout'];

const lookUp = tool({
  name: 'look_up',
  description: 'Looks something up',
  parameters: z.object({ key: z.string() }),
  execute: async () => SECRETS[1],
});
const agent = new Agent({ name: 'Assistant', model: 'gpt-5.4', tools: [lookUp] });
const runner = new HybridRunner({ tracingDisabled: true });

describe('What a ledger leaves on the disk', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hybrid-session-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** Which secrets stand in any byte of any file, as they are or in base 64. */
  function found(): string[] {
    const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString('latin1'));
    return SECRETS.filter((secret) => {
      const forms = [secret, btoa(secret).replace(/=+$/, '')];
      return bytes.some((text) => forms.some((form) => text.includes(form)));
    });
  }

  async function converse(keepContent: boolean): Promise<void> {
    const { client } = simulated();
    const ledger = sqliteLedger({ path: join(folder, 'ledger.db') });
    const session = new HybridSession({ client, ledger, keepContent });
    await runner.run(agent, SECRETS[0] ?? '', { session });
    await runner.run(agent, `call look_up {"key":"${SECRETS[2]}"}`, { session });
    expect(await session.getItems()).toHaveLength(6);
    expect(await session.verify()).toMatchObject({ verified: true });
    await ledger.close();
  }

  it('a ledger with content has every word of the conversation on the disk', async () => {
    await converse(true);
    expect(found()).toEqual(SECRETS);
  });

  it('a ledger with keepContent: false has no word of the conversation on the disk', async () => {
    await converse(false);
    expect(found()).toEqual([]);
  });

  it('a ledger with content is enough after responses and conversation are deleted', async () => {
    const { client } = simulated();
    const ledger = sqliteLedger({ path: join(folder, 'ledger.db') });
    const session = new HybridSession({ client, ledger });
    const ids: string[] = [];
    for (const text of ['hi', 'thanks'])
      ids.push((await runner.run(agent, text, { session })).lastResponseId ?? '');
    const conversationId = await session.getSessionId();
    for (const id of ids) await client.responses.delete(id);
    await client.conversations.delete(conversationId);
    const reopened = new HybridSession({ client, ledger, conversationId });
    expect(await reopened.getItems()).toHaveLength(4);
    expect((await runner.run(agent, 'and now?', { session: reopened })).finalOutput).toContain(
      'I see 5 items',
    );
    await ledger.close();
  });
});
