import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Listening } from '../../mocks/http/listen.ts';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { HybridSession } from '../../src/index.ts';
import { sqliteLedger } from '../../src/sqlite.ts';
import { linkedConsumer } from './consumer.ts';
import { packWorkingTree, ROOT, type PackedPackage } from './packed.ts';
import { commandsOf, snippetsOf } from './readme-snippets.ts';
import { runProgram } from './run-program.ts';

const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
const commandPage = await readFile(join(ROOT, 'docs', 'cli.md'), 'utf8');
const snippets = snippetsOf(readme).map((snippet, index) => ({
  ...snippet,
  name: snippet.isTest ? `snippet-${index}.test` : `snippet-${index}`,
}));

let packed: PackedPackage;
let app: string;
/** In the place of the API: it loses answers as the report describes. */
let server: Listening;

beforeAll(async () => {
  packed = await packWorkingTree();
  const extra = ['msw', 'vitest', 'libsql', '@opentelemetry/api', '@types/node'];
  app = await linkedConsumer(packed, { name: 'reader', type: 'module', extra });
  server = await createSimulatorCore({ unlink: 'every-turn' }).listen();
  for (const { name, source } of snippets) await writeFile(join(app, `${name}.ts`), source);
  const { compilerOptions } = JSON.parse(await readFile(join(app, 'tsconfig.json'), 'utf8')) as {
    compilerOptions: object;
  };
  const files = snippets.map(({ name }) => `${name}.ts`);
  const config = { compilerOptions: { ...compilerOptions, noEmit: false }, files };
  await writeFile(join(app, 'tsconfig.json'), JSON.stringify(config));
});

afterAll(async () => {
  await server.close();
  await packed.dispose();
});

describe('the programs in the README', () => {
  it('the programs in the README compile', async () => {
    expect(snippets.length).toBeGreaterThan(5);
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    await runProgram('node', [tsc, '-p', 'tsconfig.json'], { cwd: app });
  });

  it.each(snippets.filter(({ isTest }) => !isTest))(
    'the program runs: $heading ($name)',
    async ({ name }) => {
      const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test' };
      const { stderr } = await runProgram('node', [`${name}.js`], { cwd: app, env });
      expect(stderr).toBe('');
    },
  );

  it('the first program in the README remembers the name', async () => {
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test' };
    const { stdout } = await runProgram('node', ['snippet-0.js'], { cwd: app, env });
    expect(stdout).toBe('Answer 2: I see 3 items (2u 1a): u "My name is Ada.", a1, u "What is my name?"\n');
  });

  it('the program under "The fix" keeps every turn, with a new process for each request', async () => {
    const { name } = snippets.find(({ heading }) => heading === 'The fix') ?? { name: '' };
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test' };
    let conversationId: string[] = [];
    let answer = '';
    for (const text of ['hi', 'what can you do?', 'give me one example', 'thanks']) {
      const { stdout } = await runProgram('node', [`${name}.js`, text, ...conversationId], { cwd: app, env });
      const [id = '', ...words] = stdout.split(' ');
      conversationId = [id];
      answer = words.join(' ');
    }
    expect(answer).toContain('I see 7 items (4u 3a)');
  });

  it('the tests in the README pass', async () => {
    const tests = snippets.filter(({ isTest }) => isTest).map(({ name }) => `${name}.js`);
    expect(tests).not.toEqual([]);
    const vitest = join('node_modules', 'vitest', 'vitest.mjs');
    const { stdout } = await runProgram('node', [vitest, 'run', '--root', app, ...tests], { cwd: app });
    expect(stdout).toMatch(new RegExp(`Tests\\s+${tests.length} passed`));
  });
});

describe('the commands in the README and in docs/cli.md', () => {
  const cli = join('node_modules', 'agents-hybrid-session', 'dist', 'import', 'cli.js');
  const commands = new Map(
    [...commandsOf(readme), ...commandsOf(commandPage)].map((words) => [words.join(' '), words]),
  );

  beforeAll(async () => {
    const ledger = sqliteLedger({ path: join(app, 'sessions.db') });
    const client = new OpenAI({ apiKey: 'test', baseURL: server.url });
    const session = new HybridSession({ client, ledger, sessionId: 'user-42' });
    await session.addItems([{ role: 'user', content: 'hi' }]);
    await session.flush();
    await ledger.close();
  });

  it.each([...commands.values()])('the command runs: %s %s %s', async (...words) => {
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test' };
    const { stderr } = await runProgram('node', [cli, ...words.slice(1)], { cwd: app, env });
    // A summary is no problem.
    expect(stderr).toMatch(/^(?:\d+ [\w()]+\n)?$/);
  });

  it('docs/cli.md shows the output of repro', async () => {
    const { stdout } = await runProgram('node', [cli, 'repro'], { cwd: app });
    const shown = /^```\n(assistant items surviving\n[\s\S]*?)^```$/m.exec(commandPage)?.[1] ?? '';
    expect(shown).not.toBe('');
    expect(stdout.endsWith(shown)).toBe(true);
  });

  it('the README shows the result of repro as a table', async () => {
    const { stdout } = await runProgram('node', [cli, 'repro', '--json'], { cwd: app });
    const { stories } = JSON.parse(stdout) as {
      stories: { model: string; session: string; answers: number; surviving: number }[];
    };
    const models = [...new Set(stories.map(({ model }) => model))];
    const rows = [...new Set(stories.map(({ session }) => session))].map((name) => {
      const own = stories.filter(({ session }) => session === name);
      return `| \`${name}\` | ${own.map(({ answers, surviving }) => `${surviving} / ${answers}`).join(' | ')} |`;
    });
    const table = readme.replaceAll('**', '');
    expect(table).toContain(`| ${models.join(' | ')} |\n|---|---|---|---|---|\n${rows.join('\n')}\n`);
  });
});
