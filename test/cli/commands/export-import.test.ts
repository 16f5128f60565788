import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { OpenAIConversationsSession, OpenAIProvider, Runner, type AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, toJsonLines } from '../../../src/index.ts';
import { inspectLedger } from '../../../src/doctor.ts';
import { sqliteLedger } from '../../../src/sqlite.ts';
import { converse } from '../../flows/support/story.ts';
import { anyHistory } from '../../support/items.ts';
import { listeningSimulator, runCommand, temporaryFolder } from '../support/on-a-ledger.ts';

const user = (content: string): AgentInputItem => ({ role: 'user', content });
const many = (count: number): AgentInputItem[] =>
  Array.from({ length: count }, (_, at) => user(`item ${at}`));
const lines = (items: readonly AgentInputItem[]): string => [...toJsonLines(items)].join('');

const texts = (count: number): string[] => Array.from({ length: count }, (_, at) => `item ${at}`);

const rolesOf = ({ stdout }: { stdout: string }): string =>
  stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { role: string }).role.slice(0, 1))
    .join('');

const file = temporaryFolder();

function written(items: readonly AgentInputItem[], name = 'items.jsonl'): string {
  writeFileSync(file(name), lines(items));
  return file(name);
}

describe('export and import with a ledger', () => {
  it('export and import round-trip any history with the same bytes, without a key', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(anyHistory, async (items) => {
        run += 1;
        const ledger = `sqlite:${file('ledger.db')}`;
        const input = written(items);
        const imported = await runCommand(['import', input, '--ledger', ledger, '--session', `s${run}`]);
        expect(imported).toMatchObject({ code: 0, stdout: `s${run}\n` });
        const exported = await runCommand(['export', `s${run}`, '--ledger', ledger]);
        expect(exported).toMatchObject({ code: 0, stdout: lines(items) });
      }),
      { seed: 20261129, numRuns: 40 },
    );
  });

  it('export and import report the count and the same digest', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    const imported = await runCommand(['import', written(many(3)), '--ledger', ledger, '--session', 's']);
    const digest = /^Imported 3 item\(s\)\. The session has 3, digest (\S+)\n$/.exec(imported.stderr)?.[1];
    const exported = await runCommand(['export', 's', '--ledger', ledger]);
    expect(exported.stderr).toBe(`Exported 3 item(s), digest ${digest}\n`);
    const quiet = await runCommand(['export', 's', '--ledger', ledger, '--quiet']);
    expect(quiet.stderr).toBe('');
  });

  it('import reads standard input, and export writes standard output', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    const text = lines([user('ä'), user('b')]);
    const input = [text.slice(0, 5), text.slice(5)];
    const target = ['--ledger', ledger, '--session', 's'];
    expect(await runCommand(['import', '-', ...target], {}, { input })).toMatchObject({ code: 0 });
    expect((await runCommand(['export', 's', '--ledger', ledger, '--output', '-'])).stdout).toBe(text);
  });

  it('export writes a complete file that only its owner may read, or keeps the old file', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    await runCommand(['import', written(many(2)), '--ledger', ledger, '--session', 's']);
    writeFileSync(file('out.jsonl'), 'before');
    const args = ['--ledger', ledger, '--output', file('out.jsonl')];
    expect(await runCommand(['export', 'unknown', ...args])).toMatchObject({ code: 70 });
    expect(readFileSync(file('out.jsonl'), 'utf8')).toBe('before');
    expect(await runCommand(['export', 's', ...args])).toMatchObject({ code: 0, stdout: '' });
    expect(readFileSync(file('out.jsonl'), 'utf8')).toBe(lines(many(2)));
    expect(statSync(file('out.jsonl')).mode & 0o777).toBe(0o600);
    expect(await runCommand(['export', 's', '--ledger', ledger, '--output', file('no/where')])).toMatchObject(
      {
        code: 70,
        stderr: `agents-hybrid-session export: cannot_write: Cannot write to '${file('no/where')}' (ENOENT)\nTry: agents-hybrid-session export s --output FILE\n`,
      },
    );
  });

  it('export writes Markdown', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    await runCommand(['import', written([user('hi')]), '--ledger', ledger, '--session', 's']);
    const { stdout } = await runCommand(['export', 's', '--ledger', ledger, '--format', 'markdown']);
    expect(stdout).toBe('# s\n\n## 1. User\n\nhi\n');
  });

  it('import refuses a session with items, unless --append is given', async () => {
    const target = ['--ledger', `sqlite:${file('ledger.db')}`, '--session', 's'];
    await runCommand(['import', written(many(2)), ...target]);
    const other = written([user('more')], 'other.jsonl');
    const refused = await runCommand(['import', other, ...target]);
    expect(refused).toMatchObject({ code: 70, stdout: '' });
    expect(refused.stderr).toBe(
      `agents-hybrid-session import: import_refused: The session 's' has items already\nTry: agents-hybrid-session import ${other} --ledger ... --session s --append\n`,
    );
    expect(await runCommand(['import', other, ...target, '--append'])).toMatchObject({ code: 0 });
    const { stdout } = await runCommand(['export', 's', ...target.slice(0, 2)]);
    expect(stdout).toBe(lines([...many(2), user('more')]));
  });

  it('import of the same file twice adds nothing', async () => {
    const args = ['import', written(many(2)), '--ledger', `sqlite:${file('ledger.db')}`, '--session', 's'];
    await runCommand(args);
    const again = await runCommand(args);
    expect(again).toMatchObject({ code: 0, stdout: 's\n' });
    expect(again.stderr).toMatch(/^Imported before: nothing was added\. The session has 2, digest /);
  });

  it('import names a wrong line, quotes no content and imports nothing', async () => {
    const path = file('bad.jsonl');
    writeFileSync(path, `${lines(many(2))}{"role":"secret"}\n${lines(many(1))}`);
    const ledger = `sqlite:${file('ledger.db')}`;
    const { code, stdout, stderr } = await runCommand(['import', path, '--ledger', ledger, '--session', 's']);
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toBe(
      "agents-hybrid-session import: invalid_item: Cannot read line 3: field 'role' must be 'user', 'assistant' or 'system'; " +
        `nothing was imported\nTry: sed -n 3p ${path}\n`,
    );
    expect(await runCommand(['inspect', 's', '--ledger', ledger])).toMatchObject({ code: 70 });
  });

  it.each([
    [['import'], 'No file was given'],
    [['import', 'a', '--session', 's'], '--session needs a ledger of its own'],
    [['import', 'a', '--session', 's', '--ledger', 'conversation'], '--ledger must be sqlite:PATH'],
    [
      ['import', 'a', '--ledger', 'sqlite:x', '--session', 's', '--conversation', 'c'],
      '--session names a session',
    ],
    [['import', 'a', '--append'], '--append needs a session'],
    [['import', 'a', '--append', '--conversation', 'c'], '--append needs a session'],
    [['import', 'a', '--ledger', 'mongodb:x'], '--ledger must be sqlite:PATH'],
    [['import', 'a', '--ledger', 'sqlite:x', '--session', ''], '--session must not be empty'],
    [['export'], 'No conversation was given'],
    [['export', 'c', '--format', 'xml'], "--format must be one of jsonl, markdown, not 'xml'"],
    [['inspect', 's'], '--ledger is needed'],
    [['erase', 's', '--yes'], '--ledger is needed'],
    [['erase', 's', '--ledger', 'sqlite:x'], 'Standard input is not a terminal, so --yes is needed'],
  ])('export and import refuse %j before any work', async (argv, problem) => {
    const { code, stdout, stderr } = await runCommand(argv);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(`: invalid_argument: ${problem}`);
    expect(stderr).toMatch(/\nTry: agents-hybrid-session \w+ .*\n$/);
  });

  it('import gives a hint for a missing file', async () => {
    const args = ['import', file('none'), '--ledger', `sqlite:${file('l.db')}`, '--session', 's'];
    expect((await runCommand(args)).stderr).toBe(
      `agents-hybrid-session import: cannot_read: Cannot read '${file('none')}' (ENOENT)\n` +
        'Try: agents-hybrid-session import FILE, with the path of a JSON Lines file\n',
    );
  });
});

