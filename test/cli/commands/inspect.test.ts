import Database from 'libsql';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { encryptedLedger, HybridRunner, HybridSession } from '../../../src/index.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { converse } from '../../flows/support/story.ts';
import { listeningSimulator, runCommand, temporaryFolder } from '../support/on-a-ledger.ts';

const runner = new HybridRunner({ tracingDisabled: true });
const file = temporaryFolder();
const { env, simulator } = listeningSimulator({ unlink: 'none' });

/** A session that lived through turns, in a file. */
async function told(...turns: string[]): Promise<string> {
  const ledger = sqliteLedger({ path: file('ledger.db') });
  const client = new OpenAI({ apiKey: 'sk-secret', baseURL: env()['OPENAI_BASE_URL'], maxRetries: 0 });
  const session = new HybridSession({ client, ledger });
  await converse(runner, session, turns);
  await ledger.close();
  return session.getSessionId();
}

const inspect = (id: string, ...args: string[]): ReturnType<typeof runCommand> =>
  runCommand(['inspect', id, '--ledger', `sqlite:${file('ledger.db')}`, ...args]);

describe('agents-hybrid-session inspect', () => {
  it('inspect shows turns, responses, parents and digests, without a key and without content', async () => {
    const id = await told('my secret is 42', 'what can you do?');
    const requests = simulator().log.length;
    const { code, stdout, stderr } = await inspect(id);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(simulator().log.length).toBe(requests);
    expect(stdout).toContain(`session      ${id}\n`);
    expect(stdout).toMatch(/^items {8}4$/m);
    expect(stdout).toMatch(/^digest {7}\S{43}$/m);
    expect(stdout).toMatch(
      new RegExp(`^content {6}kept\nconversation ${id}\npending {6}nothing\nlease {8}free$`, 'm'),
    );
    const [, first = '', second = ''] =
      /^ {2}response {2}(\S+) .*no parent[\s\S]*^ {2}response {2}(\S+)/m.exec(stdout) ?? [];
    expect(stdout).toMatch(
      new RegExp(`response {2}${second} {2}gpt-5.4\\S* {2}after ${first} {2}context 4 items`),
    );
    expect(stdout.match(/^turn \d {2}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$/gm)).toHaveLength(2);
    expect(stdout).toMatch(/^ {2}#0 {5}message:user {7}\S{10} {2}msg_/m);
    expect(stdout).not.toContain('secret');
  });

  it('inspect --content shows content, and escapes its control characters', async () => {
    const id = await told('my secret is \u001B[2J\u009B2J\u202E42');
    const { stdout } = await inspect(id, '--content');
    expect(stdout).toContain('my secret is \\u001b[2J\\u009b2J\\u202e42');
    for (const character of '\u001B\u009B\u202E') expect(stdout).not.toContain(character);
  });

  it('inspect --json prints one complete document', async () => {
    const id = await told('my secret is 42');
    const { stdout } = await inspect(id, '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      sessionId: id,
      length: 2,
      consistent: true,
      lease: null,
      damaged: [],
      turns: [
        { items: [{ index: 0, item: null }, { index: 1 }], responses: [{ parent: null, refused: false }] },
      ],
    });
    expect(stdout).not.toContain('secret');
    expect((await inspect(id, '--json', '--content')).stdout).toContain('my secret is 42');
  });

  it('inspect shows pending writes and the lease', async () => {
    simulator().fault('conversations.items.create', { status: 500 });
    const ledger = sqliteLedger({ path: file('ledger.db') });
    const client = new OpenAI({ apiKey: 'sk-secret', baseURL: env()['OPENAI_BASE_URL'], maxRetries: 0 });
    const session = new HybridSession({ client, ledger });
    await session.addItems([{ role: 'user', content: 'a' }]);
    await ledger.close();
    const { code, stdout } = await inspect(await session.getSessionId());
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pending {6}1 to be written \(#0\)$/m);
    expect(stdout).toMatch(/^lease {8}\S+, for \d+ s \(/m);
    expect(stdout).toMatch(/#0 .* pending$/m);
    expect(stdout).toMatch(/^turn 1 {2}no response recorded$/m);
  });

  it('inspect names damaged records and exits with 1', async () => {
    const id = await told('hi', 'thanks');
    const database = new Database(file('ledger.db'));
    database.prepare('UPDATE hybrid_session_ledger_record SET record = ? WHERE position = 1').run('{"secret');
    database.close();
    const { code, stdout } = await inspect(id);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^damaged {6}record 1: it is not JSON$/m);
    expect(stdout).toContain('(the checkpoint in the store says otherwise)');
    expect(stdout).not.toContain('secret');
  });

  it('inspect reports an unknown session, and encrypted records', async () => {
    await told('hi');
    const unknown = await inspect('conv_unknown');
    expect(unknown).toMatchObject({ code: 70, stdout: '' });
    expect(unknown.stderr).toMatch(
      /^agents-hybrid-session inspect: session_not_found: The ledger at \S+ knows no session 'conv_unknown'\nTry: .*\n$/,
    );
    const store = sqliteLedger({ path: file('ledger.db') });
    const ledger = encryptedLedger(store, { keys: [{ id: 'k1', secret: new Uint8Array(32) }] });
    await new HybridSession({ mirror: 'off', sessionId: 's', ledger }).addItems([
      { role: 'user', content: 'a' },
    ]);
    await store.close();
    const sealed = await inspect('s');
    expect(sealed).toMatchObject({ code: 70, stdout: '' });
    expect(sealed.stderr).toBe(
      "agents-hybrid-session inspect: ledger_unreadable: The ledger of 's' is encrypted, and commands have no key\n" +
        'Try: agents-hybrid-session doctor conv_... --response resp_... (without the ledger)\n',
    );
  });

  it('inspect creates no file', async () => {
    const { code, stderr } = await inspect('conv_1');
    expect(code).toBe(70);
    expect(stderr).toContain('no_such_ledger');
  });
});
