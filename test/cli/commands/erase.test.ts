import Database from 'libsql';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { converse } from '../../flows/support/story.ts';
import { listeningSimulator, runCommand, temporaryFolder, type Ran } from '../support/on-a-ledger.ts';
import type { Surroundings } from '../support/captured-io.ts';

const runner = new HybridRunner({ tracingDisabled: true });
const file = temporaryFolder();
const { env, simulator } = listeningSimulator({ unlink: 'none' });

const client = (): OpenAI =>
  new OpenAI({ apiKey: 'sk-secret', baseURL: env()['OPENAI_BASE_URL'], maxRetries: 0 });

async function told(...turns: string[]): Promise<string> {
  const ledger = sqliteLedger({ path: file('ledger.db') });
  const session = new HybridSession({ client: client(), ledger });
  await converse(runner, session, turns);
  await ledger.close();
  return session.getSessionId();
}

const where = (): string => `sqlite:${file('ledger.db')}`;

const erase = (
  id: string,
  args: string[],
  env: Record<string, string> = {},
  around: Surroundings = {},
): Promise<Ran> => runCommand(['erase', id, '--ledger', where(), ...args], env, around);

const isKnown = async (id: string): Promise<boolean> =>
  (await runCommand(['inspect', id, '--ledger', where()])).code === 0;

describe('agents-hybrid-session erase', () => {
  it('erase removes a session from its ledger, reports it, and touches no other session', async () => {
    const id = await told('hi', 'thanks');
    const other = await told('hello');
    const requests = simulator().log.length;
    const ran = await erase(id, ['--yes']);
    expect(ran).toEqual({ code: 0, stdout: `ledger ${id} 4 items\n`, stderr: '' });
    expect(simulator().log.length).toBe(requests);
    expect(await isKnown(id)).toBe(false);
    expect(await isKnown(other)).toBe(true);
    await expect(client().conversations.retrieve(id)).resolves.toMatchObject({ id });
  });

  it('erase --remote also deletes responses and the conversation', async () => {
    const id = await told('hi', 'thanks');
    const responses = simulator()
      .snapshot()
      .responses.map((response) => response.id);
    expect(responses).toHaveLength(2);
    const ran = await erase(id, ['--yes', '--remote'], env());
    expect(ran).toMatchObject({ code: 0, stderr: '' });
    expect(ran.stdout.trim().split('\n').toSorted()).toEqual(
      [`conversation ${id}`, `ledger ${id} 4 items`, ...responses.map((one) => `response ${one}`)].toSorted(),
    );
    await expect(client().conversations.retrieve(id)).rejects.toThrow('404');
    for (const one of responses) await expect(client().responses.retrieve(one)).rejects.toThrow('404');
  });

  it('erase asks for the ID on a terminal', async () => {
    const id = await told('hi');
    const terminal = { input: true };
    for (const input of [['yes\n'], ['\n'], [`${id}x\n`], []]) {
      const refused = await erase(id, [], {}, { terminal, input });
      expect(refused).toMatchObject({ code: 1, stdout: '' });
      expect(refused.stderr).toBe(
        'This removes 2 item(s) and 1 response ID(s) in the ledger, for good.\n' +
          "Type the session's ID to confirm: Not confirmed: nothing was removed.\n",
      );
      expect(await isKnown(id)).toBe(true);
    }
    const pieces = [id.slice(0, 4), `${id.slice(4)}\n`];
    expect(await erase(id, [], {}, { terminal, input: pieces })).toMatchObject({ code: 0 });
    expect(await isKnown(id)).toBe(false);
  });

  it('erase needs --yes without a terminal', async () => {
    const id = await told('hi');
    expect(await erase(id, [])).toEqual({
      code: 64,
      stdout: '',
      stderr:
        'agents-hybrid-session erase: invalid_argument: Standard input is not a terminal, so --yes is needed\n' +
        `Try: agents-hybrid-session erase ${id} --ledger ... --yes\n`,
    });
    expect(await isKnown(id)).toBe(true);
  });

  it('erase exits with 1 for an unknown session', async () => {
    await told('hi');
    const ran = await erase('conv_unknown', ['--yes']);
    expect(ran).toMatchObject({ code: 1, stdout: '' });
    expect(ran.stderr).toMatch(/knows no session 'conv_unknown': nothing was removed\.\n$/);
  });

  it('erase --remote needs a key before it removes anything', async () => {
    const id = await told('hi');
    const ran = await erase(id, ['--yes', '--remote']);
    expect(ran).toMatchObject({ code: 64, stdout: '' });
    expect(ran.stderr).toContain('missing_api_key');
    expect(await isKnown(id)).toBe(true);
  });

  it('erase removes an unreadable session', async () => {
    const id = await told('hi', 'thanks');
    const database = new Database(file('ledger.db'));
    database.prepare("UPDATE hybrid_session_ledger_record SET record = '{' WHERE position = 0").run();
    const remote = await erase(id, ['--yes', '--remote'], env());
    expect(remote).toMatchObject({ code: 70, stdout: '' });
    expect(remote.stderr).toContain('session_unreadable');
    expect(await erase(id, ['--yes'])).toMatchObject({ code: 0 });
    expect(database.prepare('SELECT count(*) AS n FROM hybrid_session_ledger_record').all()).toEqual([
      { n: 0 },
    ]);
    database.close();
  });

  it('erase takes a former conversation, and deletes all conversations of the session', async () => {
    const ledger = sqliteLedger({ path: file('ledger.db') });
    const session = new HybridSession({ client: client(), ledger, sessionId: 'user-42' });
    await converse(runner, session, ['hi']);
    const first = session.conversationId ?? '';
    const { conversationId } = await session.heal();
    await ledger.close();
    const ran = await erase(first, ['--yes', '--remote'], env());
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('ledger user-42 2 items\n');
    for (const id of [first, conversationId]) {
      expect(ran.stdout).toContain(`conversation ${id}\n`);
      await expect(client().conversations.retrieve(id)).rejects.toThrow('404');
    }
    for (const id of ['user-42', first, conversationId]) expect(await isKnown(id)).toBe(false);
    const database = new Database(file('ledger.db'));
    expect(database.prepare('SELECT count(*) AS n FROM hybrid_session_ledger').all()).toEqual([{ n: 0 }]);
    database.close();
  });

  it('erase finds a session by a former conversation', async () => {
    const ledger = sqliteLedger({ path: file('ledger.db') });
    const session = new HybridSession({ client: client(), ledger, sessionId: 'user-42' });
    await converse(runner, session, ['hi']);
    await ledger.close();
    const id = session.conversationId ?? '';
    expect(await erase(id, ['--yes'])).toEqual({ code: 0, stdout: 'ledger user-42 2 items\n', stderr: '' });
    for (const one of ['user-42', id]) expect(await isKnown(one)).toBe(false);
    await expect(client().conversations.retrieve(id)).resolves.toMatchObject({ id });
  });
});
