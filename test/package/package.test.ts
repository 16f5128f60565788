import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { OpenAIConversationsSession } from '@openai/agents';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createSimulatorCore } from '../../mocks/simulator.ts';
import { converse, listOf } from '../flows/support/story.ts';
import { simulatedRunner } from '../support/simulated.ts';
import { installedConsumer, linkedConsumer } from './consumer.ts';
import { packWorkingTree, readManifest, ROOT, type PackedPackage } from './packed.ts';
import { runProgram, startProgram } from './run-program.ts';
import { FULL } from '../support/runs.ts';

const TWO_TURNS = {
  finalOutput: expect.stringContaining('my name is Ada') as unknown,
  roles: ['user', 'assistant', 'user', 'assistant'],
  verified: true,
};

const ITEMS = [
  '{"role":"user","content":"my name is Ada"}\n',
  '{"type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hello Ada"}]}\n',
].join('');

/** The folders above a file of the tarball. */
function parentsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
}

let packed: PackedPackage;
let esm: string;
let cjs: string;

beforeAll(async () => {
  packed = await packWorkingTree();
  const extra = ['msw', 'libsql', '@opentelemetry/api', '@types/node'];
  esm = await linkedConsumer(packed, { name: 'esm-app', type: 'module', extra });
  cjs = await linkedConsumer(packed, { name: 'cjs-app', type: 'commonjs', extra });
});

afterAll(() => packed.dispose());

