import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { OpenAIConversationsSession, OpenAIProvider, Runner, type AgentInputItem } from '@openai/agents';
import * as fc from 'fast-check';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { HybridRunner, HybridSession, inspectLedger, toJsonLines } from '../../src/index.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { converse } from '../flows/support/story.ts';
import { anyHistory } from '../support/items.ts';
import { listeningSimulator, runCommand, temporaryFolder } from './on-a-ledger.ts';

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
  it('round-trip any history with the same bytes, without a key', async () => {
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
      { numRuns: 40 },
    );
  });

  it('say how many, and the same digest', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    const imported = await runCommand(['import', written(many(3)), '--ledger', ledger, '--session', 's']);
    const digest = /^Imported 3 item\(s\)\. The session has 3, digest (\S+)\n$/.exec(imported.stderr)?.[1];
    const exported = await runCommand(['export', 's', '--ledger', ledger]);
    expect(exported.stderr).toBe(`Exported 3 item(s), digest ${digest}\n`);
    const quiet = await runCommand(['export', 's', '--ledger', ledger, '--quiet']);
    expect(quiet.stderr).toBe('');
  });

  it('read standard input and write standard output', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    const text = lines([user('ä'), user('b')]);
    const input = [text.slice(0, 5), text.slice(5)];
    const target = ['--ledger', ledger, '--session', 's'];
    expect(await runCommand(['import', '-', ...target], {}, { input })).toMatchObject({ code: 0 });
    expect((await runCommand(['export', 's', '--ledger', ledger, '--output', '-'])).stdout).toBe(text);
  });

  it('write a file that is complete and for its owner alone, or leave what was there', async () => {
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
        stderr: `hybrid-session export: cannot_write: Cannot write to '${file('no/where')}' (ENOENT)\nTry: hybrid-session export s --output FILE\n`,
      },
    );
  });

  it('write Markdown for people', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    await runCommand(['import', written([user('hi')]), '--ledger', ledger, '--session', 's']);
    const { stdout } = await runCommand(['export', 's', '--ledger', ledger, '--format', 'markdown']);
    expect(stdout).toBe('# s\n\n## 1. User\n\n```text\nhi\n```\n');
  });

  it('refuse a session that has items, unless they are told to append', async () => {
    const target = ['--ledger', `sqlite:${file('ledger.db')}`, '--session', 's'];
    await runCommand(['import', written(many(2)), ...target]);
    const other = written([user('more')], 'other.jsonl');
    const refused = await runCommand(['import', other, ...target]);
    expect(refused).toMatchObject({ code: 70, stdout: '' });
    expect(refused.stderr).toBe(
      "hybrid-session import: import_refused: Cannot import into 's': it has 2 item(s) already; append to them if " +
        `that is meant, or import into another session\nTry: hybrid-session import ${other} --ledger ... --session s --append\n`,
    );
    expect(await runCommand(['import', other, ...target, '--append'])).toMatchObject({ code: 0 });
    const { stdout } = await runCommand(['export', 's', ...target.slice(0, 2)]);
    expect(stdout).toBe(lines([...many(2), user('more')]));
  });

  it('import a file once, however often it is asked for', async () => {
    const args = ['import', written(many(2)), '--ledger', `sqlite:${file('ledger.db')}`, '--session', 's'];
    await runCommand(args);
    const again = await runCommand(args);
    expect(again).toMatchObject({ code: 0, stdout: 's\n' });
    expect(again.stderr).toMatch(/^Imported before: nothing was added\. The session has 2, digest /);
  });

  it('name the line that is wrong, quote nothing and import nothing', async () => {
    const path = file('bad.jsonl');
    writeFileSync(path, `${lines(many(2))}{"role":"secret"}\n${lines(many(1))}`);
    const ledger = `sqlite:${file('ledger.db')}`;
    const { code, stdout, stderr } = await runCommand(['import', path, '--ledger', ledger, '--session', 's']);
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toBe(
      "hybrid-session import: invalid_line: Cannot read line 3: field 'role' must be 'user', 'assistant' or 'system'; " +
        `nothing was imported\nTry: sed -n 3p ${path}\n`,
    );
    expect(await runCommand(['inspect', 's', '--ledger', ledger])).toMatchObject({ code: 70 });
  });

  it.each([
    [['import'], 'No file was given'],
    [['import', 'a', '--session', 's'], '--session needs a ledger of its own'],
    [['import', 'a', '--session', 's', '--ledger', 'conversation'], '--session needs a ledger of its own'],
    [
      ['import', 'a', '--ledger', 'sqlite:x', '--session', 's', '--conversation', 'c'],
      '--session names a session',
    ],
    [['import', 'a', '--append'], '--append needs a session'],
    [['import', 'a', '--append', '--conversation', 'c'], '--append needs a session'],
    [['import', 'a', '--ledger', 'mysql:x'], '--ledger must be sqlite:PATH'],
    [['import', 'a', '--ledger', 'sqlite:x', '--session', ''], '--session must not be empty'],
    [['export'], 'No conversation was given'],
    [['export', 'c', '--format', 'xml'], "--format must be one of jsonl, markdown, not 'xml'"],
    [['inspect', 's'], '--ledger is needed'],
    [['erase', 's', '--yes'], '--ledger is needed'],
    [['erase', 's', '--ledger', 'sqlite:x'], 'Nobody is there to confirm: --yes is needed'],
  ])('refuse %j before anything is done', async (argv, problem) => {
    const { code, stdout, stderr } = await runCommand(argv);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
    expect(stderr).toContain(`: invalid_argument: ${problem}`);
    expect(stderr).toMatch(/\nTry: hybrid-session \w+ .*\n$/);
  });

  it('say what to do about a file that is not there', async () => {
    const args = ['import', file('none'), '--ledger', `sqlite:${file('l.db')}`, '--session', 's'];
    expect((await runCommand(args)).stderr).toBe(
      `hybrid-session import: cannot_read: Cannot read '${file('none')}' (ENOENT)\n` +
        'Try: hybrid-session import FILE, with the path of a JSON Lines file\n',
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
  it('write a new conversation, all of it and in order, and say its ID', async () => {
    const ran = await runCommand(['import', written(many(47))], env());
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/^conv_\S+\n$/) as string });
    const id = ran.stdout.trim();
    expect(ran.stderr).toMatch(
      new RegExp(`^New conversation ${id}\nImported 47 item\\(s\\)\\. The session has 47, digest `),
    );
    expect(await listed(id)).toEqual(texts(47));
  });

  it('export what they wrote into a conversation with a ledger with the same bytes', async () => {
    const ledger = `sqlite:${file('ledger.db')}`;
    await fc.assert(
      fc.asyncProperty(anyHistory, async (items) => {
        const { stdout } = await runCommand(['import', written(items), '--ledger', ledger], env());
        const id = stdout.trim();
        expect((await runCommand(['export', id, '--ledger', ledger])).stdout).toBe(lines(items));
      }),
      { numRuns: 15 },
    );
  });

  it('go on with a conversation that holds a beginning of the file', async () => {
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

  it('refuse a conversation that holds something else, and append where a ledger knows it', async () => {
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

  it('leave a ledger in the conversation that proves what it holds', async () => {
    const ran = await runCommand(['import', written(many(25)), '--ledger', 'conversation'], env());
    const id = ran.stdout.trim();
    expect(await listed(id)).toEqual(texts(25));
    const inspected = await runCommand(['inspect', id, '--ledger', 'conversation'], env());
    expect(inspected.stdout).toMatch(/^items +25, 25 of them before the records$/m);
    const digest = /digest (\S+)/.exec(ran.stderr)?.[1];
    expect(inspected.stdout).toContain(`digest       ${digest}`);
    const exported = await runCommand(['export', id, '--ledger', 'conversation'], env());
    expect(exported).toMatchObject({ code: 0, stderr: `Exported 25 item(s), digest ${digest}\n` });
  });

  it('wait out what passes, and say how to go on with what does not', async () => {
    simulator().fault('conversations.items.create', { status: 503, times: 2 });
    const passed = await runCommand(['import', written(many(45))], env());
    expect(passed).toMatchObject({ code: 0 });
    expect(await listed(passed.stdout.trim())).toEqual(texts(45));
    const mend = simulator().fault('conversations.items.create', { status: 403 });
    const failed = await runCommand(['import', written(many(5))], env());
    expect(failed).toMatchObject({ code: 70, stdout: '' });
    expect(failed.stderr).toMatch(/import_incomplete: 5 change\(s\) could not be written to 'conv_/);
    expect(failed.stderr).toMatch(
      /\nTry: the same again in a while, with --conversation conv_\S+: nothing is written twice\n$/,
    );
    mend();
    const id = /--conversation (\S+):/.exec(failed.stderr)?.[1] ?? '';
    expect(await runCommand(['import', written(many(5)), '--conversation', id], env())).toMatchObject({
      code: 0,
    });
    expect(await listed(id)).toEqual(texts(5));
  });

  it('tell what the API refuses, and lose it only where there is no ledger', async () => {
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

  it('export the list where there is nothing else', async () => {
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

  it('export a damaged conversation whole from its ledger, also from one that keeps no content', async () => {
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

  it('export what the given responses restore, and say what nobody has', async () => {
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
    expect(rolesOf(await runCommand(['export', id], env()))).toBe('uuua');
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

  it('say so when there is no key, and never show one', async () => {
    const none = await runCommand(['import', written(many(1))]);
    expect(none).toMatchObject({ code: 70 });
    expect(none.stderr).toContain('missing_api_key');
    const unknown = await runCommand(['export', 'conv_unknown'], env());
    expect(unknown).toMatchObject({ code: 70, stdout: '' });
    expect(unknown.stderr).toContain('conversation_not_found');
    expect(none.stderr + unknown.stderr).not.toContain('sk-secret');
  });
});