describe('export and import with the API', () => {
  const { simulator, env } = listeningSimulator({ unlink: 'every-turn' });
  const client = (): OpenAI =>
    new OpenAI({ apiKey: 'sk-secret', baseURL: env()['OPENAI_BASE_URL'], maxRetries: 0 });
  const listed = async (id: string): Promise<string[]> => {
    const texts: string[] = [];
    for await (const item of client().conversations.items.list(id, { order: 'asc', limit: 100 }))
      texts.push(
        item.type === 'message' && item.content[0]?.type === 'input_text' ? item.content[0].text : item.type,
      );
    return texts;
  };
  it('import writes all items to a new conversation in order, and prints its ID', async () => {
    const ran = await runCommand(['import', written(many(47))], env());
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^conv_\S+\n$/) as string });
    const id = ran.stdout.trim();
    expect(ran.stderr).toMatch(
      new RegExp(`^New conversation ${id}\nImported 47 item\\(s\\)\\. The session has 47, digest `),
    );
    expect(await listed(id)).toEqual(texts(47));
  });

  it('export writes the same bytes after an import into a conversation with a ledger', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    await fc.assert(
      fc.asyncProperty(anyHistory, async (items) => {
        const { stdout } = await runCommand(['import', written(items), '--ledger', ledger], env());
        const id = stdout.trim();
        expect((await runCommand(['export', id, '--ledger', ledger])).stdout).toBe(lines(items));
      }),
      { seed: 20261129, numRuns: 15 },
    );
  });

  it('import continues in a conversation with the first items of the file', async () => {
    const { id } = await client().conversations.create({ items: [] });
    await client().conversations.items.create(id, {
      items: texts(7).map((content) => ({ role: 'user', content, type: 'message' })),
    });
    const ran = await runCommand(['import', written(many(30)), '--conversation', id], env());
    expect(ran).toMatchObject({ code: 0, stdout: `${id}\n` });
    expect(await listed(id)).toEqual(texts(30));
    const again = await runCommand(['import', written(many(30)), '--conversation', id], env());
    expect(again).toMatchObject({ code: 0, stdout: `${id}\n` });
    expect(await listed(id)).toEqual(texts(30));
  });

  it('import refuses a conversation with other items, and appends with a ledger that knows it', async () => {
    const { id } = await client().conversations.create({ items: [] });
    await client().conversations.items.create(id, {
      items: [{ role: 'user', content: 'other', type: 'message' }],
    });
    const refused = await runCommand(['import', written(many(2)), '--conversation', id], env());
    expect(refused).toMatchObject({ code: 70, stdout: '' });
    expect(refused.stderr).toContain(
      `not_empty: Cannot import into '${id}': it holds other items already\nTry: `,
    );
    const target = ['--conversation', id, '--ledger', `sqlite:${file('ledger.db')}`];
    expect(await runCommand(['import', written(many(2)), ...target], env())).toMatchObject({ code: 70 });
    const appended = await runCommand(['import', written(many(2)), ...target, '--append'], env());
    expect(appended).toMatchObject({ code: 0 });
    expect(await listed(id)).toEqual(['other', ...texts(2)]);
    await runCommand(['import', written(many(2)), ...target, '--append'], env());
    expect(await listed(id)).toEqual(['other', ...texts(2)]);
  });

  it('export takes the name of a session, and each of its conversations', async () => {
    const at = ['--ledger', `sqlite:${file('ledger.db')}`];
    const ledger = sqliteLedger({ path: file('ledger.db') });
    const session = new HybridSession({ client: client(), ledger, sessionId: 'user-42' });
    await session.addItems(many(2));
    await ledger.close();
    const id = session.conversationId ?? '';
    const ran = await runCommand(['import', written(many(5)), '--session', id, ...at, '--append']);
    expect(ran).toMatchObject({ code: 0, stdout: 'user-42\n' });
    const [byName, byConversation] = [
      await runCommand(['export', 'user-42', ...at]),
      await runCommand(['export', id, ...at]),
    ];
    expect(byName).toMatchObject({ code: 0, stdout: lines([...many(2), ...many(5)]) });
    expect(byConversation).toEqual(byName);
    expect((await runCommand(['inspect', id, ...at])).stdout).toContain('user-42');
  });

  it('import waits out temporary failures, and gives a hint after lasting ones', async () => {
    simulator().fault('conversations.items.create', { status: 503, times: 2 });
    const passed = await runCommand(['import', written(many(45))], env());
    expect(passed).toMatchObject({ code: 0 });
    expect(await listed(passed.stdout.trim())).toEqual(texts(45));
    const mend = simulator().fault('conversations.items.create', { status: 403 });
    const failed = await runCommand(['import', written(many(5))], env());
    expect(failed).toMatchObject({ code: 70, stdout: '' });
    expect(failed.stderr).toMatch(/import_incomplete: 5 change\(s\) could not be written to 'conv_/);
    expect(failed.stderr).toMatch(
      /\nTry: the same again later, with --conversation conv_\S+: nothing is written twice\n$/,
    );
    mend();
    const id = /--conversation (\S+):/.exec(failed.stderr)?.[1] ?? '';
    expect(await runCommand(['import', written(many(5)), '--conversation', id], env())).toMatchObject({
      code: 0,
    });
    expect(await listed(id)).toEqual(texts(5));
  });

  it('import reports items that the API refuses, and loses them only without a ledger', async () => {
    const items: AgentInputItem[] = [
      user('a'),
      {
        type: 'hosted_tool_call',
        name: 'web_search_call',
        id: 'ws_unknown',
        status: 'completed',
        providerData: { type: 'web_search_call' },
      },
      user('b'),
    ];
    const alone = await runCommand(['import', written(items)], env());
    expect(alone.code).toBe(1);
    expect(alone.stderr).toMatch(/Not in the conversation, which cannot hold it: hosted_tool_call/);
    const ledger = `sqlite:${file('ledger.db')}`;
    const kept = await runCommand(['import', written(items), '--ledger', ledger], env());
    expect(kept.code).toBe(0);
    expect((await runCommand(['export', kept.stdout.trim(), '--ledger', ledger])).stdout).toBe(lines(items));
  });

  it('export writes the list without ledger and responses', async () => {
    const { stdout } = await runCommand(['import', written(many(3))], env());
    const exported = await runCommand(['export', stdout.trim()], env());
    expect(exported.code).toBe(0);
    expect(
      exported.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { role: string }).role),
    ).toEqual(['user', 'user', 'user']);
  });

  it('export writes a damaged conversation whole from its ledger, also without content in it', async () => {
    const runner = new HybridRunner({ tracingDisabled: true });
    for (const keepContent of [true, false]) {
      const path = file(`kept-${keepContent}.db`);
      const ledger = sqliteLedger({ path });
      const session = new HybridSession({ client: client(), ledger, keepContent });
      await converse(runner, session, ['my name is Ada', 'hi', 'what is my name?']);
      const id = await session.getSessionId();
      const inspection = await inspectLedger(ledger, id);
      await ledger.close();
      expect((await listed(id)).length).toBeLessThan(6);
      const exported = await runCommand(
        ['export', id, '--ledger', `sqlite:${path}`],
        keepContent ? {} : env(),
      );
      expect(exported).toMatchObject({
        code: 0,
        stderr: `Exported 6 item(s), digest ${inspection?.digest}\n`,
      });
    }
  });

  it('export restores items from the given responses, and reports missing ones', async () => {
    const runner = new Runner({
      modelProvider: new OpenAIProvider({ openAIClient: client() }),
      tracingDisabled: true,
    });
    const stock = new OpenAIConversationsSession({ client: client() });
    await converse(runner, stock, ['hi', 'what can you do?', 'thanks']);
    const id = await stock.getSessionId();
    const responses = simulator()
      .snapshot()
      .responses.map((response) => response.id);
    const listed = await runCommand(['export', id], env());
    expect(rolesOf(listed)).toBe('uuua');
    expect(listed.stderr).toContain(
      '2 item(s) have no answer: the given sources cannot tell whether there was one.\n',
    );
    const given = { input: [`{"id": "${responses[0]}"}\n`, `${responses[1]} ${responses[2]}\n`] };
    const whole = await runCommand(['export', id, '--response', '-'], env(), given);
    expect(whole.code).toBe(0);
    expect(rolesOf(whole)).toBe('uauaua');
    const markdown = await runCommand(
      ['export', id, '--response', '-', '--format', 'markdown'],
      env(),
      given,
    );
    expect(markdown.stdout.match(/^## \d\. \w+$/gm)).toEqual(
      [1, 2, 3, 4, 5, 6].map((number) => `## ${number}. ${number % 2 === 1 ? 'User' : 'Assistant'}`),
    );
  });

  it('export and import report a missing key, and never show one', async () => {
    const none = await runCommand(['import', written(many(1))]);
    expect(none).toMatchObject({ code: 64, stdout: '' });
    expect(none.stderr).toContain('missing_api_key');
    const unknown = await runCommand(['export', 'conv_unknown'], env());
    expect(unknown).toMatchObject({ code: 70, stdout: '' });
    expect(unknown.stderr).toContain('conversation_not_found');
    expect(none.stderr + unknown.stderr).not.toContain('sk-secret');
  });
});