describe('the tarball', () => {
  it('the tarball holds the builds and the documents, and no other file', () => {
    const rest = packed.files.filter(
      (path) =>
        !/^dist\/(esm|cjs)\/(src|mocks)\/[\w/-]+\.d\.ts$/.test(path) &&
        !/^dist\/(import|require)\/(?:mocks\/|shared\/)?[\w-]+\.js$/.test(path) &&
        !/^docs\/(?:decisions\/)?[\w-]+\.md$/.test(path) &&
        !/^docs\/bench\/[\w-]+\.(md|json|svg)$/.test(path) &&
        !/^examples\/(?:[\w-]+\/)*(?:README\.md|package\.json|[\w.-]+\.m?js)$/.test(path),
    );
    expect(rest.toSorted()).toEqual([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'SECURITY.md',
      'dist/cjs/package.json',
      'dist/require/package.json',
      'llms.txt',
      'package.json',
    ]);
  });

  it('the links in the packed pages lead to packed files', async () => {
    const folder = join(esm, 'node_modules', 'agents-hybrid-session');
    const known = new Set(packed.files.flatMap((path) => [path, ...parentsOf(path)]));
    const broken: string[] = [];
    for (const page of packed.files.filter((path) => /\.md$|^llms\.txt$/.test(path))) {
      const text = (await readFile(join(folder, page), 'utf8')).replaceAll(/^```[\s\S]*?^```$/gm, '');
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:|#)([^)\s#]+)[^)\s]*\)/g))
        if (!known.has(join(dirname(page), link))) broken.push(`${page}: ${link}`);
    }
    expect(broken).toEqual([]);
  });

  it('the CommonJS build has no command', () => {
    expect(packed.files.filter((path) => /^dist\/(?:require|cjs\/src)\/cli/.test(path))).toEqual([]);
  });

  it('an import of the package loads few files', async () => {
    const loaded = new Set<string>();
    const load = async (path: string): Promise<void> => {
      if (loaded.has(path)) return;
      loaded.add(path);
      const code = await readFile(join(esm, 'node_modules', 'agents-hybrid-session', path), 'utf8');
      for (const [, next = ''] of code.matchAll(/(?:from |^import )"(\.[^"]+)"/gm))
        await load(join(dirname(path), next));
    };
    await load('dist/import/index.js');
    expect(loaded.size).toBeGreaterThan(1);
    expect(loaded.size).toBeLessThanOrEqual(5);
  });

  it('a class has the same name in a bundle as in the sources', async () => {
    const names = packed.files.filter((path) => /^dist\/(?:import|require)\//.test(path));
    const changed: string[] = [];
    for (const path of names) {
      const code = await readFile(join(esm, 'node_modules', 'agents-hybrid-session', path), 'utf8');
      for (const [found] of code.matchAll(/\bclass \w+\$\d+/g)) changed.push(`${path}: ${found}`);
    }
    expect(changed).toEqual([]);
  });

  it('the package has lru-cache as its only dependency', async () => {
    const { dependencies, optionalDependencies, bundledDependencies } = await readManifest('package.json');
    expect(Object.keys(dependencies ?? {})).toEqual(['lru-cache']);
    expect([optionalDependencies, bundledDependencies]).toEqual([undefined, undefined]);
  });

  it('the package imports its peers, its dependency and Node alone', async () => {
    const foreign = new Set<string>();
    for (const path of packed.files.filter((one) => /^dist\/.*\.js$/.test(one))) {
      const source = await readFile(join(esm, 'node_modules', 'agents-hybrid-session', path), 'utf8');
      // Examples in docstrings import the package itself.
      const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '');
      for (const [, name = ''] of code.matchAll(/(?:from |import\(|require\()["']([^."'][^"']*)["']/g)) {
        foreign.add(name);
      }
    }
    expect([...foreign].filter((name) => !name.startsWith('node:')).toSorted()).toEqual([
      '@openai/agents',
      '@opentelemetry/api',
      'lru-cache',
      'msw',
      'openai',
      'zod',
    ]);
  });
});

describe('the lock file', () => {
  it.each(['package-lock.json', 'scripts/clients/package-lock.json'])(
    '%s names no host to download from',
    async (path) => {
      const { packages } = await readManifest(path);
      const entries = Object.entries(packages ?? {}) as [string, { resolved?: string; link?: boolean }][];
      expect(entries.length).toBeGreaterThan(100);
      expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
    },
  );
});

describe.each([
  { kind: 'an ES module app', app: () => esm, ending: 'mjs' },
  { kind: 'a CommonJS app', app: () => cjs, ending: 'cjs' },
])('$kind with the tarball', ({ app, ending }) => {
  it('the package runs turns that survive the loss, with the default client of its SDK', async () => {
    const { stdout } = await runProgram('node', [`turn.${ending}`], { cwd: app() });
    expect(JSON.parse(stdout)).toEqual(TWO_TURNS);
  });

  it('the package shares one copy of the SDK with the app', async () => {
    const { stdout } = await runProgram('node', [`one-sdk.${ending}`], { cwd: app() });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it('the package finds the driver of a store', async () => {
    const { stdout } = await runProgram('node', [`store.${ending}`], { cwd: app() });
    expect(stdout).toBe('2\n');
  });

  it('the app sees the types of every entry point', async () => {
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = await runProgram('node', [tsc, '-p', 'tsconfig.json'], { cwd: app() });
    expect(stdout).toBe('');
  });
});

describe('an app without msw', () => {
  it('a CommonJS app that cannot require ES modules runs turns on the simulator', async () => {
    const app = await linkedConsumer(packed, { name: 'no-msw-app', type: 'commonjs' });
    const program = ['--no-experimental-require-module', 'core.cjs'];
    const { stdout } = await runProgram('node', program, { cwd: app });
    expect(JSON.parse(stdout)).toEqual(['u', 'u,a,u']);
  });
});

describe.runIf(FULL)('the command, where a driver is installed', () => {
  it('the command imports, inspects, exports the same bytes, and erases', async () => {
    const cli = join(esm, 'node_modules', 'agents-hybrid-session', 'dist', 'import', 'cli.js');
    const run = (...args: string[]): ReturnType<typeof runProgram> =>
      runProgram('node', [cli, ...args], { cwd: esm });
    await writeFile(join(esm, 'items.jsonl'), ITEMS);
    const ledger = ['--ledger', 'sqlite:sessions.db'];
    expect((await run('import', 'items.jsonl', ...ledger, '--session', 'user-42')).stdout).toBe('user-42\n');
    expect((await run('export', 'user-42', ...ledger)).stdout).toBe(ITEMS);
    expect((await run('inspect', 'user-42', ...ledger)).stdout).toMatch(/^items {8}2$/m);
    expect((await run('erase', 'user-42', ...ledger, '--yes')).stdout).toBe('ledger user-42 2 items\n');
    const again = startProgram('node', [cli, 'erase', 'user-42', ...ledger, '--yes'], { cwd: esm });
    expect((await again.finished).code).toBe(1);
  });
});

describe('the doors', () => {
  it('each file under src is an entry point, like the simulator', async () => {
    const { exports } = await readManifest('package.json');
    const files = (await readdir(join(ROOT, 'src'), { withFileTypes: true }))
      .filter((entry) => entry.isFile() && entry.name !== 'cli.ts')
      .map(({ name }) => (name === 'index.ts' ? '.' : `./${name.replace('.ts', '')}`));
    const others = ['./mocks', './mocks/core', './package.json'];
    expect(Object.keys(exports ?? {}).toSorted()).toEqual([...files, ...others].toSorted());
  });

  it('each entry point exports the same names in both module systems', async () => {
    const { stdout } = await runProgram('node', ['doors.mjs'], { cwd: esm });
    const doors = JSON.parse(stdout) as Record<string, { import: string[]; require: string[] }>;
    expect(Object.keys(doors).length).toBeGreaterThan(1);
    const { exports } = await readManifest('package.json');
    for (const [path, door] of Object.entries(doors)) {
      const { types } = (exports as Record<string, { import: { types: string } }>)[path]?.import ?? {
        types: '',
      };
      const module = pathToFileURL(join(ROOT, types.replace(/\.d\.ts$/, '.js'))).href;
      // A bundle may not add what its entry points share.
      expect(door.import).toEqual(Object.keys((await import(module)) as object).toSorted());
      expect(door.require).toEqual(door.import);
    }
    expect(doors['.']?.import).toContain('HybridSession');
    expect(doors['./mocks']?.import).toContain('createSimulator');
    expect(doors['./mocks/core']?.import).toEqual(doors['./mocks']?.import);
  });
});

describe.runIf(FULL)('the package installed by npm', () => {
  let app: string;

  beforeAll(async () => {
    app = await installedConsumer(packed, 'installed-app');
  });

  const command = (): string => join(app, 'node_modules', '.bin', 'agents-hybrid-session');

  it('the installed package comes without msw', async () => {
    await expect(access(join(app, 'node_modules', 'msw'))).rejects.toThrow('ENOENT');
  });

  it('the installed command replays the report', async () => {
    const { stdout } = await runProgram(command(), ['repro', '--model', 'gpt-5.4'], { cwd: app });
    expect(stdout).toContain('OpenAIConversationsSession  1 / 4');
    expect(stdout).toContain('HybridSession               4 / 4');
  });

  it('the installed command prints its version', async () => {
    const { version } = await readManifest('package.json');
    expect((await runProgram(command(), ['--version'], { cwd: app })).stdout).toBe(`${String(version)}\n`);
  });

  it('the installed command ends quietly if its reader goes away', async () => {
    const pipe = `"${command()}" repro --model gpt-5.4 | head -1; echo "\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runProgram('bash', ['-c', pipe], { cwd: app });
    expect(stdout).toBe('gpt-5.4  OpenAIConversationsSession\n0\n');
    expect(stderr).toBe('');
  });

  it('the installed command reports an output that cannot be written, and goes on without its messages', async () => {
    const lines = [
      `"${command()}" --help > /dev/full; echo "$?"`,
      `"${command()}" list --ledger sqlite:none.db 2> >(exec true); echo "$?"`,
    ];
    const { stdout, stderr } = await runProgram('bash', ['-c', lines.join('\n')], { cwd: app });
    expect(stdout).toBe('70\n70\n');
    expect(stderr).toMatch(
      /^agents-hybrid-session: cannot_write: Cannot write to standard output \(ENOSPC\)\nTry: .*\n$/,
    );
  });

  it('the installed command imports a file into a new conversation and exports it again', async () => {
    const running = startProgram(command(), ['simulate', '--port', '0'], { cwd: app });
    const env = { OPENAI_BASE_URL: await running.line(/^http:/), OPENAI_API_KEY: 'any' };
    await writeFile(join(app, 'items.jsonl'), ITEMS);
    const imported = await runProgram(command(), ['import', 'items.jsonl'], { cwd: app, env });
    const id = imported.stdout.trim();
    expect(id).toMatch(/^conv_/);
    const options = ['--format', 'markdown', '--output', 'out.md'];
    const exported = await runProgram(command(), ['export', id, ...options], { cwd: app, env });
    running.child.kill('SIGTERM');
    await running.finished;
    expect({ stdout: exported.stdout, stderr: exported.stderr }).toMatchObject({
      stdout: '',
      stderr: expect.stringMatching(/^Exported 2 item\(s\), digest \S+\n$/) as string,
    });
    const markdown = await readFile(join(app, 'out.md'), 'utf8');
    expect(markdown).toContain('\n\nmy name is Ada\n\n');
    expect(markdown.match(/^## .*$/gm)).toEqual(['## 1. User', '## 2. Assistant']);
  });

  it('the installed command finds lost items of a conversation by a log of its responses', async () => {
    const running = startProgram(command(), ['simulate', '--port', '0', '--unlink', 'every-turn'], {
      cwd: app,
    });
    const url = await running.line(/^http:/);
    const post = async (path: string, body: object): Promise<{ id: string }> => {
      const headers = { authorization: 'Bearer any', 'content-type': 'application/json' };
      const answer = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return (await answer.json()) as { id: string };
    };
    const { id: conversation } = await post('/conversations', {});
    const log: string[] = [];
    for (const input of ['one', 'two'])
      log.push((await post('/responses', { model: 'gpt-5.4', input, conversation })).id);
    const pipe = `printf '{"id":"%s"}\\n' ${log.join(' ')} | "${command()}" doctor ${conversation} --response - --json`;
    const doctor = startProgram('bash', ['-c', pipe], {
      cwd: app,
      env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: 'any' },
    });
    const { code, stdout, stderr } = await doctor.finished;
    running.child.kill('SIGTERM');
    await running.finished;
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'repairable',
      listed: 3,
      timeline: [{}, { status: 'lost', sources: [{ source: 'response', responseId: log[0] }] }, {}, {}],
    });
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'the installed command stops a diagnosis on %s in the middle of a request',
    async (signal) => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const asked = new Promise((resolve) => server.once('request', resolve));
      const doctor = startProgram(
        command(),
        ['doctor', 'conv_1', '--base-url', `http://127.0.0.1:${port}/v1`],
        {
          cwd: app,
          env: { OPENAI_API_KEY: 'any' },
        },
      );
      await asked;
      doctor.child.kill(signal);
      const { code, stdout, stderr } = await doctor.finished;
      server.closeAllConnections();
      server.close();
      expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(`^Stopped by ${signal}\\.\nTo go on: agents-hybrid-session doctor conv_1`),
      );
    },
  );

  it('the installed command names a missing driver, and the command that installs it', async () => {
    const args = ['inspect', 'conv_1', '--ledger', 'redis:redis://127.0.0.1:1'];
    const { code, stdout, stderr } = await startProgram(command(), args, { cwd: app }).finished;
    expect({ code, stdout }).toEqual({ code: 70, stdout: '' });
    expect(stderr).toMatch(/^agents-hybrid-session inspect: missing_driver: .*\nTry: npm install redis\n$/);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'the installed command serves the simulator until %s',
    async (signal) => {
      const running = startProgram(command(), ['simulate', '--port', '0'], { cwd: app });
      const url = await running.line(/^http:/);
      const made = await fetch(`${url}/conversations`, {
        method: 'POST',
        headers: { authorization: 'Bearer k' },
      });
      expect(made.status).toBe(200);
      await running.line(/^POST \/conversations 200 \d+ ms$/);
      running.child.kill(signal);
      const { code, stderr } = await running.finished;
      expect({ code, stderr }).toEqual({ code: 0, stderr: `Stop with Ctrl-C.\nStopped by ${signal}.\n` });
      await expect(fetch(url)).rejects.toThrow('fetch failed');
    },
  );

  it('the installed command heals a conversation, and goes on after it was stopped', async () => {
    const simulator = createSimulatorCore({ unlink: 'every-turn', latency: 20 });
    const server = await simulator.listen();
    onTestFinished(() => server.close());
    const client = new OpenAI({ apiKey: 'k', baseURL: server.url });
    const stock = new OpenAIConversationsSession({ client });
    const turns = Array.from({ length: 24 }, (_, turn) => `line ${turn}`);
    await converse(simulatedRunner(client), stock, turns);
    const given = simulator.snapshot().responses.flatMap(({ id }) => ['--response', id]);
    const args = ['heal', await stock.getSessionId(), ...given, '--quiet'];
    const env = { OPENAI_API_KEY: 'k', OPENAI_BASE_URL: server.url };
    const running = startProgram(command(), args, { cwd: app, env });
    // Once: a second signal ends it without a word.
    const lift = simulator.onRequest(({ method, path }) => {
      if (method !== 'POST' || !path.endsWith('/items')) return;
      lift();
      running.child.kill('SIGINT');
    });
    const stopped = await running.finished;
    expect({ code: stopped.code, stdout: stopped.stdout }).toEqual({ code: 130, stdout: '' });
    const to = /--to (conv_\w+)/.exec(stopped.stderr)?.[1] ?? '';
    const done = await runProgram(command(), [...args, '--to', to], { cwd: app, env });
    expect(done.stdout).toBe(`${to}\n`);
    expect(listOf(simulator, to)).toBe(turns.map(() => 'u,a').join(','));
  });
});

describe.runIf(FULL)('the benchmark', () => {
  it('the benchmark measures turns of the built package to the end', async () => {
    const { code, stdout, stderr } = await runProgram(
      'node',
      'scripts/bench.mjs --quick --turns 10 --latency 0 --parts turns --only hand,anchored-background'.split(
        ' ',
      ),
      { cwd: join(packed.folder, 'tree') },
    );
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toContain('| HybridSession, constant-size turns, mirror background | 1 / 2 |');
    expect(stdout).toContain('| requests before the answer | at most 1 | 1.00 | reached |');
  });
});
